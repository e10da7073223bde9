"""The first page: this evening, the next ones, what needs a person, today's bookings; and the page of figures."""

import gzip
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from azionelab.bookings import rules
from azionelab.checkin.scanning.scan_log import Claim
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.staff.tokens import Scope, issue_token
from tests.factories import DOOR_A, a_party, a_performance, a_waiting_party
from tests.support.people import logged_in
from tests.support.wallet_keys import apple

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
_MOST_STATEMENTS = 12
_FIRST_LOAD = 250_000  # bytes, compressed


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def part(page: str, identity: str) -> str:
    """The text of a section of the page."""
    found = re.search(rf'aria-labelledby="{identity}">(.*?)</section>', page, flags=re.DOTALL)
    assert found, identity
    return text_of(found[1])


def tasks(page: str) -> str:
    return part(page, "tasks")


def tonight() -> Performance:
    curtain = now() + timedelta(minutes=5)
    return a_performance(capacity=20, starts_at=curtain, booking_closes_at=curtain)


def test_nothing_to_do_is_said(app: Flask) -> None:
    page = logged_in(app, "read_only").get("/admin/").text
    assert "Nothing: mails go out" in tasks(page)
    assert "No bookings yet today" in page
    assert "There are no upcoming performances yet" in page
    assert "Nothing to show yet" in page


def test_the_next_evenings_show_their_houses(app: Flask) -> None:
    performance = a_performance(capacity=9, starts_at=now() + timedelta(days=2))
    a_party(performance, 5)
    a_party(performance, 3, confirmed=False)
    a_waiting_party(performance.id, 2)
    page = logged_in(app, "box_office").get("/admin/").text
    figures = re.findall(r'data-label="([^"]+)">(\d+)<', page)
    assert figures == [
        ("Expected", "5"), ("Not confirmed yet", "3"), ("Waiting", "2"), ("Free", "1"),
    ]  # fmt: skip
    assert '<rect class="pending" x="5" y="0" width="3" height="1"/>' in page


def test_an_evening_without_a_phone_at_its_door_is_a_task(app: Flask, database: Database) -> None:
    performance = tonight()
    client = logged_in(app, "admin")
    assert "No phone" not in tasks(client.get("/admin/").text), "nobody is expected"
    a_party(performance)
    assert f"No phone is set up at the door of {performance.show.title}" in tasks(
        client.get("/admin/").text
    )
    token, _ = issue_token("Door A", Scope.DOOR, 5)
    database.execute(
        "UPDATE api_token SET performance_id = %s WHERE id = %s", [performance.id, token.id]
    )
    assert "No phone" not in tasks(client.get("/admin/").text)


def test_a_conflict_at_the_door_is_a_task(app: Flask) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    admit(performance.id, party.reference, uuid4(), DOOR_A)
    claim = Claim(now(), VerdictKind.ADMITTED, 2)
    admit(performance.id, party.reference, uuid4(), DOOR_A, claim=claim)
    page = logged_in(app, "read_only").get("/admin/").text
    assert "1 conflict at the door" in tasks(page)
    assert f"/admin/evenings/{performance.id}" in page


def test_failed_and_late_mails_are_tasks_for_those_who_may(app: Flask, database: Database) -> None:
    a_party(a_performance())
    database.execute("UPDATE mail SET created_at = now() - interval '1 hour'")
    database.execute("UPDATE mail SET delivery = 'failed', tried_at = now() WHERE kind = 'ticket'")
    for role, may_send in (("staff", True), ("read_only", False)):
        found = tasks(logged_in(app, role).get("/admin/").text)
        assert "1 mail could not be delivered" in found
        assert "1 mail has been waiting" in found
        assert ("Send them again" in found) == may_send


@pytest.mark.parametrize(
    ("reports", "told"),
    [
        ([], None),
        ([("1 hour", True)], None),
        ([("2 days", True), ("1 hour", False)], "The last backup is of"),
        ([("1 hour", False)], "No backup has succeeded yet"),
    ],
)
def test_an_old_backup_is_a_task(
    app: Flask, database: Database, reports: list[tuple[str, bool]], told: str | None
) -> None:
    for ago, well in reports:
        database.execute(
            "INSERT INTO backup_report (task, well, ended_at) VALUES ('backup', %s, now() - %s::interval)",
            [well, ago],
        )
    found = tasks(logged_in(app, "admin").get("/admin/").text)
    assert ("backup" in found) == (told is not None)
    assert told is None or told in found


@pytest.mark.parametrize(("days", "told"), [(40, False), (20, True), (-1, True)])
def test_a_wallets_certificate_near_its_end_is_a_task(
    make_app: Callable[..., Flask], days: int, *, told: bool
) -> None:
    site = make_app(APPLE_PASS=apple(days).setting)
    found = tasks(logged_in(site, "admin").get("/admin/").text)
    assert ("certificate for Apple Wallet" in found) is told
    assert ("has ended" in found) is (days < 0)


def test_a_hidden_show_that_plays_soon_is_a_task(app: Flask) -> None:
    a_performance(published=False, starts_at=now() + timedelta(days=3))
    a_performance(published=False, starts_at=now() + timedelta(days=40))
    found = tasks(logged_in(app, "admin").get("/admin/").text)
    assert found.count("is not published") == 1


def test_todays_bookings_leave_out_what_ended_and_yesterday(app: Flask, database: Database) -> None:
    performance = a_performance(capacity=30)
    a_party(performance, 3, name="Ada Rossi")
    rules.cancel(a_party(performance, 2, name="Bruno Verdi").id)
    before = a_party(performance, 4, name="Carla Neri")
    database.execute(
        "UPDATE reservation SET created_at = now() - interval '1 day' WHERE id = %s", [before.id]
    )
    found = part(logged_in(app, "read_only").get("/admin/").text, "todays-bookings")
    assert "1 booking, 3 seats" in found.replace(" ,", ",")
    assert "Ada Rossi" in found
    assert "Bruno" not in found
    assert "Carla" not in found


def figures_of(page: str, chart: str) -> dict[str, list[str]]:
    """The rows of a chart's table: label and cells."""
    section = page.partition(f'id="chart-{chart}"')[2].partition("</figure>")[0]
    rows = re.findall(r'<th scope="row".*?</tr>', section, flags=re.DOTALL)
    return {
        text_of(f"<th>{row.partition('>')[2].partition('</th>')[0]}"): [
            text_of(cell) for cell in re.findall(r"(<td.*?</td>)", row, flags=re.DOTALL)
        ]
        for row in rows
    }


def test_the_charts_have_their_figures_in_tables(app: Flask, database: Database) -> None:
    performance = a_performance(capacity=10, starts_at=now() + timedelta(days=1, hours=1))
    a_party(performance, 4)
    over = a_performance(capacity=10)
    came, _absent = a_party(over, 3), a_party(over, 1)
    admit(over.id, came.reference, uuid4(), DOOR_A)
    database.execute(
        "UPDATE performance SET starts_at = now() - interval '1 day', booking_opens_at = now() -"
        " interval '9 days', booking_closes_at = now() - interval '1 day' WHERE id = %s",
        [over.id],
    )
    page = logged_in(app, "read_only").get("/admin/figures/").text
    assert list(figures_of(page, "fill").values()) == [
        ["3", "1", "–", "–", "6"],
        ["–", "–", "4", "0", "6"],
    ]
    assert figures_of(page, "pace")["1 day"][0] == "40%"
    assert figures_of(page, "pace")["curtain"][0] == "–"
    assert list(figures_of(page, "no-shows").values()) == [["25%"]]
    assert sum(int(cells[0]) for cells in figures_of(page, "arrivals").values()) == 3


@pytest.mark.parametrize("days", ["365", "x", "-1", ""])
def test_any_period_is_answered(app: Flask, days: str) -> None:
    assert logged_in(app, "read_only").get(f"/admin/figures/?days={days}").status_code == 200


@pytest.mark.usefixtures("demo_season")
@pytest.mark.parametrize("address", ["/admin/", "/admin/figures/"])
def test_few_statements_answer_a_page(app: Flask, address: str) -> None:
    client = logged_in(app, "admin")
    statements: list[str] = []

    def note(*args: Any) -> None:
        if "FROM theme_version" not in args[2]:  # read once in PAGE_CACHE_SECONDS, here 0
            statements.append(args[2])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert client.get(address).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert 0 < len(statements) <= _MOST_STATEMENTS, "\n".join(statements)


def loaded_by(client: FlaskClient, page: str) -> dict[str, bytes]:
    """What a browser loads with a page, by address."""
    addresses = re.findall(
        r'(?:<link rel="(?:stylesheet|icon)"[^>]*href|<script[^>]*src)="([^"]+)"', page
    )
    files = {address: client.get(address).data for address in addresses}
    for address, content in list(files.items()):
        for name in re.findall(r'(?:from|import)\s*"\./([\w.-]+\.js)"', content.decode()):
            other = f"{Path(address).parent}/{name}"
            files[other] = client.get(other).data
    return files


@pytest.mark.usefixtures("demo_season")
@pytest.mark.parametrize("address", ["/admin/", "/admin/figures/"])
def test_the_first_load_is_small_and_our_own(app: Flask, address: str) -> None:
    client = logged_in(app, "admin")
    page = client.get(address).text
    files = loaded_by(client, page)
    assert len(files) >= 5
    assert all(name.startswith("/") and not name.startswith("//") for name in files), list(files)
    sizes = {name: len(gzip.compress(content)) for name, content in files.items()}
    assert min(sizes.values()) > 100
    assert sum(sizes.values()) + len(gzip.compress(page.encode())) < _FIRST_LOAD, sizes

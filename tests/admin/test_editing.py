"""Two people with the same form open: nobody overwrites anybody unseen."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.database import db
from azionelab.shows.models import Performance, Show, Venue
from azionelab.staff.accounts import create_account
from azionelab.staff.models import User
from tests.bookings.test_pages import fields
from tests.factories import DOOR_A, a_party, a_performance
from tests.support.people import PASSWORD, english, log_in, logged_in, press

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]


class Editor:
    """Somebody of the back office with a form open, who sends it as a browser does."""

    def __init__(self, client: FlaskClient, address: str) -> None:
        self.client, self.address = client, address
        self.typed = shown(client.get(address).text)

    def save(self, **typed: Any) -> TestResponse:
        """Send the form as it was shown, but for what is typed into it (None: not sent)."""
        self.typed = {
            name: value for name, value in (self.typed | typed).items() if value is not None
        }
        answer = self.client.post(self.address, data=self.typed, follow_redirects=True)
        if 'name="seen_effect"' in answer.text:  # read what it does, then press once more
            seen = {"seen_effect": fields(answer.text)["seen_effect"]}
            answer = self.client.post(self.address, data=self.typed | seen, follow_redirects=True)
        if answer.status_code == 409:
            self.typed = shown(answer.text)
        return answer


def shown(page: str) -> dict[str, str]:
    """What a browser would send of the page's first form, as it stands."""
    form = page[page.index('<form class="form"') :]
    form = form[: form.index("</form>")]
    found = fields(form)
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if (
            'type="hidden"' not in tag
            and name
            and ('type="checkbox"' not in tag or " checked" in tag)
        ):
            found[name[1]] = value[1] if value else ""
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option selected[^>]*value="([^"]*)"', options)
        found[name] = chosen[1] if chosen else ""
    for name, text in re.findall(
        r'<textarea[^>]*name="([^"]+)"[^>]*>\r?\n?(.*?)</textarea>', form, re.S
    ):
        found[name] = text
    return found


@pytest.fixture
def anna(in_app: Flask) -> FlaskClient:
    """A member of staff."""
    return logged_in(in_app, "staff")


@pytest.fixture
def bruno(in_app: Flask) -> FlaskClient:
    """Another one."""
    create_account("bruno@theatre.org", "staff", PASSWORD, name="Bruno")
    client = english(in_app)
    log_in(client, "bruno@theatre.org")
    return client


def test_who_changes_the_seats_leaves_the_curtain_where_another_moved_it(
    anna: FlaskClient, bruno: FlaskClient, database: Database
) -> None:
    performance = a_performance(capacity=40)
    for _party in range(4):
        a_party(performance)
    address = f"/admin/performances/edit/?id={performance.id}"
    first, second = Editor(anna, address), Editor(bruno, address)
    day = second.typed["starts_at"][:10]
    later = f"{day}T23:50"
    assert "4 parties will be notified" in first.save(starts_at=later).text
    moved = database.execute("SELECT starts_at FROM performance").fetchone()

    page = second.save(capacity="50").text
    assert "Saved." in page
    assert "will be notified" not in page
    assert "Staff has changed this: Curtain, from" in page
    row = database.execute("SELECT starts_at, capacity FROM performance").fetchone()
    assert moved is not None
    assert row == (moved.starts_at, 50)
    mails = "SELECT count(*) FROM mail WHERE kind = 'moved'"
    assert database.execute(mails).fetchone() == (4,)


def test_who_changes_what_another_changed_is_told_and_goes_on_with_one_press(
    anna: FlaskClient, bruno: FlaskClient, database: Database
) -> None:
    address = f"/admin/performances/edit/?id={a_performance(capacity=100).id}"
    first, second = Editor(anna, address), Editor(bruno, address)
    assert "Saved." in first.save(capacity="80", party_limit="4").text

    refused = second.save(capacity="90")
    assert refused.status_code == 409
    assert "Nothing was saved: somebody changed the same" in refused.text
    assert "Staff changed this from “100” to “80”" in refused.text
    assert "Staff has changed this: Maximum seats per booking, from “6” to “4”" in refused.text
    assert "Save my version" in refused.text
    assert (second.typed["capacity"], second.typed["party_limit"]) == ("90", "4")
    facts = "SELECT capacity, party_limit FROM performance"
    assert database.execute(facts).fetchone() == (80, 4)

    # Somebody is faster once more: the press is refused again, and not for the first change.
    first = Editor(anna, address)
    assert "Saved." in first.save(capacity="70").text
    refused = second.save()
    assert "Staff changed this from “80” to “70”" in refused.text
    assert database.execute(facts).fetchone() == (70, 4)
    assert "Saved." in second.save().text
    assert database.execute(facts).fetchone() == (90, 4)


def test_an_older_form_that_touches_nothing_puts_nothing_back(
    anna: FlaskClient, bruno: FlaskClient, database: Database
) -> None:
    performance = a_performance(capacity=90)
    address = f"/admin/performances/edit/?id={performance.id}"
    first, second = Editor(anna, address), Editor(bruno, address)
    first.save(capacity="80")
    assert "Saved." in second.save().text
    assert database.execute("SELECT capacity, version FROM performance").fetchone() == (80, 2)
    # Both wanted the same: nothing is to be decided.
    third = Editor(bruno, address)
    first = Editor(anna, address)
    first.save(capacity="60")
    assert "Saved." in third.save(capacity="60").text
    assert database.execute("SELECT capacity, version FROM performance").fetchone() == (60, 3)


def test_a_description_is_not_wiped_by_a_form_that_was_opened_before_it_was_written(
    anna: FlaskClient, bruno: FlaskClient, database: Database
) -> None:
    performance = a_performance()
    address = f"/admin/shows/edit/?id={performance.show_id}"
    first, second = Editor(anna, address), Editor(bruno, address)
    first.save(description="Firenze, 1752.")
    assert "Saved." in second.save(summary="Carlo Goldoni").text
    texts = "SELECT description, summary FROM show"
    assert database.execute(texts).fetchone() == ("Firenze, 1752.", "Carlo Goldoni")

    first, second = Editor(anna, address), Editor(bruno, address)
    first.save(description="Firenze, 1753.\n\nIn two acts." + "x" * 100)
    refused = second.save(description="Venice")
    assert "Staff changed this from “Firenze, 1752.” to “Firenze, 1753." in refused.text
    assert "x" * 100 + "</textarea>" in refused.text
    assert second.typed["description"] == "Venice"
    assert "Saved." in second.save().text
    assert database.execute(texts).fetchone() == ("Venice", "Carlo Goldoni")


def test_a_form_only_writes_what_its_person_changed(anna: FlaskClient, database: Database) -> None:
    performance = a_performance()
    database.execute(
        "UPDATE performance SET booking_opens_at = date_trunc('minute', now()) - interval '42.5 seconds'"
    )
    database.execute("UPDATE show SET description = E'Two lines.\\nWith a line end.\\n'")
    rows = "SELECT p.version, booking_opens_at, s.version AS show, description FROM performance p, show s"
    before = database.execute(rows).fetchone()
    for what, identity in (("performances", performance.id), ("shows", performance.show_id)):
        assert "Saved." in Editor(anna, f"/admin/{what}/edit/?id={identity}").save().text
    assert database.execute(rows).fetchone() == before


@pytest.mark.parametrize("version", [None, "", "x", "0", "99", "9" * 30, "-1", "²"])
def test_a_form_that_names_no_known_version_overwrites_nothing_unseen(
    anna: FlaskClient, database: Database, version: str | None
) -> None:
    performance = a_performance(capacity=80)
    form = Editor(anna, f"/admin/performances/edit/?id={performance.id}")
    refused = form.save(version=version, capacity="90")
    assert refused.status_code == 409
    assert "It is now “80”." in refused.text
    assert database.execute("SELECT capacity FROM performance").fetchone() == (80,)
    assert "Saved." in form.save().text
    assert database.execute("SELECT capacity FROM performance").fetchone() == (90,)


def test_an_account_is_not_changed_back(
    in_app: Flask, admin: FlaskClient, database: Database
) -> None:
    create_account("eva@theatre.org", "admin", PASSWORD, name="Eva")
    carla = create_account("carla@theatre.org", "door", PASSWORD, name="Carla")
    other = english(in_app)
    log_in(other, "eva@theatre.org")
    address = f"/admin/accounts/edit/?id={carla.id}"
    first, second = Editor(admin, address), Editor(other, address)
    first.save(role="staff")
    page = second.save(name="Carla B.").text
    assert "Admin has changed this: Role, from “door: checks people in”" in page
    facts = "SELECT u.name, r.name AS role FROM user_account u JOIN user_role ON user_id = u.id"
    facts += f" JOIN role r ON role_id = r.id WHERE u.id = {carla.id}"
    assert tuple(database.execute(facts).fetchone() or ()) == ("Carla B.", "staff")

    first, second = Editor(admin, address), Editor(other, address)
    first.save(active=None, name="Carla C.")
    refused = second.save(active=None, name="Carla D.", role="admin")
    assert "Carla C." in refused.text
    assert "Nothing was saved" in refused.text
    row = database.execute(f"{facts} AND NOT active").fetchone()
    assert tuple(row or ()) == ("Carla C.", "staff")
    secrets = "SELECT count(*) FROM row_change WHERE changes::text LIKE '%%argon%%'"
    assert database.execute(secrets).fetchone() == (0,)


@pytest.mark.parametrize("what", ["venues", "shows", "performances"])
def test_what_was_changed_meanwhile_is_not_deleted_unseen(
    anna: FlaskClient, bruno: FlaskClient, database: Database, what: str
) -> None:
    performance = a_performance()
    table = what.removesuffix("s")
    database.execute(
        "DELETE FROM performance" if what != "performances" else "SELECT 'it has to go first'"
    )
    identity = {"venues": performance.venue_id, "shows": performance.show_id}.get(what, 1)
    address = f"/admin/{what}/edit/?id={identity}"
    second = Editor(bruno, address)
    changed = {"venues": "name", "shows": "title", "performances": "capacity"}[what]
    Editor(anna, address).save(**{changed: "77"})
    count = f"SELECT count(*) FROM {table}"
    sent = {"csrf_token": second.typed["csrf_token"], "id": identity}
    for version in ({}, {"version": second.typed["version"]}):
        page = bruno.post(f"/admin/{what}/delete/", data=sent | version, follow_redirects=True).text
        assert "Nothing was done: this was changed" in page
        assert database.execute(count).fetchone() == (1,)
    assert "Staff has changed this" in page
    page = press(bruno, f"/admin/{what}/delete/", address, id=identity).text
    assert "Deleted." in page
    assert database.execute(count).fetchone() == (0,)


def test_what_was_typed_into_a_row_that_is_gone_is_kept(
    anna: FlaskClient, bruno: FlaskClient, database: Database
) -> None:
    press(anna, "/admin/venues/new/", name="Sala Grande")
    address = "/admin/venues/edit/?id=1"
    second = Editor(bruno, address)
    press(anna, "/admin/venues/delete/", address, id=1)
    answer = second.save(name="Sala Piccola")
    assert answer.status_code == 409
    assert "Staff deleted this" in answer.text
    assert 'value="Sala Piccola"' in answer.text
    assert 'action="/admin/venues/new/"' in answer.text
    bruno.post("/admin/venues/new/", data=shown(answer.text))
    assert database.execute("SELECT id, name FROM venue").fetchall() == [(2, "Sala Piccola")]


def test_an_evening_is_cancelled_as_it_was_seen(
    anna: FlaskClient, bruno: FlaskClient, database: Database
) -> None:
    performance = a_performance(capacity=20)
    a_party(performance)
    address = f"/admin/performances/cancel/?id={performance.id}"
    seen = fields(bruno.get(address).text)
    edit = Editor(anna, f"/admin/performances/edit/?id={performance.id}")
    edit.save(capacity="19")
    page = bruno.post(address, data=seen, follow_redirects=True).text
    assert "Nothing was done: this was changed" in page
    assert "Seats, from “20” to “19”" in page
    assert database.execute("SELECT cancelled_at FROM performance").fetchone() == (None,)
    assert "Cancelled. 1 party will be notified by e-mail." in press(bruno, address, address).text
    # Whoever has the form open is told of it.
    edit = Editor(anna, f"/admin/performances/edit/?id={performance.id}")
    assert "meanwhile" not in edit.save(party_limit="3").text


def test_each_version_is_recorded_whoever_writes(anna: FlaskClient, database: Database) -> None:
    performance = a_performance(capacity=20)
    a_party(performance)
    database.execute("UPDATE performance SET capacity = 30, version = 9")
    database.execute("UPDATE performance SET capacity = 30, version = 9")
    Editor(anna, f"/admin/performances/edit/?id={performance.id}").save(capacity="25")
    records = database.execute(
        "SELECT version, account_id, changes FROM row_change WHERE table_name = 'performance'"
    ).fetchall()
    assert records == [
        (2, None, {"capacity": [20, 30]}),
        (3, 1, {"capacity": [30, 25]}),
    ]
    assert database.execute("SELECT version FROM performance").fetchone() == (3,)


def test_the_times_of_booking_move_with_the_curtain(anna: FlaskClient, database: Database) -> None:
    performance = a_performance()
    opens = "SELECT starts_at - booking_closes_at, booking_opens_at FROM performance"
    before = database.execute(opens).fetchone()
    address = f"/admin/performances/edit/?id={performance.id}"
    page = Editor(anna, address).save(starts_at="2029-07-01T21:00").text
    assert "Booking moved with the curtain: it closes 1 Jul 2029, 20:00." in page
    assert database.execute(opens).fetchone() == before  # it is open already
    page = (
        Editor(anna, address)
        .save(starts_at="2029-07-02T21:00", booking_closes_at="2029-07-02T12:00")
        .text
    )
    assert "Booking moved" not in page
    row = database.execute(opens).fetchone()
    assert row is not None
    assert row[0] == timedelta(hours=9)
    # One that is still to open opens later, too.
    Editor(anna, address).save(booking_opens_at="2029-06-01T10:00")
    page = Editor(anna, address).save(starts_at="2029-07-03T21:00").text
    assert "it opens 2 Jun 2029, 10:00." in page


@pytest.mark.parametrize("new", [True, False])
def test_booking_does_not_close_after_the_curtain(
    anna: FlaskClient, database: Database, new: bool
) -> None:
    performance = a_performance()
    address = f"/admin/performances/edit/?id={performance.id}"
    if new:
        address = "/admin/performances/new/"
    form = Editor(anna, address)
    filled_in = {"show_id": performance.show_id, "venue_id": performance.venue_id, "capacity": "9"}
    times = {"starts_at": "2029-07-01T21:00", "booking_closes_at": "2029-07-01T21:01"}
    page = form.save(**filled_in, **times).text
    assert "Booking cannot close after the curtain." in page
    late = "SELECT count(*) FROM performance WHERE booking_closes_at > starts_at OR capacity = 9"
    assert database.execute(late).fetchone() == (0,)
    assert "Saved." in form.save(booking_closes_at="2029-07-01T21:00").text


def test_nothing_is_chosen_beforehand(admin: FlaskClient, database: Database) -> None:
    performance = a_performance()
    form = Editor(admin, "/admin/performances/new/")
    assert (form.typed["show_id"], form.typed["venue_id"]) == ("", "")
    page = form.save(starts_at="2029-07-01T21:00", capacity="9", venue_id=performance.venue_id).text
    assert page.count("This field is required.") == 1
    assert database.execute("SELECT count(*) FROM performance").fetchone() == (1,)
    account = Editor(admin, "/admin/accounts/new/")
    assert account.typed["role"] == ""
    page = account.save(email="eva@theatre.org").text
    assert "This field is required." in page


def test_an_address_that_a_show_had_before_leads_to_it(
    anna: FlaskClient, client: FlaskClient, database: Database
) -> None:
    show = a_performance().show
    old = show.slug
    address = f"/admin/shows/edit/?id={show.id}"
    assert "Saved." in Editor(anna, address).save(slug="new-name").text
    answer = client.get(f"/shows/{old}?lang=it")
    assert (answer.status_code, answer.location) == (301, "/it/shows/new-name")
    assert client.get(answer.location).status_code == 200
    # Nobody else gets it, whoever writes, until it is given up.
    page = press(anna, "/admin/shows/new/", title="Other", slug=old).text
    assert "Another show used this address" in page
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.execute(
            "INSERT INTO show (slug, title, summary, description, published)"
            " VALUES (%s, 'x', '', '', true)",
            [old],
        )
    assert f"The old address {old} also leads here." in anna.get(address).text
    press(anna, f"/admin/shows/give-up-address/?slug={old}", id=show.id)
    assert client.get(f"/shows/{old}").status_code == 404
    assert "Saved." in press(anna, "/admin/shows/new/", title="Other", slug=old).text
    # Back and forth: an address never leads in a circle.
    Editor(anna, address).save(slug="third-name")
    Editor(anna, address).save(slug="new-name")
    assert client.get("/shows/new-name").status_code == 200
    assert client.get("/shows/third-name").location == "/it/shows/new-name"
    Editor(anna, address).save(published=None)
    assert client.get("/shows/third-name").status_code == 404


def test_who_unpublishes_a_show_reads_what_that_means(anna: FlaskClient) -> None:
    performance = a_performance(capacity=20)
    a_performance(show=performance.show, starts_at=performance.starts_at + timedelta(days=1))
    a_performance(show=performance.show, starts_at=performance.starts_at - timedelta(days=9))
    for _party in range(3):
        a_party(performance)
    let_in_walk_ins(performance.id, 2, uuid4(), DOOR_A)  # who have not booked
    address = f"/admin/shows/edit/?id={performance.show_id}"
    page = anna.get(address).text
    assert "2 upcoming performances." in page
    assert "3 parties have booked." in page
    page = Editor(anna, address).save(published=None).text
    assert "2 upcoming performances are no longer in the programme." in page
    assert "3 parties have booked: the bookings stay valid" in page
    assert "no longer in the programme" not in Editor(anna, address).save(published="y").text


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("venues", {"name": ("One", "Two"), "address": ("Via Roma 1", "")}),
        (
            "shows",
            {
                "title": ("One", "Two"),
                "slug": ("one", "two"),
                "summary": ("A sentence", ""),
                "description": ("Line.\n\nLine.", ""),
                "duration_minutes": ("90", ""),
                "published": ("y", None),
            },
        ),
        (
            "performances",
            {
                "show_id": ("1", "2"),
                "venue_id": ("1", "2"),
                "capacity": ("0", "50"),
                "party_limit": ("1", "6"),
                "starts_at": ("2027-03-12T20:30", "2027-03-12T21:00"),
                "booking_opens_at": ("2026-12-24T10:00", "2026-12-24T00:00"),
                "booking_closes_at": ("2027-03-12T20:15", "2027-03-12T19:00"),
            },
        ),
        ("accounts", {"name": ("Anna", ""), "role": ("door", "admin"), "active": ("y", None)}),
    ],
)
def test_every_field_is_saved_both_ways(
    in_app: Flask, table: str, values: dict[str, tuple[str | None, str | None]]
) -> None:
    admin = logged_in(in_app, "admin")
    create_account("other@theatre.org", "staff", PASSWORD, name="Other")
    for _ in range(2):
        a_performance(capacity=20)
    ids = {"venues": Venue, "shows": Show, "performances": Performance, "accounts": User}
    row_id = db.session.scalar(select(func.max(ids[table].id)))
    address = f"/admin/{table}/edit/?id={row_id}"
    for name, (one, other) in values.items():
        for value in (one, other, one, other):
            page = Editor(admin, address).save(**{name: value})
            assert "Saved." in page.text, (name, value)
            assert Editor(admin, address).typed.get(name) == value, (name, value)

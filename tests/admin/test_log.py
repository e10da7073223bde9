"""The log of changes in the back office: sentences, filters, search, and the history of each object."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from azionelab.bookings import erasure, performance_changes, rules
from azionelab.bookings.audience.models import Whom
from azionelab.bookings.audience.rules import Draft, pause, resume, save_draft, start, stop
from azionelab.bookings.door_notes import set_lateness, write_note
from azionelab.bookings.history import By
from azionelab.bookings.seats.holds import expire_lapsed_holds
from azionelab.bookings.seats.no_show_seats import release_no_shows
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import undo
from azionelab.database import db, now, transaction
from azionelab.staff.tokens import Scope, issue_token, revoke_token
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    change_capacity,
    let_lapse,
    ticket_token,
)
from tests.support.people import english, log_in, logged_in, press, token_of
from tests.support.reservations import entries, saving

Database = psycopg.Connection[Any]
LOG = "/admin/log/"


def sentences(page: str) -> list[str]:
    """What the page's list of changes says, the newest first."""
    shown = re.search(r'<ol class="log">(.*?)</ol>', page, re.S)
    if shown is None:
        return []
    lines = re.findall(r"<p[^>]*>(.*?)</p>", shown[1], re.S)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", "", line)).split()) for line in lines]


def find(client: FlaskClient, typed: str) -> list[str]:
    """What the log says about a name."""
    data = dict(token_of(client)) | {"search": typed}
    answer = client.post("/admin/log/find/", data=data)
    assert typed not in answer.location
    return sentences(client.get(answer.location).text)


def test_changes_are_told_in_sentences(staff: FlaskClient) -> None:
    performance = a_performance(capacity=10)
    party = a_party(performance, 4, name="Ada Rossi")
    for typed in ({"seats": "3"}, {"note": "wheelchair"}):
        sent = saving(party, **entries(party, **typed))
        press(staff, "/admin/reservations/change/", **sent)
    press(staff, "/admin/reservations/cancel/", **saving(party))
    told = sentences(staff.get(LOG).text)
    assert told[0] == "Staff cancelled the booking."
    assert told[1].startswith(f"Reservation: {party.reference}, Ada Rossi · from 127.0.0.1")
    assert told[2] == "Staff entered the note for the door: “wheelchair”."
    assert told[4] == "Staff changed the seats from 4 to 3."


def test_every_change_of_an_object_has_a_sentence(staff: FlaskClient, database: Database) -> None:
    """Of whatever kind: no entry is shown as JSON, and none is empty."""
    soon = now() + timedelta(minutes=20)
    performance = a_performance(capacity=10, starts_at=soon, booking_closes_at=soon)
    gone, late = a_party(performance, 2), a_party(performance, 3)
    let_lapse(a_party(performance, 1, confirmed=False))
    expire_lapsed_holds()
    rules.cancel(gone.id, by=By.STAFF)
    set_lateness(late.id, 10, by_staff=True)
    release_no_shows(performance.id, with_late=True)
    performance_changes.cancel_performance(performance.id)
    erasure.erase_on_request(gone.id)
    token, _secret = issue_token("Turnstile", Scope.SCAN, 12)
    revoke_token(token.id)
    with transaction() as session:
        session.execute(text("UPDATE show SET published = false, title = 'Other'"))
        session.execute(text("UPDATE performance SET reentry = true"))
    page = staff.get(LOG).text
    told = sentences(page)
    for expected in (
        "It was not confirmed in time: its seats came free.",
        "The system cancelled the booking.",
        "The system released 3 seats of people who had not come.",
        "The system cancelled the performance.",
        "The system cancelled the performance, and with it this booking.",
        "The system erased name and address, as the visitor had asked.",
        "The system took the show out of the programme.",
        "The system allowed people to leave and come back.",
    ):
        assert expected in told, expected
    assert any(line.startswith("The system entered the expected late arrival: ") for line in told)
    assert not re.search(r"[\[{]|None|null|\w_\w", " ".join(told))


@pytest.mark.parametrize("lang", ["en", "it"])
def test_a_visitor_is_not_taken_for_staff(staff: FlaskClient, app: Flask, lang: str) -> None:
    performance = a_performance()
    a_party(performance, 2)
    told = sentences(staff.get(f"{LOG}?lang={lang}&type=reservation").text)
    assert any("Staff" in line for line in told) is False


def test_the_log_is_searched_by_names_and_references(staff: FlaskClient) -> None:
    performance = a_performance()
    ada = a_party(performance, 2, name="Ada Rossi")
    a_party(performance, 2, name="Così Bianchi")
    change_capacity(performance.id, 20)
    assert any("Ada Rossi" in line for line in find(staff, "rossi"))
    assert not any("Così" in line for line in find(staff, "rossi"))
    assert any("Così Bianchi" in line for line in find(staff, "cosi"))
    assert any(ada.reference in line for line in find(staff, ada.reference))
    assert "The system changed the capacity from 10 to 20." in find(staff, performance.show.title)
    assert find(staff, "nobody of this name") == []


def test_a_deleted_object_is_found_by_the_name_it_had(staff: FlaskClient) -> None:
    press(staff, "/admin/venues/new/", name="Old Hall", address="")
    press(staff, "/admin/venues/delete/", "/admin/venues/edit/?id=1", id="1")
    assert find(staff, "old hall")[0] == "Staff deleted the venue."


def test_an_erased_name_is_not_found(staff: FlaskClient) -> None:
    party = a_party(a_performance(), 2, name="Ada Rossi")
    write_note(party.id, "sees badly", "")
    erasure.erase_on_request(party.id)
    assert find(staff, "Rossi") == []
    page = staff.get(LOG).text
    assert "Rossi" not in page
    assert "sees badly" not in page
    assert "The system changed the note for the door." in sentences(page)


def test_filters_by_object_actor_and_period(staff: FlaskClient, database: Database) -> None:
    change_capacity(a_performance(capacity=10).id, 20)
    press(staff, "/admin/venues/new/", name="Hall", address="")
    database.execute(
        "UPDATE audit_entry SET at = '2026-03-29T21:30:00Z' WHERE object_type = 'performance'"
    )

    def shown(**query: str) -> str:
        return " ".join(sentences(staff.get(LOG, query_string=query).text))

    assert "capacity" in shown(type="performance")
    assert "Hall" not in shown(type="performance")
    assert "Hall" in shown(who="staff")
    assert "capacity" not in shown(who="staff")
    assert "Hall" in shown(who="account-1")
    assert shown(who="account-99") == ""
    assert "capacity" in shown(who="system")
    # 23:30 in the theatre's time zone, on the night when the clocks go forward.
    assert "capacity" in shown(since="2026-03-29", until="2026-03-29")
    assert "capacity" not in shown(since="2026-03-30")
    assert "Hall" not in shown(until="2026-03-29")


@pytest.mark.parametrize("day", ["31.12.2026", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_a_wrong_day_is_said_at_its_field(staff: FlaskClient, day: str) -> None:
    page = staff.get(LOG, query_string={"since": day, "type": "venue"}).text
    assert "This is not a date." in page
    assert f'value="{day}"' in page
    assert '<option value="venue" selected>' in page


def test_older_entries_are_on_the_next_page(staff: FlaskClient) -> None:
    performance = a_performance(capacity=100)
    for capacity in range(101, 161):
        change_capacity(performance.id, capacity)
    page = staff.get(f"{LOG}?type=performance").text
    newest = sentences(page)
    assert newest[0] == "The system changed the capacity from 159 to 160."
    (older,) = re.findall(r'rel="next" href="([^"]*)"', page)
    assert "type=performance" in older
    rest = sentences(staff.get(html.unescape(older)).text)
    assert rest[0] == "The system changed the capacity from 109 to 110."
    assert not set(newest[::2]) & set(rest[::2])


@pytest.mark.usefixtures("in_app")
def test_accounts_and_tokens_are_for_those_who_manage_them(app: Flask) -> None:
    admin, manager = logged_in(app, "admin"), logged_in(app, "staff")
    issue_token("Secret phone", Scope.DOOR, 12)
    assert "Secret phone" in admin.get(LOG).text
    assert "gave the role: manager" in " ".join(sentences(admin.get(LOG).text))
    assert any("staff@theatre.org" in line for line in find(admin, "theatre.org")) is False
    assert any("Account: Staff" in line for line in find(admin, "theatre.org"))
    page = manager.get(LOG).text
    assert "Secret phone" not in page
    assert "the role" not in page
    assert find(manager, "phone") == []
    assert sentences(manager.get(f"{LOG}?type=user_account&object=1").text) == []


@pytest.mark.usefixtures("in_app")
@pytest.mark.parametrize("role", ["box_office", "read_only", "door"])
def test_the_log_is_not_for_everybody(app: Flask, role: str) -> None:
    client = logged_in(app, role)
    assert client.get(LOG).status_code == 403
    assert LOG not in client.get("/admin/", follow_redirects=True).text


def test_a_search_ends_with_the_login(staff: FlaskClient, app: Flask) -> None:
    a_party(a_performance(), 2, name="Ada Rossi")
    data = dict(token_of(staff)) | {"search": "Rossi"}
    found = staff.post("/admin/log/find/?type=reservation", data=data).location
    assert "type=reservation" in found
    other = english(app)
    log_in(other, "staff@theatre.org")
    assert "This search has expired" in other.get(found).text


def test_a_party_has_its_whole_history_on_its_page(staff: FlaskClient, app: Flask) -> None:
    party = a_party(a_performance(), 4, name="Ada Rossi")
    address = f"/admin/reservations/details/?id={party.id}"
    press(staff, "/admin/reservations/change/", **saving(party, **entries(party, seats="3")))
    scan = uuid4()
    admit(party.performance_id, ticket_token(party), scan, DOOR_A)
    undo(party.performance_id, scan, DOOR_A)
    press(staff, "/admin/reservations/resend/", id=str(party.id))
    page = staff.get(address).text
    shown = sentences_of_history(page)
    assert "The system booked 4 seats." in shown
    assert "The system confirmed the booking." in shown
    assert "Staff changed the seats from 4 to 3." in shown
    assert "Scan at Door A: admitted, 3 people." in shown
    assert "Anna undid the admission of 3 people." in shown
    assert "Staff had the mail sent again." in shown
    assert "Mail written: ticket (waiting)." in shown
    order = [
        shown.index(text)
        for text in ("Staff had the mail sent again.", "Anna undid the admission of 3 people.")
    ]
    order += [
        shown.index("Staff changed the seats from 4 to 3."),
        shown.index("The system booked 4 seats."),
    ]
    assert order == sorted(order)


def sentences_of_history(page: str) -> list[str]:
    """A reservation's history, the newest first."""
    return sentences(page)


def test_a_booking_from_before_the_log_has_what_its_row_knows(
    staff: FlaskClient, database: Database
) -> None:
    party = a_party(a_performance(), 4)
    rules.reduce_seats(party.id, 3)
    rules.cancel(party.id)
    database.execute("DELETE FROM audit_entry")
    shown = sentences(staff.get(f"/admin/reservations/details/?id={party.id}").text)
    assert [line for line in shown if not line.startswith("Mail")] == [
        "The visitor cancelled the booking.",
        "The seats were changed from 4 to 3.",
        "The booking was confirmed.",
        "The visitor booked 4 seats.",
    ]


def test_performances_shows_and_venues_have_their_history(staff: FlaskClient) -> None:
    performance = a_performance(capacity=10)
    change_capacity(performance.id, 20)
    page = staff.get(f"/admin/performances/edit/?id={performance.id}").text
    assert "The system changed the capacity from 10 to 20." in sentences(page)
    for table, identity in (("show", performance.show_id), ("venue", performance.venue_id)):
        page = staff.get(f"/admin/{table}s/edit/?id={identity}").text
        assert sentences(page) == [f"The system added the {table}."]


def test_accounts_have_their_history(admin: FlaskClient) -> None:
    assert "gave the role: admin" in " ".join(
        sentences(admin.get("/admin/accounts/edit/?id=1").text)
    )


def test_a_page_of_the_log_asks_few_questions(staff: FlaskClient, app: Flask) -> None:
    performance = a_performance()
    for number in range(10):
        press(staff, "/admin/reservations/cancel/", **saving(a_party(performance, 1)))
        change_capacity(performance.id, 20 + number)
    asked: list[str] = []

    def note(*facts: Any) -> None:
        asked.append(facts[2])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert staff.get(LOG).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len(asked) <= 12, asked


def test_holidays_and_webhooks_are_told(admin: FlaskClient, database: Database) -> None:
    database.execute(
        "INSERT INTO holiday (name, first_day, last_day) VALUES ('Natale', now(), now())"
    )
    database.execute("UPDATE holiday SET name = 'Christmas'")
    database.execute(
        "INSERT INTO webhook (url, events, key, created_at)"
        " VALUES ('https://example.org/secret', '{x}', gen_random_uuid(), now())"
    )
    database.execute("UPDATE webhook SET active = false")
    page = admin.get(LOG).text
    told = sentences(page)
    assert "The system added the holiday." not in told  # typed into another program
    assert "Somebody without an account changed the name from “Natale” to “Christmas”." in told
    assert "Somebody without an account switched the webhook off." in told
    assert database.execute("SELECT changes FROM audit_entry WHERE changes ? 'url'").fetchall() == [
        ({"url": [None, None], "active": [None, True], "events": [None, ["x"]]},)
    ]


def test_messages_to_an_audience_are_told(staff: FlaskClient, database: Database) -> None:
    evening = a_performance()
    a_party(evening, email="ada@example.org")
    identity = uuid4()
    texts = {"en": {"subject": "Fog tonight", "body": "Dear Ada Rossi"}}
    draft = Draft(texts, Whom.CONFIRMED, [evening.id])
    save_draft(identity, draft, seen_version=0, by=None)
    save_draft(identity, replace(draft, whom=Whom.BOOKED), seen_version=1, by=None)
    start(identity, seen_version=2)
    for change in (pause, resume, stop):
        change(identity)
    told = sentences(staff.get(LOG).text)
    for expected in (
        "The system wrote the message.",
        "The system chose another audience for the message.",
        "The system sent the message to 1 mailbox.",
        "The system paused the sending.",
        "The system went on with the sending.",
        "The system stopped the sending.",
    ):
        assert expected in told, expected
        assert expected in staff.get(f"/admin/messages/details/?id={identity}").text
    assert any(line.startswith("Message: Fog tonight") for line in told)
    assert "Fog tonight" in staff.get(f"{LOG}?type=audience_message").text
    kept = database.execute(
        "SELECT string_agg(changes::text, '') FROM audit_entry WHERE label = ''"
    ).fetchone()
    assert "Ada Rossi" not in str(kept)

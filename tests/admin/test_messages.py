"""Messages to audiences in the back office: writing, refusals, preview, buttons, progress."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from azionelab.bookings.audience import rules as messages
from azionelab.bookings.audience.models import Whom
from azionelab.ops.processes.worker import run_worker
from tests.bookings.test_pages import fields
from tests.factories import a_party, a_performance, visitor_token
from tests.support.people import logged_in, press
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")

Database = psycopg.Connection[Any]
NEW = "/admin/messages/new/"


def write(client: FlaskClient, address: str = NEW, **typed: Any) -> TestResponse:
    """Fill in and send the form of a message."""
    form = fields(client.get(address).text)
    hidden = {name: form[name] for name in ("csrf_token", "id", "version")}
    return client.post(address, data=hidden | {"whom": "confirmed"} | typed, follow_redirects=True)


def a_draft(client: FlaskClient, performance_id: int, **typed: Any) -> str:
    """Save a draft; its identity."""
    typed = {"subject_en": "About {show}", "body_en": "Dear {name}\n\n{booking_page}"} | typed
    page = write(client, performance=performance_id, **typed)
    assert page.status_code == 200, page.text
    return fields(page.text)["id"]


def act(client: FlaskClient, what: str, identity: str, **more: Any) -> str:
    details = f"/admin/messages/details/?id={identity}"
    page = press(client, f"/admin/messages/{what}/", details, id=identity, **more)
    assert page.status_code == 200
    return page.text


def test_a_message_is_written_previewed_and_sent(
    staff: FlaskClient,
    make_app: Callable[..., Flask],
    smtp_server: SmtpServer,
    database: Database,
) -> None:
    performance = a_performance()
    parties = [
        a_party(performance, 1, name=name, email=f"{name}@example.org") for name in ("Ada", "Bea")
    ]
    assert "No message has been written yet" in staff.get("/admin/messages/").text
    identity = a_draft(staff, performance.id)
    page = staff.get(f"/admin/messages/details/?id={identity}").text
    assert "2 people would be written to." in page
    assert "As Ada would get it" in page
    assert "Dear Ada" in page
    other = staff.get(f"/admin/messages/details/?id={identity}&to=1").text
    assert "Dear Bea" in other
    for party in parties:
        assert visitor_token(party) not in page + other
    asked = staff.get(f"/admin/messages/send/?id={identity}").text
    assert "Send to 2 people" in asked
    started = act(staff, "start", identity, version="1")
    assert "starts in a moment" in started
    assert "Take it back" in started
    database.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'mail.send'")
    database.execute("UPDATE audience_message SET starts_at = now()")
    database.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")
    app = make_app(MAIL_PORT=str(smtp_server.port))
    run_worker(app, once=True)
    run_worker(app, once=True)
    done = staff.get(f"/admin/messages/details/?id={identity}").text
    assert "2 of 2 sent." in done
    assert "Take it back" not in done
    assert sorted(each.recipients[0] for each in smtp_server.messages) == [
        "Ada@example.org", "Bea@example.org",
    ]  # fmt: skip
    listed = staff.get("/admin/messages/").text
    assert "About {show}" in listed
    assert "message to the audience" in staff.get("/admin/mails/").text


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"subject_en": "About {shw}"}, "There is no field {shw}. You can use: {name}, {show}"),
        ({"body_en": "{nome} {cognome}"}, "There are no fields {nome}, {cognome}"),
        ({"body_en": "Dear {name"}, "A curly bracket has no partner"),
        ({"subject_en": ""}, "both the subject and the text"),
        ({"body_en": ""}, "both the subject and the text"),
        ({"subject_en": "", "body_en": ""}, "a text in at least one language"),
        ({"performance": []}, "Please choose at least one performance"),
        ({"performance": "999999"}, "999999"),
        ({"whom": "everybody"}, "Not a valid choice"),
        ({"subject_en": "x" * 151}, "150"),
        ({"body_it": "Solo italiano"}, "both the subject and the text"),
    ],
)
def test_what_cannot_be_sent_is_told_at_its_field_and_nothing_is_lost(
    staff: FlaskClient, database: Database, typed: dict[str, str], told: str
) -> None:
    performance = a_performance()
    sent = {"subject_en": "About", "body_en": "Come!", "performance": performance.id} | typed
    page = write(staff, **sent)
    assert told in page.text
    assert "Nothing was saved" in page.text
    for text in ("subject_en", "body_en"):
        assert str(sent[text]) in page.text
    assert database.execute("SELECT count(*) FROM audience_message").fetchone() == (0,)


def test_a_whole_run_is_chosen_at_once(staff: FlaskClient, database: Database) -> None:
    first = a_performance()
    again = a_performance(
        show=first.show, venue=first.venue, starts_at=first.starts_at.replace(year=2027)
    )
    cancelled = a_performance(
        show=first.show, venue=first.venue, starts_at=first.starts_at.replace(year=2028)
    )
    a_performance()
    database.execute("UPDATE performance SET cancelled_at = now() WHERE id = %s", [cancelled.id])
    page = write(
        staff, run=f"{first.show_id}-coming", subject_en="All", body_en="All"
    )  # fmt: skip
    assert page.status_code == 200
    assert database.execute("SELECT performance_ids FROM audience_message").fetchone() == (
        [first.id, again.id],
    )


def test_an_address_chooses_the_audience_that_the_form_begins_with(staff: FlaskClient) -> None:
    performance = a_performance()
    link = f"{NEW}?performance={performance.id}"
    assert link in staff.get(f"/admin/evenings/{performance.id}").text
    page = staff.get(f"{link}&whom=unconfirmed").text
    assert re.search(rf'value="{performance.id}" id="performance-{performance.id}" checked', page)
    assert re.search(r'<input[^>]*checked[^>]*value="unconfirmed"', page)
    for odd in ("?performance=x&whom=nobody", "?performance=99999999999", "?show=x&when=y"):
        assert staff.get(f"{NEW}{odd}").status_code == 200


def test_the_second_of_two_writers_is_told(app: Flask, staff: FlaskClient) -> None:
    performance = a_performance()
    a_party(performance)
    identity = a_draft(staff, performance.id)
    edit = f"/admin/messages/edit/?id={identity}"
    mine = {"performance": performance.id, "subject_en": "Mine", "body_en": "Mine too"}
    form = fields(staff.get(edit).text)
    hidden = {name: form[name] for name in ("csrf_token", "id", "version")} | {"whom": "confirmed"}
    other = logged_in(app, "admin")
    write(other, edit, performance=performance.id, subject_en="Theirs", body_en="Their text")
    refused = staff.post(edit, data=hidden | mine)
    assert refused.status_code == 409
    assert "Their text" in refused.text
    assert "Mine too" in refused.text
    version = fields(refused.text)["version"]
    saved = staff.post(edit, data=hidden | mine | {"version": version}, follow_redirects=True)
    assert "Mine too" in saved.text
    # Whoever looked at the draft before sends no text that they did not see.
    assert "Somebody else has changed this draft" in act(staff, "start", identity, version="1")


def test_buttons_pause_go_on_stop_and_take_back(staff: FlaskClient) -> None:
    performance = a_performance()
    a_party(performance)
    identity = a_draft(staff, performance.id)
    act(staff, "start", identity, version="1")
    assert "It is a draft again" in act(staff, "take-back", identity)
    act(staff, "start", identity, version="1")
    paused = act(staff, "pause", identity)
    assert "Go on" in paused
    assert "The sending goes on" in act(staff, "resume", identity)
    stopped = act(staff, "stop", identity)
    assert "Nobody else is written to" in stopped
    assert "Go on" not in stopped
    assert "Only a draft can be deleted" in act(staff, "delete", identity)
    copied = act(staff, "copy", identity, copy=str(uuid4()))
    assert "This is a new draft" in copied
    assert "About {show}" in copied
    assert "Message not found" in act(staff, "pause", "nonsense")
    assert "Message not found" in act(staff, "pause", str(uuid4()))


def test_a_test_goes_to_whoever_writes_without_the_visitors_link(
    staff: FlaskClient,
    make_app: Callable[..., Flask],
    smtp_server: SmtpServer,
    database: Database,
) -> None:
    performance = a_performance()
    party = a_party(performance, name="Ada Rossi")
    identity = a_draft(staff, performance.id)
    database.execute("DELETE FROM procrastinate_jobs")
    assert "A test is on its way to staff@theatre.org" in act(staff, "test", identity, to="0")
    run_worker(make_app(MAIL_PORT=str(smtp_server.port)), once=True)
    (arrived,) = smtp_server.messages
    assert arrived.recipients == ["staff@theatre.org"]
    assert "Dear Ada Rossi" in arrived.text()
    assert visitor_token(party) not in arrived.message.as_string()
    assert database.execute("SELECT count(*) FROM mail WHERE kind = 'message'").fetchone() == (0,)


def test_without_an_audience_there_is_nothing_to_send(staff: FlaskClient) -> None:
    performance = a_performance()
    identity = a_draft(staff, performance.id)
    page = staff.get(f"/admin/messages/details/?id={identity}").text
    assert "Nobody would be written to" in page
    assert "Send …" not in page
    assert "nothing was sent" in act(staff, "start", identity, version="1")
    assert "no test either" in act(staff, "test", identity)
    assert "Deleted" in act(staff, "delete", identity)


@pytest.mark.parametrize("role", ["box_office", "read_only"])
def test_others_write_to_no_audience(app: Flask, role: str) -> None:
    client = logged_in(app, role)
    assert client.get("/admin/messages/").status_code == 403
    assert "/admin/messages/" not in client.get("/admin/").text


def test_a_copy_is_made_once_however_often_it_is_pressed(
    staff: FlaskClient, database: Database
) -> None:
    performance = a_performance()
    draft = messages.Draft({"en": {"subject": "A", "body": "B"}}, Whom.CAME, [performance.id])
    message = messages.save_draft(uuid4(), draft, seen_version=0, by=None)
    copy = str(uuid4())
    for _ in range(2):
        act(staff, "copy", str(message.id), copy=copy)
    assert database.execute("SELECT count(*) FROM audience_message").fetchone() == (2,)

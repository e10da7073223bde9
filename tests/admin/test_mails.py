"""The outbox as staff see it."""

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings.box_office.book_for import Guest, Terms, book_for
from azionelab.bookings.mails.messages import read_draft
from azionelab.mail.delivery import deliver
from tests.bookings.test_pages import fields
from tests.factories import a_party, a_performance, fresh, visitor_token
from tests.support.people import english, logged_in, press, token_of

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]


def newest_mail(database: Database) -> str:
    """The address of the newest mail's page."""
    query = "SELECT id FROM mail ORDER BY created_at DESC LIMIT 1"
    row = database.execute(query).fetchone()
    assert row is not None
    return f"/admin/mails/details/?id={row.id}"


def test_what_failed_is_seen_at_once_and_sent_again(staff: FlaskClient, database: Database) -> None:
    a_party(a_performance(), email="ada@example.org", confirmed=False)
    assert "could not be delivered" not in staff.get("/admin/").text
    database.execute("UPDATE mail SET delivery = 'failed', last_error = 'Refused 550'")
    database.execute("DELETE FROM procrastinate_jobs")
    assert "1 mail could not be delivered" in staff.get("/admin/").text
    failed = staff.get("/admin/mails/?flt0_0=failed").text
    assert "ada@<wbr>example.<wbr>org" in failed
    assert "Refused 550" in failed
    assert "ada@<wbr>example.<wbr>org" not in staff.get("/admin/mails/?flt0_0=sent").text
    address = newest_mail(database)
    page = press(staff, "/admin/mails/resend/", id=address.rpartition("=")[2])
    assert "sent again" in page.text
    assert database.execute("SELECT delivery, last_error FROM mail").fetchone() == ("queued", "")
    assert database.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (1,)


def test_a_worker_that_sleeps_is_noticed(staff: FlaskClient, database: Database) -> None:
    a_party(a_performance(), confirmed=False)
    database.execute("UPDATE mail SET created_at = created_at - interval '1 hour'")
    assert "is the worker running?" in staff.get("/admin/").text


def test_where_a_mail_server_is_set_as_production_must_staff_never_see_a_visitors_link(
    staff: FlaskClient, database: Database
) -> None:
    party = a_party(a_performance())
    page = staff.get(newest_mail(database)).text
    assert party.reference in page
    assert visitor_token(party) not in page
    assert "/bookings/•••••" in page
    assert "It has not been sent. This is what it would say now." in page
    assert "as it would be written now" not in page


def test_in_development_the_link_can_be_followed_from_the_admin(
    make_app: Callable[..., Flask], database: Database
) -> None:
    app = make_app(MAIL_SERVER="")
    staff = logged_in(app, "staff")
    party = a_party(a_performance(), confirmed=False)
    page = staff.get(newest_mail(database)).text
    link = re.search(r'href="http://127.0.0.1:\d+(/[a-z]+/bookings/confirm/[^"]+)"', page)
    assert link
    visitor = english(app)
    form = fields(visitor.get(link[1]).text)
    assert visitor.post(link[1], data=form | {"coming": "y"}).status_code == 303
    ticket = staff.get(newest_mail(database)).text
    assert "would be written now" in ticket
    assert "data:image/png;base64," in ticket
    assert party.reference in ticket


def test_an_erased_visitor_is_not_written_to(staff: FlaskClient, database: Database) -> None:
    a_party(a_performance())
    database.execute(
        "UPDATE reservation SET name = '', email = '', email_key = NULL, erased_at = now()"
    )
    page = staff.get(newest_mail(database)).text
    assert "/admin/mails/resend/" not in page


def test_without_a_mail_server_no_mail_is_told_as_sent(
    make_app: Callable[..., Flask], database: Database
) -> None:
    app = make_app(MAIL_SERVER="")
    a_party(a_performance(), confirmed=False)
    with app.app_context():
        (mail_id,) = database.execute("SELECT id FROM mail").fetchone() or ()
        deliver(mail_id, read_draft, sending="1", last_try=False)
    page = logged_in(app, "staff").get(newest_mail(database)).text
    assert "not sent: no mail server is set" in page


def test_an_address_is_corrected_and_the_mail_sent_again_in_one_step(
    staff: FlaskClient, database: Database
) -> None:
    performance = a_performance()
    a_party(performance, email="bea@example.org", confirmed=False)
    party = a_party(performance, email="ada@exmaple.org", confirmed=False)
    old = visitor_token(party)
    page = newest_mail(database)
    identity = page.rpartition("=")[2]
    assert "Correct it and send again" not in staff.get(page).text
    database.execute("UPDATE mail SET delivery = 'failed', last_error = 'Refused 550'")
    database.execute("DELETE FROM procrastinate_jobs")
    assert f"details/?id={identity}#correct" in staff.get("/admin/mails/").text.replace(
        "&amp;", "&"
    )
    shown = staff.get(page).text
    assert 'value="ada@exmaple.org"' in shown
    form = {name: fields(shown)[name] for name in ("csrf_token", "seen")} | {"id": identity}
    correct = "/admin/mails/correct/"
    for wrong, told in (
        ("ada@", "not a valid e-mail address"),
        ("", "not a valid e-mail address"),
        ("bea@example.org", "already has a booking for this performance"),
    ):
        refused = staff.post(correct, data=form | {"email": wrong})
        assert refused.status_code == 422
        assert told in refused.text
        assert f'value="{wrong}"' in refused.text
    assert database.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)
    right = form | {"email": "ada@example.org"}
    done = staff.post(correct, data=right, follow_redirects=True)
    assert "Corrected. The mail is sent to ada@example.org." in done.text
    assert "already" in staff.post(correct, data=right, follow_redirects=True).text
    mails = database.execute("SELECT delivery, count(*) FROM mail GROUP BY delivery ORDER BY 1")
    assert mails.fetchall() == [("failed", 1), ("queued", 1)]
    assert database.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (1,)
    corrected = fresh(party.id)
    assert corrected.email == "ada@example.org"
    assert visitor_token(corrected) != old
    history = staff.get(f"/admin/reservations/details/?id={party.id}").text
    assert "changed the e-mail address from “ada@exmaple.org” to “ada@example.org”" in history
    assert "Undo" in history
    database.execute("UPDATE mail SET delivery = 'failed'")
    stale = staff.post(correct, data=form | {"email": "eva@example.org"})
    assert stale.status_code == 409
    assert "Somebody else has changed this reservation" in stale.text


def test_staff_may_cancel_and_move_without_mails(staff: FlaskClient, database: Database) -> None:
    cancelled, moved = a_performance(), a_performance()
    for performance in (cancelled, moved):
        a_party(performance)
        book_for(performance.id, Guest("Bea", "", "it"), 2, Terms())
    before = database.execute("SELECT count(*) FROM mail").fetchone()
    ask = f"/admin/performances/cancel/?id={cancelled.id}"
    assert "1 party gets this mail" in staff.get(ask).text  # the other one has no address
    page = press(staff, ask, ask, quiet="y").text
    assert "Cancelled. Nobody was written to." in page
    evenings = f"/admin/season/evenings?show={moved.show_id}"
    form = token_of(staff, evenings) | {"evening": str(moved.id), "days": "1", "quiet": "y"}
    preview = staff.post(evenings, data=form | {"preview": "change"}).text
    assert "1 party gets this mail" in preview
    assert re.search(r'name="quiet" value="y" checked', preview)
    seen = fields(preview)["seen"]
    saved = staff.post(
        evenings, data=form | {"save": "change", "seen": seen}, follow_redirects=True
    ).text
    assert "1 evening changed. Nobody was written to." in saved
    assert database.execute("SELECT count(*) FROM mail").fetchone() == before
    states = database.execute(
        "SELECT DISTINCT state FROM reservation WHERE performance_id = %s", [cancelled.id]
    )
    assert states.fetchall() == [("cancelled",)]

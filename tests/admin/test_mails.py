"""The outbox as staff see it."""

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings.mails.messages import read_draft
from azionelab.mail.delivery import deliver
from tests.bookings.test_pages import fields
from tests.factories import a_party, a_performance, visitor_token
from tests.support.people import english, logged_in, press

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
    link = re.search(r'href="http://127.0.0.1:\d+(/bookings/confirm/[^"]+)"', page)
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

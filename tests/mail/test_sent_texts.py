"""What a mail said is kept when it is sent, without what is private, and shown to staff."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask

from azionelab.bookings import erasure
from azionelab.bookings.mails.messages import preview
from azionelab.bookings.mails.resending import resend
from azionelab.bookings.models import Reservation
from azionelab.database import db
from azionelab.mail.models import Mail
from azionelab.ops.processes.worker import run_worker
from tests.factories import a_party, a_performance, visitor_token
from tests.support.people import logged_in
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")

Database = psycopg.Connection[Any]
Work = Callable[[], None]


@pytest.fixture
def work(make_app: Callable[..., Flask], smtp_server: SmtpServer) -> Work:
    """Do what is due, as `flask worker --once` does, and return."""
    app = make_app(MAIL_PORT=str(smtp_server.port))
    return lambda: run_worker(app, once=True)


def newest(party: Reservation) -> Mail:
    db.session.rollback()
    db.session.expire_all()
    mails = db.session.query(Mail).filter_by(reservation_id=party.id).order_by(Mail.created_at)
    return mails.all()[-1]


def test_what_was_sent_stays_what_it_was(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    party = a_party(a_performance(), name="Ada Rossi", email="ada@example.org", locale="en")
    work()
    ticket = newest(party)
    (arrived,) = [each for each in smtp_server.messages if "ticket" in each.message["Subject"]]
    before, was_sent = preview(ticket)
    assert was_sent
    assert before
    token = visitor_token(party)
    lines = arrived.text().replace("\r\n", "\n").replace(token, "•••••")
    assert before.text.strip() == lines.strip()
    assert before.subject == arrived.message["Subject"]
    database.execute("UPDATE show SET title = 'Another title'")
    assert preview(newest(party)) == (before, True)
    # Sent again, it says what is true then.
    resend(ticket.id)
    now_queued, was_sent = preview(newest(party))
    assert not was_sent
    assert now_queued
    assert "Another title" in now_queued.text
    work()
    after, was_sent = preview(newest(party))
    assert was_sent
    assert after
    assert "Another title" in after.subject


def test_neither_name_nor_token_is_kept(work: Work, database: Database) -> None:
    party = a_party(a_performance(), name="Zzyzx Rossi")
    work()
    kept = str(database.execute("SELECT subject, text FROM mail_text").fetchall())
    assert len(kept) > 500
    for private in ("Zzyzx", visitor_token(party), party.email):
        assert private not in kept


def test_the_text_goes_with_the_name(work: Work, database: Database) -> None:
    party = a_party(a_performance())
    other = a_party(a_performance())
    work()
    count = (
        "SELECT count(*) FROM mail_text JOIN mail ON mail.id = mail_id WHERE reservation_id = %s"
    )
    assert database.execute(count, [party.id]).fetchone() != (0,)
    erasure.erase_on_request(party.id)
    assert database.execute(count, [party.id]).fetchone() == (0,)
    assert database.execute(count, [other.id]).fetchone() != (0,)
    assert preview(newest(party)) == (None, False)


def test_staff_read_it_without_the_link(app: Flask, work: Work, database: Database) -> None:
    party = a_party(a_performance(), name="Ada Rossi", locale="en")
    staff = logged_in(app, "staff")
    work()
    page = staff.get(f"/admin/mails/details/?id={newest(party).id}").text
    assert "What the mail said when it was sent." in page
    assert "Dear \u2068Ada Rossi\u2069," in page
    assert "/bookings/•••••" in page
    assert visitor_token(party) not in page
    assert "Correct the address" not in page
    assert "It has not been sent." not in page
    database.execute("UPDATE mail SET delivery = 'failed', last_error = 'Refused 550'")
    page = staff.get(f"/admin/mails/details/?id={newest(party).id}").text
    assert "Correct the address" in page
    assert "It has not been sent." in page

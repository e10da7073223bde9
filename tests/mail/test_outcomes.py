"""What becomes of a mail by what its server answers: one try each, without a worker."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask

from azionelab.app import create_app
from azionelab.bookings import erasure
from azionelab.bookings.mails.messages import read_draft
from azionelab.bookings.models import Reservation
from azionelab.database import db, transaction
from azionelab.mail import delivery
from azionelab.mail.delivery import NotYetDelivered, deliver, find_orphans
from azionelab.mail.models import Delivery, Mail
from azionelab.mail.refusals import IN_A_ROW
from azionelab.settings.loading import load_config
from tests.factories import a_party, a_performance, visitor_token
from tests.support.processes import free_port
from tests.support.smtp import SmtpServer

Database = psycopg.Connection[Any]

A_MOMENT = timedelta(microseconds=1)
DONE = [Delivery.SENT, Delivery.NOT_SENT, Delivery.FAILED]


@pytest.fixture(scope="module")
def mailing(app: Flask, settings: dict[str, str]) -> Iterator[Flask]:
    """An application whose mail goes to a port of this module's own."""
    made = create_app(load_config(settings | {"MAIL_PORT": str(free_port())}))
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture(autouse=True)
def smtp_server(mailing: Flask) -> Iterator[SmtpServer]:
    """A mail server for one test, at that port, and the test inside the application."""
    server = SmtpServer()
    server.port = mailing.config["AZIONELAB"].mail_port
    server.start()
    with mailing.app_context():
        yield server
    server.stop()


def held(email: str = "ada@example.org") -> Reservation:
    """A booking that is still to be confirmed: it has one mail."""
    return a_party(a_performance(), confirmed=False, email=email)


def mails(database: Database) -> list[Any]:
    return database.execute("SELECT * FROM mail ORDER BY id").fetchall()


def tried(database: Database, *, last_try: bool = False) -> tuple[Any, bool]:
    """The only mail's row after a try, and whether it wants another."""
    (mail,) = mails(database)
    wants_another = False
    try:
        deliver(mail.id, read_draft, sending="7", last_try=last_try)
    except NotYetDelivered:
        wants_another = True
    (mail,) = mails(database)
    return mail, wants_another


def test_of_several_mails_the_one_that_was_asked_for_is_sent(
    smtp_server: SmtpServer, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(3):
        held()
    before, mail, after = mails(database)
    deliver(mail.id, read_draft, sending="7", last_try=False)
    first, sent, last = mails(database)
    assert (first, last) == (before, after)
    assert (sent.delivery, sent.attempts, sent.last_error) == (Delivery.SENT, 1, "")
    assert sent.sent_at is not None
    (arrived,) = smtp_server.messages
    assert arrived.message["Message-ID"] == f"<{mail.id}.7@127.0.0.1>"
    told = ("azionelab.mail.delivery", logging.INFO, f"mail {mail.id} (confirm) is sent")
    assert told in caplog.record_tuples


@pytest.mark.parametrize("state", DONE)
def test_what_is_done_is_left_alone(
    smtp_server: SmtpServer, database: Database, state: Delivery
) -> None:
    held()
    database.execute("UPDATE mail SET delivery = %s", [state])
    (before,) = mails(database)
    assert tried(database) == (before, False)
    assert smtp_server.attempts == 0


REPLIES = [
    ("451 later", "", None),
    ("499 later", "", None),
    ("500 what?", "provider", None),
    ("550 5.7.26 policy", "provider", None),
    ("600 what?", "", None),
    ("550 5.1.1 gone", "recipient", Delivery.FAILED),
    ("599 no", "unclear", Delivery.FAILED),
]


@pytest.mark.parametrize("last_try", [False, True])
@pytest.mark.parametrize("answer", REPLIES)
def test_what_is_not_final_is_tried_until_the_last_time(
    smtp_server: SmtpServer,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    answer: tuple[str, str, Delivery | None],
    last_try: bool,
) -> None:
    reply, refusal, final = answer
    caplog.set_level(logging.INFO)
    reservation = held()
    smtp_server.refuse(reply)
    mail, wants_another = tried(database, last_try=last_try)
    becomes = final or (Delivery.FAILED if last_try else Delivery.QUEUED)
    assert (mail.delivery, mail.refusal, mail.attempts) == (becomes, refusal, 1)
    assert wants_another is (becomes == Delivery.QUEUED)
    code, _, said = reply.partition(" ")
    reason = f"SMTPDataError {code}" + (f" {said.split()[0]}" if "." in said else "")
    assert mail.last_error == reason
    told = f"mail {mail.id} (confirm) is {becomes}: {reason}"
    assert ("azionelab.mail.delivery", logging.WARNING, told) in caplog.record_tuples
    # In development a browser can go on without the mail.
    assert f"/bookings/confirm/{visitor_token(reservation)}" in caplog.text


def test_a_refused_sender_is_no_fault_of_the_recipients(
    smtp_server: SmtpServer, database: Database
) -> None:
    held()
    smtp_server.refuse_senders = "550 5.1.1 who are you?"
    mail, wants_another = tried(database)
    assert (mail.refusal, wants_another) == ("provider", True)
    assert mail.last_error == "SMTPSenderRefused 550 5.1.1"


def test_an_endless_reply_is_the_providers_fault(
    smtp_server: SmtpServer, database: Database
) -> None:
    held()
    smtp_server.refuse(f"550 5.1.1 {'x' * 9_000}")
    mail, wants_another = tried(database)
    assert (mail.refusal, wants_another) == ("provider", True)
    assert mail.last_error == "SMTPResponseException 500"


def test_an_address_that_cannot_be_spelled_is_given_up(
    smtp_server: SmtpServer, database: Database
) -> None:
    held()
    database.execute("UPDATE reservation SET email = 'ädà@example.org'")
    mail, _ = tried(database)
    assert (mail.delivery, mail.refusal) == (Delivery.FAILED, "recipient")
    assert mail.last_error == "EmailSyntaxError: the address cannot be written to"
    assert smtp_server.attempts == 0


@pytest.mark.parametrize("farewell", ["221 bye", f"221 {'x' * 9_000}"])
def test_the_farewell_is_said_and_changes_nothing(
    smtp_server: SmtpServer, database: Database, farewell: str
) -> None:
    held()
    smtp_server.farewell = farewell
    mail, _ = tried(database)
    assert mail.delivery == Delivery.SENT
    assert smtp_server.farewells == 1


@pytest.mark.parametrize(
    ("site", "name"),
    [
        ("http://127.0.0.1:8000", "[127.0.0.1]"),
        ("http://tickets.localhost:8000", "tickets.localhost"),
    ],
)
def test_the_server_is_greeted_by_the_sites_name(
    make_app: Callable[..., Flask],
    smtp_server: SmtpServer,
    database: Database,
    site: str,
    name: str,
) -> None:
    held()
    with make_app(MAIL_PORT=str(smtp_server.port), SITE_BASE_URL=site).app_context():
        tried(database)
    assert smtp_server.greetings == [name]


def test_a_fault_of_ours_is_kept_with_the_mail(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    held()
    database.execute("UPDATE reservation SET locale = 'no locale'")
    mail, wants_another = tried(database)
    assert (mail.delivery, mail.last_error, mail.refusal) == (Delivery.QUEUED, "ValueError", "")
    assert wants_another
    assert f"mail {mail.id} (confirm) could not be made" in caplog.text


def test_who_is_nobody_or_was_erased_on_request_is_not_written_to(
    smtp_server: SmtpServer, database: Database
) -> None:
    reservation = held("ada@nobody.Example")
    mail, _ = tried(database)
    assert (mail.delivery, mail.sent_at, mail.last_error) == (Delivery.NOT_SENT, None, "")
    database.execute("UPDATE mail SET delivery = 'queued'")
    erasure.erase_on_request(reservation.id)
    for mail in mails(database):
        deliver(mail.id, read_draft, sending="7", last_try=False)
    assert {mail.delivery for mail in mails(database)} == {Delivery.NOT_SENT}
    assert smtp_server.attempts == 0


def test_an_address_that_is_erased_in_time_gives_the_mail_up(
    smtp_server: SmtpServer, database: Database
) -> None:
    held()
    database.execute(
        "UPDATE reservation SET name = '', email = '', email_key = NULL, erased_at = now()"
    )
    mail, _ = tried(database)
    assert mail.delivery == Delivery.FAILED
    assert mail.last_error == "the address was erased before the mail could be sent"
    assert smtp_server.attempts == 0


def test_a_mail_is_made_of_what_is_true_now(smtp_server: SmtpServer, database: Database) -> None:
    held()
    with transaction() as session:
        (mail,) = session.query(Mail).all()
        assert mail.reservation.name == "Ada Rossi"
        database.execute("UPDATE reservation SET email = 'zoe@example.org'")
    assert db.session.get(Mail, mail.id) is mail
    tried(database)
    assert smtp_server.messages[0].recipients == ["zoe@example.org"]


def test_without_a_server_in_development_the_address_to_confirm_is_logged(
    make_app: Callable[..., Flask],
    smtp_server: SmtpServer,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    reservation = held("ada@nobody.example")
    with make_app(MAIL_SERVER="").app_context():
        mail, _ = tried(database)
    assert (mail.delivery, mail.sent_at) == (Delivery.NOT_SENT, None)
    assert f"/bookings/confirm/{visitor_token(reservation)}" in caplog.text
    assert smtp_server.attempts == 0


@pytest.mark.parametrize("last_try", [False, True])
def test_who_is_refused_with_everybody_waits_again_unless_it_was_the_last_time(
    smtp_server: SmtpServer, database: Database, last_try: bool
) -> None:
    for number in range(IN_A_ROW):
        held(f"guest{number}@example.org")
    database.execute("DELETE FROM procrastinate_jobs")
    smtp_server.refuse("550 no")
    *others, last = mails(database)
    for mail in others:
        deliver(mail.id, read_draft, sending="7", last_try=False)
    assert {mail.delivery for mail in mails(database)} == {Delivery.FAILED, Delivery.QUEUED}
    began = datetime.now(UTC)
    deliver(last.id, read_draft, sending="7", last_try=last_try)
    ended = datetime.now(UTC)
    jobs = database.execute(
        "SELECT args ->> 'mail_id' AS mail, scheduled_at FROM procrastinate_jobs"
    ).fetchall()
    if last_try:
        assert {mail.delivery for mail in mails(database)} == {Delivery.FAILED}
        assert jobs == []
        return
    assert {mail.delivery for mail in mails(database)} == {Delivery.QUEUED}
    assert {UUID(job.mail) for job in jobs} == {mail.id for mail in mails(database)}
    for job in jobs:
        assert began <= job.scheduled_at - timedelta(minutes=2) <= ended


def test_orphans_wait_for_longer_than_they_should_and_have_no_job(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in DONE:
        held()
    for state, mail in zip(DONE, mails(database), strict=True):
        database.execute("UPDATE mail SET delivery = %s WHERE id = %s", [state, mail.id])
    done = mails(database)
    held()
    (mail,) = [mail for mail in mails(database) if mail not in done]
    age = timedelta(minutes=10)
    for late, has_job, found in (
        (timedelta(0), False, []),
        (A_MOMENT, False, [mail.id]),
        (A_MOMENT, True, []),
    ):
        if not has_job:
            database.execute("UPDATE procrastinate_jobs SET status = 'failed'")
        else:
            database.execute("UPDATE procrastinate_jobs SET status = 'doing'")
        moment = mail.created_at + age + late
        monkeypatch.setattr(delivery, "now", lambda moment=moment: moment)
        assert find_orphans(age) == found

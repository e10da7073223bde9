"""Delivery: a real worker, a real mail server, and what may go wrong between them."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import zxingcpp
from flask import Flask
from PIL import Image
from sqlalchemy.exc import DBAPIError

from azionelab.bookings import erasure, rules
from azionelab.bookings.mails.resending import resend
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.visitor_input import clean_email
from azionelab.bookings.tickets.files import ticket_url
from azionelab.database import db, transaction
from azionelab.extensions import job_within
from azionelab.mail.jobs import recover_mails
from azionelab.mail.models import Delivery, Mail, MailKind
from azionelab.mail.outbox import MailUnknown, enqueue
from azionelab.mail.retries import PAUSES
from azionelab.ops.processes.jobs import retry_stalled
from azionelab.ops.processes.worker import open_queue, run_worker
from tests.factories import a_party, a_performance, a_visitor, visitor_token
from tests.ops.test_deploy_check import SAFE
from tests.support.processes import PYTHON, Program, eventually
from tests.support.smtp import Delivered, SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")

Database = psycopg.Connection[Any]
StartWorker = Callable[..., Program]
Work = Callable[[], None]


@pytest.fixture
def work(make_app: Callable[..., Flask], smtp_server: SmtpServer) -> Work:
    """Do what is due, as `flask worker --once` does, and return."""
    app = make_app(MAIL_PORT=str(smtp_server.port))
    return lambda: run_worker(app, once=True)


def held(email: str = "ada@example.org", **visitor: str) -> Reservation:
    """A booking that is still to be confirmed: it has one mail."""
    return a_party(a_performance(), confirmed=False, email=email, **visitor)


def mail_row(database: Database) -> Any:
    """The only mail's row."""
    (row,) = database.execute("SELECT * FROM mail").fetchall()
    return row


def mail_once(database: Database, delivery: Delivery) -> Any:
    """The only mail's row, once it is in a state of delivery."""

    def found() -> Any:
        row = mail_row(database)
        return row if row.delivery == delivery else None

    return eventually(found, f"a mail that is {delivery}")


def job_row(database: Database) -> Any:
    """The newest job that sends a mail."""
    query = (
        "SELECT * FROM procrastinate_jobs WHERE task_name = 'mail.send' ORDER BY id DESC LIMIT 1"
    )
    return database.execute(query).fetchone()


def make_due(database: Database) -> None:
    """Let a pause be over."""
    database.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")


def run_once(settings: dict[str, str], log: Path, **changes: str) -> Program:
    """`flask worker --once` as a program of its own, when it has ended."""
    command = [PYTHON, "-m", "flask", "--app", "wsgi", "worker", "--once"]
    worker = Program(command, settings | changes, log)
    assert worker.wait() == 0, worker.output
    return worker


def test_an_address_that_nobody_can_have_is_not_written_to(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    held("ada@theatre.Example")
    work()
    assert mail_row(database).delivery == Delivery.NOT_SENT
    assert smtp_server.attempts == 0


def test_a_bookings_mail_arrives(
    worker: Program, smtp_server: SmtpServer, database: Database
) -> None:
    reservation = held("ada@example.org", locale="en")
    (arrived,) = smtp_server.wait_for(1)
    assert arrived.recipients == ["ada@example.org"]
    assert arrived.sender == "box-office@theatre.example"
    assert arrived.message["To"] == "ada@example.org"
    assert arrived.message["Auto-Submitted"] == "auto-generated"
    for body in (arrived.text(), arrived.html()):
        assert f"/bookings/confirm/{visitor_token(reservation)}" in body
    row = mail_once(database, Delivery.SENT)
    assert (row.attempts, row.last_error) == (1, "")
    assert row.sent_at is not None
    assert re.fullmatch(rf"<{row.id}\.\d+@127\.0\.0\.1>", arrived.message["Message-ID"])


def test_answers_go_to_the_theatres_contact(
    make_app: Callable[..., Flask], smtp_server: SmtpServer
) -> None:
    contact = {
        "CONTACT_EMAIL": "box@theatre.example",
        "PRIVACY_URL": "https://www.theatre.example/privacy",
    }
    held()
    run_worker(make_app(MAIL_PORT=str(smtp_server.port), **contact), once=True)
    (mail,) = smtp_server.wait_for(1)
    assert mail.message["Reply-To"] == "box@theatre.example"
    for body in (mail.text(), mail.html()):
        for setting in contact.values():
            assert setting in body


@pytest.mark.parametrize(
    ("typed", "known_as"),
    [
        ("info@straße.de", "info@xn--strae-oqa.de"),  # strasse.de is somebody else's
        ("info@βόλος.gr", "info@xn--nxasmm1c.gr"),  # a final sigma, no other
        ("info@münchen.de", "info@xn--mnchen-3ya.de"),
    ],
)
def test_a_domain_of_any_script_is_written_to_as_servers_know_it(
    make_app: Callable[..., Flask], smtp_server: SmtpServer, typed: str, known_as: str
) -> None:
    held(clean_email(typed))
    theatre = {"CONTACT_EMAIL": typed, "MAIL_DEFAULT_SENDER": f'"Caffè, teatro" <{typed}>'}
    run_worker(make_app(MAIL_PORT=str(smtp_server.port), **theatre), once=True)
    (arrived,) = smtp_server.wait_for(1)
    assert arrived.recipients == [known_as]
    assert arrived.sender == known_as
    assert arrived.message["To"] == arrived.message["Reply-To"] == known_as
    assert arrived.message["From"] == f'"Caffè, teatro" <{known_as}>'


def test_an_address_that_no_server_could_know_is_given_up(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    held()
    # Past the form's check, as some other way in might be.
    database.execute("UPDATE reservation SET email = 'ädà@example.org'")
    work()
    assert mail_row(database).delivery == Delivery.FAILED
    assert smtp_server.attempts == 0


def test_the_ticket_arrives_with_a_qr_that_a_camera_reads(
    work: Work, smtp_server: SmtpServer
) -> None:
    reservation = a_party(a_performance(), email="ada@example.org", locale="en")
    work()
    (arrived,) = [m for m in smtp_server.messages if "ticket" in m.message["Subject"]]
    (picture,) = [part for part in arrived.message.walk() if part.get_filename()]
    content_id = str(picture["Content-ID"])
    assert re.fullmatch(r"<qr\.[0-9a-f-]{36}@127\.0\.0\.1>", content_id)
    assert f'src="cid:{content_id[1:-1]}"' in arrived.html()
    assert picture.get_content_disposition() == "inline"
    (code,) = zxingcpp.read_barcodes(Image.open(BytesIO(picture.get_content())))
    assert code.text == ticket_url(reservation)


def test_a_booking_that_is_rolled_back_sends_nothing(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    reservation = held()

    def write_a_mail_and_fail() -> None:
        with transaction() as session:
            booked = session.get_one(Reservation, reservation.id)
            enqueue(session, booked.id, MailKind.TICKET)
            booked.seats = 0

    with pytest.raises(DBAPIError):
        write_a_mail_and_fail()
    work()
    assert mail_row(database).kind == MailKind.CONFIRM
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'mail.send'"
    assert database.execute(jobs).fetchone() == (1,)
    assert len(smtp_server.messages) == 1


def test_no_server_costs_a_delay_and_no_booking(
    worker: Program, smtp_server: SmtpServer, database: Database
) -> None:
    smtp_server.stop()
    reservation = held()
    eventually(lambda: job_row(database).attempts == 1, "the first try's end")
    row = mail_row(database)
    assert (row.delivery, row.last_error) == (Delivery.QUEUED, "ConnectionRefusedError")
    smtp_server.start()
    make_due(database)
    (arrived,) = smtp_server.wait_for(1)
    assert visitor_token(reservation) in arrived.text()
    assert mail_once(database, Delivery.SENT).attempts == 2


def test_a_server_that_says_later_is_asked_again(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    smtp_server.refuse("451 ada@example.org: try later")
    held("ada@example.org")
    work()
    job, row = job_row(database), mail_row(database)
    assert (job.status, job.attempts) == ("todo", 1)
    assert (row.delivery, row.last_error) == (Delivery.QUEUED, "SMTPDataError 451")
    pause = (
        "SELECT job.scheduled_at - max(event.at) FROM procrastinate_jobs AS job"
        " JOIN procrastinate_events AS event ON event.job_id = job.id"
        " WHERE event.type = 'deferred_for_retry' GROUP BY job.id"
    )
    (planned,) = database.execute(pause).fetchone()
    assert planned.total_seconds() == pytest.approx(PAUSES[0], abs=2)
    work()
    assert mail_row(database).attempts == 1, "tried again before its time"
    make_due(database)
    smtp_server.accept()
    work()
    row = mail_row(database)
    assert (row.delivery, row.attempts, row.last_error) == (Delivery.SENT, 2, "")
    assert len(smtp_server.messages) == 1


@pytest.mark.parametrize("where", ["RCPT", "DATA"])
def test_a_refusal_is_final_until_the_staff_resends(
    work: Work, smtp_server: SmtpServer, database: Database, where: str
) -> None:
    reply = "550 ada@example.org: no such mailbox"
    if where == "RCPT":
        smtp_server.refuse_recipients = reply
    else:
        smtp_server.refuse(reply)
    held("ada@example.org")
    work()
    row = mail_row(database)
    reasons = {"RCPT": "SMTPRecipientsRefused 550", "DATA": "SMTPDataError 550"}
    assert (row.delivery, row.last_error) == (Delivery.FAILED, reasons[where])
    assert job_row(database).status == "succeeded"
    smtp_server.accept()
    resend(row.id)
    work()
    row = mail_row(database)
    assert (row.delivery, row.last_error) == (Delivery.SENT, "")
    assert len(smtp_server.messages) == 1


def test_what_the_staff_resends_is_new_to_a_server_that_drops_what_it_has_seen(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    seen: list[str] = []

    def note(mail: Delivered) -> str | None:
        seen.append(mail.message["Message-ID"])
        return "451 later" if len(seen) == 1 else None

    smtp_server.answer = note
    held()
    work()
    make_due(database)
    work()
    resend(mail_row(database).id)
    work()
    first, retried, resent = seen
    assert first == retried
    assert resent != first


def test_what_the_staff_resends_while_it_is_noted_as_sent_waits_again(
    in_app: Flask, database: Database, database_url: str
) -> None:
    held()
    mail = mail_row(database)

    def press() -> None:
        with in_app.app_context():
            # As a page reads it before its button's form is looked at.
            read = db.session.get(Mail, mail.id)
            resend(mail.id)
            assert read is not None

    with (
        psycopg.connect(database_url) as delivery,
        ThreadPoolExecutor(1) as thread,
    ):
        delivery.execute("UPDATE mail SET delivery = 'sent', sent_at = now()")
        pressed = thread.submit(press)
        waiting = (
            "SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        eventually(lambda: database.execute(waiting).fetchone() is not None, "the press to wait")
        delivery.commit()
        pressed.result()
    again = mail_row(database)
    assert (again.delivery, again.sent_at) == (Delivery.QUEUED, None)


def test_a_server_that_wants_a_login_is_no_fault_of_the_visitors(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    smtp_server.refuse_recipients = "530 5.7.0 Authentication required"
    held()
    work()
    assert mail_row(database).delivery == Delivery.QUEUED


def test_after_the_last_try_a_mail_is_given_up(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    smtp_server.refuse("451 later")
    held()
    database.execute("UPDATE procrastinate_jobs SET attempts = %s", [len(PAUSES) - 1])
    work()
    assert mail_row(database).delivery == Delivery.QUEUED
    make_due(database)
    work()
    row = mail_row(database)
    assert (row.delivery, row.last_error) == (Delivery.FAILED, "SMTPDataError 451")
    assert job_row(database).status == "succeeded"


def test_two_days_are_tried_for() -> None:
    assert list(PAUSES) == sorted(PAUSES)
    assert 47 * 3600 < sum(PAUSES) <= 48 * 3600


def test_a_crash_between_sending_and_noting_sends_again_and_loses_nothing(
    in_app: Flask,
    start_worker: StartWorker,
    smtp_server: SmtpServer,
    database: Database,
) -> None:
    first = start_worker(MAIL_PORT=str(smtp_server.port))
    arrived: list[Delivered] = []

    def take_it_and_kill(message: Delivered) -> None:
        arrived.append(message)
        first.kill()

    smtp_server.answer = take_it_and_kill
    held()
    first.wait()
    assert len(arrived) == 1
    row = mail_row(database)
    assert (row.delivery, row.attempts) == (Delivery.QUEUED, 1)
    assert job_row(database).status == "doing"

    smtp_server.accept()
    assert recovered(in_app) == 1
    start_worker(MAIL_PORT=str(smtp_server.port))
    sent = mail_once(database, Delivery.SENT)
    again = smtp_server.messages[-1]
    assert again.message["Message-ID"] == arrived[0].message["Message-ID"]
    assert again.text() == arrived[0].text()
    assert sent.attempts == 2


def recovered(app: Flask) -> int:
    """What the worker's own job does each minute, with no patience for silent hearts."""

    async def recover() -> int:
        async with open_queue(app) as queue:
            return await retry_stalled(queue.job_manager, seconds_since_heartbeat=0)

    return asyncio.run(recover())


def test_a_living_workers_jobs_are_left_to_it(
    in_app: Flask, start_worker: StartWorker, smtp_server: SmtpServer, database: Database
) -> None:
    found: list[Any] = []

    async def stalled() -> list[Any]:
        async with open_queue(in_app) as queue:
            return list(await queue.job_manager.get_stalled_jobs())

    def look(_: Delivered) -> None:
        assert job_row(database).status == "doing"
        with ThreadPoolExecutor(1) as thread:
            found.append(thread.submit(asyncio.run, stalled()).result())

    start_worker(MAIL_PORT=str(smtp_server.port))
    smtp_server.answer = look
    held()
    mail_once(database, Delivery.SENT)
    assert found == [[]]


def test_a_mail_without_a_job_gets_one(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    held()
    database.execute("UPDATE mail SET created_at = created_at - interval '1 hour'")
    recover_mails(timestamp=0)
    sending = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'mail.send'"
    assert database.execute(sending).fetchone() == (1,), "a mail whose job waits needs no other"
    database.execute("DELETE FROM procrastinate_jobs")
    recover_mails(timestamp=0)
    work()
    assert mail_row(database).delivery == Delivery.SENT
    assert len(smtp_server.messages) == 1


@pytest.mark.parametrize(
    ("status", "waits", "given_up"),
    [
        ("todo", "1 hour", False),
        ("doing", "1 hour", False),  # its worker sends it just now
        ("succeeded", "1 hour", True),
        ("failed", "1 hour", True),
        ("failed", "9 minutes", False),  # whoever wrote it may be about to commit its job
        ("failed", "601 seconds", True),
    ],
)
def test_a_mail_is_given_up_on_only_without_a_job_at_work(
    in_app: Flask, database: Database, status: str, waits: str, given_up: bool
) -> None:
    held()
    database.execute("UPDATE mail SET created_at = now() - %s::interval", (waits,))
    database.execute("UPDATE procrastinate_jobs SET status = %s", (status,))
    recover_mails(timestamp=0)
    jobs = database.execute("SELECT count(*) FROM procrastinate_jobs").fetchone()
    assert jobs == ((2,) if given_up else (1,))


def test_no_database_connection_waits_for_the_mail_server(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    query = (  # The job queue's own connections look for work meanwhile.
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND state LIKE 'idle in transaction%' AND application_name <> 'azionelab-worker'"
    )

    def answer(_mail: Delivered) -> None:
        # One that is between two statements goes on by itself; one that waits for this answer does not,
        # until the sender gives up and the mail is not sent.
        eventually(lambda: database.execute(query).fetchone() == (0,), "the connections to be idle")

    smtp_server.answer = answer
    held()
    db.session.rollback()
    work()
    assert mail_row(database).delivery == Delivery.SENT


def test_an_erased_visitor_is_not_written_to(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    held()
    database.execute("UPDATE performance SET starts_at = starts_at - interval '1 year'")
    assert erasure.erase_personal_data() == 1
    work()
    row = mail_row(database)
    assert row.delivery == Delivery.FAILED
    assert "erased" in row.last_error
    assert smtp_server.attempts == 0


def test_a_name_cannot_write_headers(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    reservation = held("ada@example.org")
    # Past the form's check, as some other way in might be.
    database.execute(
        "UPDATE reservation SET name = %s", ["Ada\r\nBcc: all@example.org\r\n\r\nBuy this"]
    )
    database.execute("UPDATE show SET title = %s", ["Lear\r\nBcc: all@example.org"])
    rules.confirm(reservation.id)
    work()
    assert len(smtp_server.messages) == 2
    for arrived in smtp_server.messages:
        assert arrived.recipients == ["ada@example.org"]
        assert arrived.message["Bcc"] is None
        assert "Lear Bcc" in arrived.message["Subject"]


@pytest.mark.parametrize("title", ["Čajka — Чайка", "桜の園 🌸 " * 12, "שלום", 'O\'Neill: "Anna"'])
def test_any_title_arrives_in_the_subject(
    work: Work, smtp_server: SmtpServer, database: Database, title: str
) -> None:
    held("ada@example.org", locale="en")
    database.execute("UPDATE show SET title = %s", [title])
    work()
    (arrived,) = smtp_server.messages
    assert " ".join(title.split()) in " ".join(arrived.message["Subject"].split())
    assert title.strip() in arrived.text()


def test_the_log_names_nobody(
    settings: dict[str, str], smtp_server: SmtpServer, database: Database, tmp_path: Path
) -> None:
    here = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(smtp_server.port), "MAIL_USE_TLS": "false"}
    production = settings | SAFE | here
    smtp_server.refuse("451 zzyzx@example.org is over quota, says Zzyzx")
    reservation = held("zzyzx@example.org", name="Zzyzx")
    output = run_once(production, tmp_path / "first.log").output
    smtp_server.refuse("550 zzyzx@example.org is gone")
    make_due(database)
    output += run_once(production, tmp_path / "second.log").output
    row = mail_row(database)
    assert row.delivery == Delivery.FAILED
    assert output.count(str(row.id)) == 2
    for secret in ("zzyzx", "Zzyzx", visitor_token(reservation)):
        assert secret not in output
        assert secret not in row.last_error


def test_a_fault_of_ours_is_told_without_the_values_at_hand(
    settings: dict[str, str], database: Database, tmp_path: Path
) -> None:
    held("zzyzx@example.org", name="Zzyzx")
    database.execute("UPDATE reservation SET locale = 'zzyzx no locale'")
    worker = run_once(settings, tmp_path / "worker.log")
    row = mail_row(database)
    assert (row.delivery, row.last_error) == (Delivery.QUEUED, "ValueError")
    assert "could not be made" in worker.output
    assert "messages.py" in worker.output
    assert "zzyzx" not in worker.output


@pytest.mark.parametrize("email", ["ada@example.org", "ada@nobody.example"])
def test_without_a_server_in_development_the_address_to_confirm_is_logged(
    settings: dict[str, str], database: Database, tmp_path: Path, email: str
) -> None:
    reservation = held(email)
    worker = run_once(settings, tmp_path / "worker.log", MAIL_SERVER="")
    row = mail_row(database)
    assert (row.delivery, row.sent_at) == (Delivery.NOT_SENT, None)
    assert f"/bookings/confirm/{visitor_token(reservation)}" in worker.output
    assert reservation.email not in worker.output


def test_so_it_is_when_the_server_does_not_answer(
    settings: dict[str, str], database: Database, tmp_path: Path
) -> None:
    reservation = held()
    worker = run_once(settings, tmp_path / "worker.log")
    assert mail_row(database).delivery == Delivery.QUEUED
    assert f"/bookings/confirm/{visitor_token(reservation)}" in worker.output


def test_a_crowd_of_mails_needs_one_look_at_the_queue(work: Work, smtp_server: SmtpServer) -> None:
    performance = a_performance(capacity=200)
    for _ in range(40):
        rules.reserve(performance.id, a_visitor(), 1)
    work()
    assert len(smtp_server.messages) == 40


def test_a_mail_that_is_gone_cannot_be_sent_again(database: Database) -> None:
    with pytest.raises(MailUnknown):
        resend(uuid4())
    assert job_row(database) is None


def test_a_mail_that_is_gone_is_no_error(work: Work, database: Database) -> None:
    with transaction() as session:
        job_within(session, "mail.send", queue="mail").defer(mail_id=str(UUID(int=7)))
    work()
    assert job_row(database).status == "succeeded"


def test_a_sent_mail_is_not_sent_again(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    held()
    work()
    database.execute("UPDATE procrastinate_jobs SET status = 'todo' WHERE task_name = 'mail.send'")
    work()
    assert job_row(database).status == "succeeded"
    assert mail_row(database).attempts == 1
    assert len(smtp_server.messages) == 1

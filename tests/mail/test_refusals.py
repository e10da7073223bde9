"""A mail server that says no: to one address, or to everybody."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings import performance_changes, rules
from azionelab.bookings.mails.resending import resend
from azionelab.mail.models import Delivery
from azionelab.mail.refusals import IN_A_ROW, IN_A_ROW_WITH_BAD_ADDRESSES
from azionelab.mail.replies import Fault, Stage, whose_fault
from azionelab.ops.processes.worker import run_worker
from tests.factories import a_party, a_performance
from tests.support.smtp import Delivered, SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")

Database = psycopg.Connection[Any]
Work = Callable[[], None]


@pytest.fixture
def work(make_app: Callable[..., Flask], smtp_server: SmtpServer) -> Work:
    """Do what is due, as `flask worker --once` does, and return."""
    app = make_app(MAIL_PORT=str(smtp_server.port))
    return lambda: run_worker(app, once=True)


def book(people: int, first: int = 0) -> None:
    """Bookings of so many different people, each with a mail to confirm it."""
    evening = a_performance(capacity=500)
    for number in range(first, first + people):
        a_party(evening, 1, confirmed=False, email=f"guest{number}@example.org")


def deliveries(database: Database) -> dict[str, int]:
    """How many mails are in each state."""
    rows = database.execute("SELECT delivery, count(*) AS n FROM mail GROUP BY 1").fetchall()
    return {row.delivery: row.n for row in rows}


def make_due(database: Database) -> None:
    database.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")


@pytest.mark.parametrize(
    ("stage", "reply", "fault"),
    [
        (Stage.RECIPIENT, "550 5.1.1 no such user", Fault.RECIPIENT),
        (Stage.RECIPIENT, "550-5.1.1 The account does not exist", Fault.RECIPIENT),
        (Stage.DATA, "550 5.1.1 no such user", Fault.RECIPIENT),
        (Stage.RECIPIENT, "553 5.1.3 bad syntax", Fault.RECIPIENT),
        (Stage.RECIPIENT, "556 5.1.10 null MX", Fault.RECIPIENT),
        (Stage.RECIPIENT, "550 5.1.8 sender's domain", Fault.PROVIDER),
        (Stage.DATA, "550 5.1.7 sender's address", Fault.PROVIDER),
        (Stage.RECIPIENT, "552 5.2.2 full", Fault.RECIPIENT),
        (Stage.DATA, "552 5.2.3 too long for the mailbox", Fault.RECIPIENT),
        (Stage.DATA, "552 5.3.4 too big for the system", Fault.PROVIDER),
        (Stage.RECIPIENT, "554 5.3.2 system takes no messages", Fault.PROVIDER),
        (Stage.RECIPIENT, "550 5.4.1 access denied", Fault.UNCLEAR),
        (Stage.RECIPIENT, "554 5.4.6 loop", Fault.PROVIDER),
        (Stage.DATA, "550 5.4.5 daily quota exceeded", Fault.PROVIDER),
        (Stage.RECIPIENT, "503 5.5.1 bad sequence", Fault.PROVIDER),
        (Stage.DATA, "554 5.6.0 content", Fault.PROVIDER),
        (Stage.RECIPIENT, "554 5.7.1 relay access denied", Fault.UNCLEAR),
        (Stage.DATA, "550 5.7.1 message refused", Fault.UNCLEAR),
        (Stage.DATA, "550 5.7.26 unauthenticated", Fault.PROVIDER),
        (Stage.RECIPIENT, "550 5.7.17 another owner", Fault.RECIPIENT),
        (Stage.SENDER, "550 5.1.1 whatever it says", Fault.PROVIDER),
        (Stage.SENDER, "550 no", Fault.PROVIDER),
        (Stage.RECIPIENT, "530 5.1.1 log in first", Fault.PROVIDER),
        (Stage.RECIPIENT, "550 no such mailbox", Fault.UNCLEAR),
        (Stage.DATA, "554 refused", Fault.UNCLEAR),
        (Stage.RECIPIENT, "521 no mail here", Fault.RECIPIENT),
        (Stage.DATA, "521 no mail here", Fault.UNCLEAR),
        (Stage.RECIPIENT, "550 4.7.1 another class", Fault.UNCLEAR),
        (Stage.RECIPIENT, "550 5.9.9 nobody knows", Fault.UNCLEAR),
        (Stage.RECIPIENT, "550 see 5.7.26 below", Fault.UNCLEAR),
    ],
)
def test_whose_fault_a_refusal_is(stage: Stage, reply: str, fault: Fault) -> None:
    assert whose_fault(stage, int(reply[:3]), reply[4:].encode()) is fault


@pytest.mark.parametrize(
    ("refused", "becomes"),
    [
        (("RCPT", "550 5.1.1 gone"), ("failed", "SMTPRecipientsRefused 550 5.1.1")),
        (("RCPT", "550 5.7.26 policy"), ("queued", "SMTPRecipientsRefused 550 5.7.26")),
        (("DATA", "550 5.2.1 disabled"), ("failed", "SMTPDataError 550 5.2.1")),
        (("DATA", "550 5.4.5 quota"), ("queued", "SMTPDataError 550 5.4.5")),
        (("MAIL", "550 blocked"), ("queued", "SMTPSenderRefused 550")),
    ],
)
def test_what_is_ours_to_mend_is_tried_again(
    work: Work,
    smtp_server: SmtpServer,
    database: Database,
    refused: tuple[str, str],
    becomes: tuple[str, str],
) -> None:
    book(1)
    where, reply = refused
    match where:
        case "RCPT":
            smtp_server.refuse_recipients = reply
        case "MAIL":
            smtp_server.refuse_senders = reply
        case _:
            smtp_server.refuse(reply)
    work()
    row = database.execute("SELECT delivery, last_error FROM mail").fetchone()
    assert row == becomes


def test_a_provider_that_refuses_everybody_loses_no_mail(
    work: Work, smtp_server: SmtpServer, database: Database, client: FlaskClient,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    book(IN_A_ROW - 1)
    smtp_server.refuse("550 no")
    work()
    assert deliveries(database) == {Delivery.FAILED: IN_A_ROW - 1}
    assert health(client)["refused"] is False
    book(4, first=IN_A_ROW - 1)
    work()
    assert deliveries(database) == {Delivery.QUEUED: IN_A_ROW + 3}
    assert health(client)["refused"] is True
    assert "the mail server refuses everybody" in caplog.text
    assert "example.org" not in caplog.text
    metrics = client.get("/metrics").text
    assert "azionelab_mail_provider_refuses 1.0" in metrics
    assert f"azionelab_mail_refused_recipients {IN_A_ROW + 3}.0" in metrics
    # Not at once: it is asked again after growing pauses.
    waits = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at > now()"
    assert database.execute(waits).fetchone() == (IN_A_ROW + 3,)
    make_due(database)
    work()
    assert deliveries(database) == {Delivery.QUEUED: IN_A_ROW + 3}
    smtp_server.accept()
    make_due(database)
    work()
    assert deliveries(database) == {Delivery.SENT: IN_A_ROW + 3}
    assert len(smtp_server.messages) == IN_A_ROW + 3
    assert health(client)["refused"] is False


def test_one_person_refused_again_and_again_is_no_stretch(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    smtp_server.refuse("550 no")
    book(1)
    for _ in range(IN_A_ROW + 1):
        work()
        (row,) = database.execute("SELECT id, delivery FROM mail").fetchall()
        assert row.delivery == Delivery.FAILED
        resend(row.id)


def test_who_is_refused_between_others_is_refused_alone(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    smtp_server.answer = lambda mail: "550 no" if "guest9" not in mail.recipients[0] else None
    book(IN_A_ROW - 1)
    work()
    book(1, first=9)
    work()
    book(1, first=20)
    work()
    assert deliveries(database) == {Delivery.FAILED: IN_A_ROW, Delivery.SENT: 1}


def test_made_up_addresses_are_no_alarm_until_there_are_many(
    work: Work, smtp_server: SmtpServer, database: Database, client: FlaskClient
) -> None:
    """The server's word that there is no such mailbox is believed; not of everybody."""
    smtp_server.refuse_recipients = "550 5.1.1 no such user"
    book(IN_A_ROW_WITH_BAD_ADDRESSES - 1)
    work()
    assert deliveries(database) == {Delivery.FAILED: IN_A_ROW_WITH_BAD_ADDRESSES - 1}
    assert health(client)["refused"] is False
    book(1, first=500)
    work()
    assert deliveries(database) == {Delivery.QUEUED: IN_A_ROW_WITH_BAD_ADDRESSES}
    assert health(client)["refused"] is True


def test_bad_addresses_stay_given_up_while_others_wait(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    def answer(mail: Delivered) -> str:
        return "550 5.1.1 no such user" if "guest0@" in mail.recipients[0] else "550 no"

    smtp_server.answer = answer
    book(IN_A_ROW + 1)
    work()
    assert deliveries(database) == {Delivery.QUEUED: IN_A_ROW, Delivery.FAILED: 1}


def test_refusals_of_the_day_before_are_not_in_a_row(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    smtp_server.refuse("550 no")
    book(IN_A_ROW - 1)
    work()
    database.execute("UPDATE mail SET tried_at = tried_at - interval '25 hours'")
    book(1, first=50)
    work()
    assert deliveries(database) == {Delivery.FAILED: IN_A_ROW}


class TestASupersededMail:
    def test_who_cancels_before_the_ticket_left_is_told_once(
        self, work: Work, smtp_server: SmtpServer, database: Database
    ) -> None:
        rules.cancel(a_party(a_performance()).id)
        work()
        assert [mail.message["Subject"].partition(":")[0] for mail in smtp_server.messages] == [
            "Booking cancelled"
        ]
        rows = database.execute("SELECT kind, delivery, last_error FROM mail ORDER BY created_at")
        assert rows.fetchall() == [
            ("confirm", "not_sent", "superseded"),
            ("ticket", "not_sent", "superseded"),
            ("cancelled", "sent", ""),
        ]

    def test_so_is_who_changed_twice(
        self, work: Work, smtp_server: SmtpServer, database: Database
    ) -> None:
        party = a_party(a_performance(), 4)
        work()
        rules.reduce_seats(party.id, 3)
        rules.reduce_seats(party.id, 2)
        work()
        told = database.execute(
            "SELECT delivery FROM mail WHERE kind = 'changed' ORDER BY created_at"
        )
        assert told.fetchall() == [("not_sent",), ("sent",)]

    def test_and_who_cancelled_before_the_evening_was_given_up(
        self, work: Work, smtp_server: SmtpServer
    ) -> None:
        evening = a_performance()
        a_party(evening)
        performance_changes.cancel_performance(evening.id)
        work()
        assert [mail.message["Subject"].partition(":")[0] for mail in smtp_server.messages] == [
            "Performance cancelled"
        ]

    def test_what_staff_send_once_more_goes_although_a_newer_one_went(
        self, work: Work, smtp_server: SmtpServer, database: Database
    ) -> None:
        rules.cancel(a_party(a_performance()).id)
        work()
        for row in database.execute("SELECT id FROM mail WHERE kind = 'ticket'").fetchall():
            resend(row.id)
        work()
        assert len(smtp_server.messages) == 2

    def test_a_newer_one_that_failed_supersedes_nothing(
        self, work: Work, smtp_server: SmtpServer, database: Database
    ) -> None:
        rules.cancel(a_party(a_performance()).id)
        database.execute("UPDATE mail SET delivery = 'failed' WHERE kind = 'cancelled'")
        work()
        assert len(smtp_server.messages) == 1


def health(client: FlaskClient) -> dict[str, Any]:
    """What /api/health says of mail."""
    answer = client.get("/api/health").json or {}
    mail: dict[str, Any] = answer["mail"]
    assert answer["status"] == "degraded" or not mail["refused"]
    return mail

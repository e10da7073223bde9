"""Messages to audiences: who gets one, that everybody gets one, and what pausing and stopping hold back."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask

from azionelab.bookings import erasure, rules
from azionelab.bookings.audience import rules as messages
from azionelab.bookings.audience.models import AudienceMessage, MessageState, Whom
from azionelab.bookings.audience.progress import is_done, read_progress
from azionelab.bookings.audience.selection import (
    belongs,
    count_audience,
    find_recipient,
    select_recipients,
)
from azionelab.bookings.audience.writing import write_mails
from azionelab.bookings.models import Reservation
from azionelab.checkin.scanning.scans import admit
from azionelab.database import db, now
from azionelab.ops.processes.jobs import retry_stalled
from azionelab.ops.processes.worker import open_queue, run_worker
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    fresh,
    let_lapse,
    ticket_token,
    visitor_token,
)
from tests.support.processes import Program, eventually
from tests.support.smtp import Delivered, SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")

Database = psycopg.Connection[Any]
Work = Callable[[], None]
ENGLISH = {"en": {"subject": "About {show}", "body": "Dear {name},\n\nuse {booking_page}"}}


@pytest.fixture
def work(make_app: Callable[..., Flask], smtp_server: SmtpServer) -> Work:
    """Do what is due, as `flask worker --once` does, and what that made due."""
    app = make_app(MAIL_PORT=str(smtp_server.port))

    def work() -> None:
        run_worker(app, once=True)
        run_worker(app, once=True)

    return work


def a_message(
    *performances: int, whom: Whom = Whom.CONFIRMED, texts: Any = ENGLISH
) -> AudienceMessage:
    return messages.save_draft(
        uuid4(), messages.Draft(texts, whom, performances), seen_version=0, by=None
    )


def send(message: AudienceMessage, database: Database) -> None:
    """Send a message whose delay is over; the bookings' own mails have left before."""
    database.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'mail.send'")
    database.execute("UPDATE mail SET delivery = 'sent', sent_at = now() WHERE message_id IS NULL")
    messages.start(message.id, seen_version=message.version)
    make_due(database)


def make_due(database: Database) -> None:
    database.execute("UPDATE audience_message SET starts_at = now() WHERE starts_at IS NOT NULL")
    database.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")


def addresses(server: SmtpServer) -> list[str]:
    return sorted(arrived.recipients[0] for arrived in server.messages)


def an_evening_of_everybody() -> tuple[int, dict[str, Reservation]]:
    """A performance with a party in each state, by the name of the state."""
    performance = a_performance(capacity=50)

    def party(name: str, *, confirmed: bool = True, seats: int = 2) -> Reservation:
        return a_party(performance, seats, confirmed=confirmed, email=f"{name}@example.org")

    parties = {
        "came": party("came"),
        "some": party("some"),
        "absent": party("absent"),
        "waiting": party("waiting", confirmed=False),
        "lapsed": party("lapsed", confirmed=False),
        "cancelled": party("cancelled"),
        "erased": party("erased"),
    }
    admit(performance.id, ticket_token(parties["came"]), uuid4(), DOOR_A)
    admit(performance.id, ticket_token(parties["some"]), uuid4(), DOOR_A, people=1)
    let_lapse(parties["lapsed"])
    rules.cancel(parties["cancelled"].id)
    erasure.erase_on_request(parties["erased"].id)
    return performance.id, parties


@pytest.mark.parametrize(
    ("whom", "started", "names"),
    [
        (Whom.CONFIRMED, False, {"came", "some", "absent"}),
        (Whom.UNCONFIRMED, False, {"waiting"}),
        (Whom.BOOKED, False, {"came", "some", "absent", "waiting"}),
        (Whom.CAME, True, {"came", "some"}),
        (Whom.ABSENT, True, {"absent"}),
        (Whom.ABSENT, False, set()),
    ],
)
def test_a_message_is_for_those_it_says(
    database: Database, whom: Whom, started: bool, names: set[str]
) -> None:
    performance_id, parties = an_evening_of_everybody()
    if started:
        database.execute("UPDATE performance SET starts_at = now() - interval '1 hour'")
    message = a_message(performance_id, whom=whom)
    rows = db.session.execute(select_recipients(message)).all()
    of = {party.id: name for name, party in parties.items()}
    assert {of[row.id] for row in rows} == names
    # The worker asks again of each party before it sends.
    at = now()
    still = {name for name, party in parties.items() if belongs(whom, fresh(party.id), at)}
    assert still - {"erased"} == names
    assert count_audience(whom, [performance_id]).recipients == len(names)


def test_other_evenings_and_walk_ins_get_nothing(database: Database) -> None:
    performance_id, _ = an_evening_of_everybody()
    a_party(a_performance(), email="elsewhere@example.org")
    audience = count_audience(Whom.CONFIRMED, [performance_id])
    assert (audience.recipients, audience.parties, audience.without_address) == (3, 4, 1)
    assert count_audience(Whom.CONFIRMED, []).parties == 0


def test_a_cancelled_performance_has_no_audience(database: Database) -> None:
    performance_id, _ = an_evening_of_everybody()
    database.execute("UPDATE performance SET cancelled_at = now()")
    assert count_audience(Whom.BOOKED, [performance_id]).parties == 0


def test_a_mailbox_is_written_to_once_about_its_first_performance(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    later = a_performance(starts_at=now() + timedelta(days=9))
    sooner = a_performance(show=later.show, venue=later.venue)
    a_party(later, email="ada@gmail.com")
    first = a_party(sooner, email="a.d.a+theatre@gmail.com")
    message = a_message(later.id, sooner.id)
    audience = count_audience(Whom.CONFIRMED, [later.id, sooner.id])
    assert (audience.recipients, audience.parties, audience.sharing) == (1, 2, 1)
    send(message, database)
    work()
    (arrived,) = smtp_server.messages
    assert arrived.recipients == ["a.d.a+theatre@gmail.com"]
    assert first.reference in arrived.text()
    assert visitor_token(first) in arrived.text()


def test_each_gets_the_text_in_their_language_with_their_facts(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    performance = a_performance()
    a_party(performance, 3, email="ada@example.org", name="Ada <b>Rossi</b>", locale="en")
    a_party(performance, 1, email="bea@example.org", locale="it")
    texts = {
        "en": {"subject": "{show} by {name}", "body": "{seats}, <i>{Venue}</i>:\n\nhttps://a.example/b?c=1&d=2"},
        "it": {"subject": "Per {show}", "body": "{seats}, {name}"},
    }  # fmt: skip
    send(a_message(performance.id, texts=texts), database)
    work()
    ada, bea = sorted(smtp_server.messages, key=lambda each: each.recipients[0])
    title, venue = performance.show.title, performance.venue.name
    assert ada.message["Subject"] == f"{title} by Ada <b>Rossi</b>"
    assert f"3 seats, <i>{venue}</i>:\r\n\r\nhttps://a.example/b?c=1&d=2" in ada.text()
    assert "<b>Rossi" not in ada.html()
    assert "Ada &lt;b&gt;Rossi&lt;/b&gt;" in ada.html()
    assert f"3 seats, &lt;i&gt;{venue}&lt;/i&gt;" in ada.html()
    assert 'href="https://a.example/b?c=1&amp;d=2"' in ada.html()
    assert bea.message["Subject"] == f"Per {title}"
    assert bea.text().startswith("1 posto, Ada Rossi\r\n")


def test_in_one_language_it_goes_to_everybody(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    performance = a_performance()
    a_party(performance, email="bea@example.org", locale="it")
    send(a_message(performance.id), database)
    work()
    assert smtp_server.messages[0].message["Subject"].startswith("About Show")


def test_a_name_that_nobody_proved_is_not_written(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    performance = a_performance()
    party = a_party(performance, confirmed=False, name="Buy this", email="ada@example.org")
    send(a_message(performance.id, whom=Whom.UNCONFIRMED), database)
    work()
    (arrived,) = smtp_server.messages
    assert "Buy this" not in arrived.message.as_string()
    assert "Dear guest," in arrived.text()
    assert f"/bookings/confirm/{visitor_token(party)}" in arrived.text()


def test_the_first_mail_waits_for_second_thoughts(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    performance = a_performance()
    a_party(performance)
    message = a_message(performance.id)
    send(message, database)
    messages.take_back(message.id)
    assert messages.take_back(message.id).state == MessageState.DRAFT
    work()
    assert smtp_server.messages == []
    # Sent again, the job from before does not shorten the delay.
    messages.start(message.id, seen_version=message.version)
    assert write_mails(message.id) == 0
    make_due(database)
    work()
    assert len(smtp_server.messages) == 1
    with pytest.raises(messages.AlreadySent):
        messages.take_back(message.id)


def test_many_are_written_in_batches_and_none_twice(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    performance = a_performance(capacity=500)
    for number in range(230):
        a_party(performance, 1, email=f"v{number:03}@example.org")
    message = a_message(performance.id)
    send(message, database)
    assert write_mails(message.id) == 230
    assert write_mails(message.id) == 0
    work()
    assert addresses(smtp_server) == [f"v{number:03}@example.org" for number in range(230)]
    done = fresh_message(message.id)
    progress = read_progress([message.id])[message.id]
    assert (done.recipients, progress.sent, is_done(done, progress)) == (230, 230, True)


def fresh_message(message_id: UUID) -> AudienceMessage:
    db.session.rollback()
    return db.session.get_one(AudienceMessage, message_id, populate_existing=True)


async def _retry_at_once(app: Flask) -> None:
    async with open_queue(app) as queue:
        await retry_stalled(queue.job_manager, 0)


def test_a_worker_killed_in_the_middle_leaves_nobody_out_and_writes_to_nobody_twice(
    start_worker: Callable[..., Program],
    make_app: Callable[..., Flask],
    smtp_server: SmtpServer,
    database: Database,
    database_url: str,
) -> None:
    performance = a_performance(capacity=500)
    for number in range(150):
        a_party(performance, 1, email=f"v{number:03}@example.org")
    message = a_message(performance.id)
    send(message, database)
    # The job writes its first batch; the second one waits, as it refers to a locked reservation.
    with psycopg.connect(database_url) as lock:
        lock.execute("SELECT FROM reservation ORDER BY id DESC LIMIT 1 FOR UPDATE")
        worker = start_worker(MAIL_SERVER="127.0.0.1", MAIL_PORT=str(smtp_server.port))
        sent = "SELECT count(*) FROM mail WHERE message_id IS NOT NULL AND delivery = 'sent'"
        eventually(lambda: database.execute(sent).fetchone() == (100,), "the first batch")
        worker.kill()
    assert len(smtp_server.messages) == 100
    assert database.execute(
        "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'message.write'"
        " AND status IN ('doing', 'todo')"
    ).fetchone() == (1,)
    app = make_app(MAIL_PORT=str(smtp_server.port))
    asyncio.run(_retry_at_once(app))
    make_due(database)
    run_worker(app, once=True)
    run_worker(app, once=True)
    assert addresses(smtp_server) == [f"v{number:03}@example.org" for number in range(150)]


def test_paused_nothing_more_leaves_and_then_everybody_else_gets_it(
    app: Flask, work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    performance = a_performance(capacity=100)
    for number in range(40):
        a_party(performance, 1, email=f"v{number:02}@example.org")
    message = a_message(performance.id)
    send(message, database)

    def pause_after_ten(_arrived: Delivered) -> None:
        with app.app_context():
            if len(smtp_server.messages) >= 10:
                messages.pause(message.id)

    smtp_server.answer = pause_after_ten
    work()
    smtp_server.accept()
    sent = len(smtp_server.messages)
    assert 10 <= sent < 20  # some were with the workers already
    work()
    assert len(smtp_server.messages) == sent
    messages.resume(message.id)
    messages.resume(message.id)
    make_due(database)
    work()
    assert addresses(smtp_server) == [f"v{number:02}@example.org" for number in range(40)]


def test_a_pause_holds_back_what_is_written_already(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    performance = a_performance(capacity=100)
    for _ in range(5):
        a_party(performance, 1)
    message = a_message(performance.id)
    send(message, database)
    assert write_mails(message.id) == 5
    assert messages.pause(message.id).state == MessageState.PAUSED
    assert messages.pause(message.id).state == MessageState.PAUSED
    work()
    assert smtp_server.messages == []
    messages.resume(message.id)
    make_due(database)
    work()
    assert len(smtp_server.messages) == 5


def test_stopped_is_stopped_even_what_was_tried(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    performance = a_performance()
    a_party(performance)
    message = a_message(performance.id)
    send(message, database)
    smtp_server.refuse("451 later")
    work()
    assert read_progress([message.id])[message.id].tried == 1
    messages.stop(message.id)
    messages.resume(message.id)
    smtp_server.accept()
    make_due(database)
    work()
    assert smtp_server.messages == []
    assert fresh_message(message.id).state == MessageState.STOPPED
    row = database.execute("SELECT delivery, last_error FROM mail WHERE message_id IS NOT NULL")
    assert row.fetchone() == ("not_sent", "stopped")


def test_who_cancels_before_it_leaves_is_not_written_to(
    work: Work, smtp_server: SmtpServer, database: Database
) -> None:
    performance = a_performance()
    party = a_party(performance, email="ada@example.org")
    message = a_message(performance.id)
    send(message, database)
    write_mails(message.id)
    rules.cancel(party.id)
    work()
    subjects = [arrived.message["Subject"] for arrived in smtp_server.messages]
    assert len(subjects) == 1
    assert subjects[0].startswith("Booking cancelled")
    assert read_progress([message.id])[message.id].not_sent == 1


def test_a_ticket_goes_before_all_messages(
    make_app: Callable[..., Flask], smtp_server: SmtpServer, database: Database
) -> None:
    performance = a_performance(capacity=100)
    for _ in range(12):
        a_party(performance, 1)
    message = a_message(performance.id)
    send(message, database)
    write_mails(message.id)
    a_party(performance, 1, confirmed=False, email="late@example.org")
    run_worker(make_app(MAIL_PORT=str(smtp_server.port)), 1, once=True)
    assert len(smtp_server.messages) == 13
    assert smtp_server.messages[0].recipients == ["late@example.org"]


def test_a_draft_that_somebody_else_changed_is_neither_overwritten_nor_sent() -> None:
    performance = a_performance()
    a_party(performance)
    message = a_message(performance.id)
    mine = messages.Draft(ENGLISH, Whom.BOOKED, [performance.id])
    changed = messages.save_draft(message.id, mine, seen_version=1, by=None)
    assert changed.version == 2
    # The same form twice is no edit.
    assert messages.save_draft(message.id, mine, seen_version=1, by=None).version == 2
    other = messages.Draft(ENGLISH, Whom.CAME, [performance.id])
    with pytest.raises(messages.DraftChanged):
        messages.save_draft(message.id, other, seen_version=1, by=None)
    with pytest.raises(messages.DraftChanged):
        messages.start(message.id, seen_version=1)
    messages.start(message.id, seen_version=2)
    with pytest.raises(messages.NotADraft):
        messages.save_draft(message.id, other, seen_version=2, by=None)
    with pytest.raises(messages.NotADraft):
        messages.delete_draft(message.id)


def test_nobody_is_not_written_to() -> None:
    performance = a_performance()
    message = a_message(performance.id)
    with pytest.raises(messages.NobodyToWriteTo):
        messages.start(message.id, seen_version=1)
    assert find_recipient(message, 0) is None
    messages.delete_draft(message.id)
    messages.delete_draft(message.id)
    with pytest.raises(messages.MessageUnknown):
        messages.start(message.id, seen_version=1)


def test_the_database_lets_no_message_reach_a_party_twice(database: Database) -> None:
    performance = a_performance()
    party = a_party(performance)
    message = a_message(performance.id)
    add = (
        "INSERT INTO mail (id, reservation_id, message_id, kind, delivery, created_at)"
        " VALUES (gen_random_uuid(), %s, %s, %s, 'queued', now())"
    )
    database.execute(add, [party.id, message.id, "message"])
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.execute(add, [party.id, message.id, "message"])
    with pytest.raises(psycopg.errors.CheckViolation):
        database.execute(add, [party.id, None, "message"])

"""Confirm again or lose your seats: who is asked, until when, and what becomes of the seats."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from azionelab.bookings import rules
from azionelab.bookings.mails.messages import read_draft
from azionelab.bookings.mails.superseded import OUTDATED
from azionelab.bookings.reminders.answers import answer_coming
from azionelab.bookings.reminders.confirming import release_unanswered, write_questions
from azionelab.bookings.reminders.moments import question
from azionelab.database import db, now, transaction
from azionelab.mail.models import Delivery, Mail, MailKind
from azionelab.settings.night import Night
from azionelab.shows.models import Performance
from tests.bookings.test_reminders import HOUR, ROME, long_ago, rome
from tests.factories import a_party, a_performance, a_waiting_party, fresh, mails, seats_held


@pytest.fixture
def asking(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """A theatre that asks until 24 hours before the curtain; without a night, so that the time of day is the same."""
    app = make_app(NIGHT_BEGINS="0", NIGHT_ENDS="0", REMINDER_HOURS="48", CONFIRM_AGAIN_HOURS="24")
    with app.app_context():
        yield app


@pytest.mark.parametrize(
    ("curtain", "since", "deadline"),
    [
        ("2026-06-05 20:30", "2026-06-04 08:30", "2026-06-04 20:30"),
        # At night it waits for the morning, and is sent at once where the deadline is near then.
        ("2026-06-05 15:00", "2026-06-04 08:00", "2026-06-04 15:00"),
        ("2026-06-05 10:30", "2026-06-03 22:30", "2026-06-04 10:30"),
        # 24 and 12 hours are so many hours on the nights when the clocks change.
        ("2026-03-29 20:30", "2026-03-28 08:00", "2026-03-28 19:30"),
        ("2026-03-30 01:30", "2026-03-28 12:30", "2026-03-29 00:30"),
        ("2026-10-25 20:30", "2026-10-24 09:30", "2026-10-24 21:30"),
        ("2026-10-26 14:00", "2026-10-25 08:00", "2026-10-25 14:00"),
    ],
)
def test_when_the_question_is_asked_and_until_when(curtain: str, since: str, deadline: str) -> None:
    asked = question(24, rome(curtain), Night(22, 8, ROME))
    assert (asked.since, asked.deadline) == (rome(since), rome(deadline))


def deliver_questions() -> None:
    """As if the worker had sent the questions."""
    with transaction() as session:
        session.execute(
            update(Mail)
            .where(Mail.kind == MailKind.QUESTION)
            .values(delivery=Delivery.SENT, sent_at=Mail.created_at)
        )


def an_evening(seats: int = 20) -> tuple[Performance, datetime, datetime]:
    """A performance whose question is due now; that moment, and its deadline."""
    curtain = now() + 36 * HOUR
    performance = a_performance(seats, starts_at=curtain)
    return performance, now() + timedelta(minutes=10), curtain - 24 * HOUR


def question_of(party: Any) -> UUID:
    return db.session.scalars(
        select(Mail.id).where(Mail.reservation_id == party.id, Mail.kind == "question")
    ).one()


@pytest.mark.usefixtures("asking")
def test_seats_of_those_who_never_answer_go_to_the_waitlist() -> None:
    performance, asked, deadline = an_evening(4)
    silent, coming = a_party(performance), a_party(performance)
    waiting = a_waiting_party(performance.id)
    long_ago(silent, coming)
    answer_coming(coming.id, now())
    assert (write_questions(asked), write_questions(asked)) == (1, 0)
    deliver_questions()
    assert release_unanswered(deadline - timedelta(seconds=1)) == 0
    assert (release_unanswered(deadline), release_unanswered(deadline)) == (1, 0)
    states = [fresh(each.id).state for each in (silent, coming, waiting)]
    assert states == ["cancelled", "confirmed", "pending"]
    assert mails(silent).count("cancelled") == 1
    assert mails(waiting).count("offer") == 1
    assert seats_held(performance.id) == (3, 3)
    newest = select(Mail.id).where(Mail.reservation_id == silent.id, Mail.kind == "cancelled")
    draft = read_draft(db.session.scalars(newest).one())
    assert draft is not None
    assert "got no answer" in draft.build().text


@pytest.mark.usefixtures("asking")
def test_nobody_loses_seats_whom_the_question_did_not_reach_or_who_was_heard_of() -> None:
    performance, asked, deadline = an_evening()
    unsent, fewer, late, noted = (a_party(performance, 3) for _ in range(4))
    long_ago(unsent, fewer, late, noted)
    later = a_party(performance)
    assert write_questions(asked) == 4
    assert "question" not in mails(later)
    with transaction() as session:
        session.execute(text("UPDATE mail SET created_at = now() WHERE kind = 'question'"))
    deliver_questions()
    with transaction() as session:
        of_unsent = update(Mail).where(Mail.id == question_of(unsent))
        session.execute(of_unsent.values(delivery=Delivery.FAILED, sent_at=None))
        session.execute(
            text("UPDATE reservation SET late_at = now() WHERE id = :id"), {"id": late.id}
        )
        session.execute(
            text("UPDATE reservation SET note = 'rang us' WHERE id = :id"), {"id": noted.id}
        )
    rules.reduce_seats(fewer.id, 2)
    assert release_unanswered(deadline) == 0


@pytest.mark.usefixtures("asking")
def test_a_question_that_leaves_too_little_time_is_not_sent() -> None:
    performance, asked, _ = an_evening()
    party, answered = a_party(performance), a_party(performance)
    long_ago(party, answered)
    write_questions(asked)
    answer_coming(answered.id, now())
    drafts = [read_draft(question_of(each)) for each in (party, answered)]
    assert [draft and draft.needless for draft in drafts] == [None, OUTDATED]
    with transaction() as session:
        # Its deadline is in two hours.
        session.execute(update(Mail).where(Mail.kind == "question").values(hours_before=34))
    draft = read_draft(question_of(party))
    assert draft is not None
    assert draft.needless == OUTDATED


def test_form_and_mails_say_it_while_it_is_on(asking: Flask, app: Flask) -> None:
    performance = a_performance(starts_at=now() + 90 * HOUR)
    party = a_party(performance)
    ticket = select(Mail.id).where(Mail.reservation_id == party.id, Mail.kind == "ticket")
    draft = read_draft(db.session.scalars(ticket).one())
    assert draft is not None
    assert "loses the seats" in draft.build().text
    assert "loses the seats" in draft.build().html
    address = f"/en/performances/{performance.id}/book"
    assert "loses the seats" in asking.test_client().get(address).text
    assert "loses the seats" not in app.test_client().get(address).text


def test_by_default_nobody_is_asked(app: Flask) -> None:
    with app.app_context():
        performance, asked, deadline = an_evening()
        party = a_party(performance)
        long_ago(party)
        assert write_questions(asked) == 0
        assert release_unanswered(deadline) == 0

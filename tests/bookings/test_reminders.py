"""Reminders: when they are due, to whom, once each; and the answer to them."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from azionelab.bookings import rules
from azionelab.bookings.box_office.book_for import Guest, book_for
from azionelab.bookings.errors import PerformanceStarted, ReservationEnded
from azionelab.bookings.mails.messages import read_draft
from azionelab.bookings.mails.superseded import OUTDATED
from azionelab.bookings.models import Reservation
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.bookings.reminders import sending
from azionelab.bookings.reminders.answers import Answers, answer_coming, count_answers
from azionelab.bookings.reminders.moments import due_reminder
from azionelab.checkin.scanning.scans import admit
from azionelab.database import db, now, transaction
from azionelab.mail.models import Mail
from azionelab.settings.night import Night
from azionelab.shows.models import Show
from tests.bookings.test_pages import ENGLISH, fields
from tests.factories import DOOR_A, a_party, a_performance, mails, move, visitor_token

ROME = ZoneInfo("Europe/Rome")
HOUR = timedelta(hours=1)


@pytest.fixture
def by_day(make_app: Callable[..., Flask]) -> Iterator[None]:
    """An application without a night, so that tests do not depend on the time of day."""
    with make_app(NIGHT_BEGINS="0", NIGHT_ENDS="0", REMINDER_HOURS="48, 3").app_context():
        yield


def rome(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=ROME)


@pytest.mark.parametrize(
    ("at", "curtain", "hours"),
    [
        ("2026-06-03 20:29", "2026-06-05 20:30", None),
        ("2026-06-03 20:30", "2026-06-05 20:30", 48),
        ("2026-06-04 20:29", "2026-06-05 20:30", 48),  # the worker was away
        ("2026-06-04 20:31", "2026-06-05 20:30", None),  # for too long
        ("2026-06-05 17:30", "2026-06-05 20:30", 3),
        ("2026-06-05 20:30", "2026-06-05 20:30", None),
        # In the night it waits for the morning, unless the curtain is near then: a matinee at ten.
        ("2026-06-03 23:00", "2026-06-05 23:00", None),
        ("2026-06-04 08:00", "2026-06-05 23:00", 48),
        ("2026-06-05 07:00", "2026-06-05 10:00", 3),
        # 48 hours are 48 hours on both nights when the clocks change: an hour earlier by the clock, and later.
        ("2026-03-27 19:30", "2026-03-29 20:30", 48),
        ("2026-03-27 19:29", "2026-03-29 20:30", None),
        ("2026-10-23 21:29", "2026-10-25 20:30", None),
        ("2026-10-23 21:30", "2026-10-25 20:30", 48),
        # A morning is at eight, whichever hour the night had.
        ("2026-10-25 07:59", "2026-10-26 23:30", None),
        ("2026-10-25 08:00", "2026-10-26 23:30", 48),
    ],
)
def test_when_a_reminder_is_due(at: str, curtain: str, hours: int | None) -> None:
    due = due_reminder((48, 3), rome(curtain), rome(at), Night(22, 8, ROME))
    assert (due and due.hours) == hours


def long_ago(*parties: Reservation) -> None:
    """As if they had confirmed, and read of it, ten days ago."""
    ids = [party.id for party in parties]
    with transaction() as session:
        for table, column in (("reservation", "confirmed_at"), ("mail", "created_at")):
            of = "id" if table == "reservation" else "reservation_id"
            session.execute(
                text(f"UPDATE {table} SET {column} = :at WHERE {of} = ANY(:ids)"),
                {"at": now() - timedelta(days=10), "ids": ids},
            )


def reminded(party: Any) -> int:
    return mails(party).count("reminder")


def newest(party: Any) -> Mail:
    """The newest reminder of a party."""
    of_party = select(Mail).where(Mail.reservation_id == party.id, Mail.kind == "reminder")
    return db.session.scalars(of_party.order_by(Mail.created_at.desc()).limit(1)).one()


def test_each_party_is_reminded_once_of_each_and_whoever_books_later_of_less(by_day: None) -> None:
    performance = a_performance(20, starts_at=now() + 48 * HOUR)
    first, later = a_party(performance), a_party(performance)
    caller = book_for(performance.id, Guest("Bruno Neri", "", "it"), 2)
    unconfirmed = a_party(performance, confirmed=False)
    long_ago(first, caller)
    for at in (now(), now(), performance.starts_at - 3 * HOUR, performance.starts_at - 2 * HOUR):
        sending.write_due(at)
    assert [reminded(each) for each in (first, later, caller, unconfirmed)] == [2, 1, 0, 0]


def test_the_database_refuses_a_second_one(by_day: None) -> None:
    performance = a_performance(starts_at=now() + 48 * HOUR)
    party = a_party(performance)
    long_ago(party)
    sending.write_due(now())
    copy = (
        "INSERT INTO mail (id, reservation_id, kind, delivery, created_at, curtain, hours_before)"
    )
    copy += " SELECT gen_random_uuid(), reservation_id, kind, delivery, now(), curtain, hours_before FROM mail"
    with pytest.raises(IntegrityError, match="uq_mail_reminder"), transaction() as session:
        session.execute(text(copy + " WHERE kind = 'reminder'"))


def test_whoever_does_not_come_or_is_there_gets_none(by_day: None) -> None:
    performance, called_off = (a_performance(20, starts_at=now() + 48 * HOUR) for _ in range(2))
    gone, here, off = a_party(performance), a_party(performance), a_party(called_off)
    long_ago(gone, here, off)
    rules.cancel(gone.id)
    admit(performance.id, here.reference, uuid4(), DOOR_A)
    cancel_performance(called_off.id)
    sending.write_due(now())
    assert [reminded(each) for each in (gone, here, off)] == [0, 0, 0]


def test_a_show_has_reminders_of_its_own_or_none(by_day: None) -> None:
    parties = []
    for own in ("none", "48", "24"):
        performance = a_performance(starts_at=now() + 48 * HOUR)
        with transaction() as session:
            session.execute(
                update(Show).where(Show.id == performance.show_id).values(reminders=own)
            )
        parties.append(a_party(performance))
    long_ago(*parties)
    sending.write_due(now())
    assert [reminded(each) for each in parties] == [0, 1, 0]


def test_of_a_moved_evening_the_old_reminder_is_withdrawn_and_a_new_one_written(
    by_day: None,
) -> None:
    performance = a_performance(starts_at=now() + 48 * HOUR)
    party = a_party(performance)
    long_ago(party)
    sending.write_due(now())
    answer_coming(party.id, now())
    assert count_answers([performance.id]) == {performance.id: Answers(2, 2)}
    late = newest(party).id
    curtain = now() + 72 * HOUR
    move(performance.id, curtain)
    draft = read_draft(late)
    assert draft is not None
    assert draft.needless == OUTDATED
    # Nobody has said that they come to the new time.
    assert count_answers([performance.id]) == {performance.id: Answers(0, 0)}
    sending.write_due(curtain - 48 * HOUR)
    assert reminded(party) == 2
    draft = read_draft(newest(party).id)
    assert draft is not None
    assert draft.needless is None


def test_only_the_press_of_the_button_answers(by_day: None, client: FlaskClient) -> None:
    performance = a_performance(starts_at=now() + 48 * HOUR)
    party = a_party(performance, 3)
    long_ago(party)
    sending.write_due(now())
    draft = read_draft(newest(party).id)
    assert draft is not None
    message = draft.build()
    token = visitor_token(party)
    assert message.link.endswith(f"/bookings/{token}/coming")
    assert f"/bookings/{token}/cancel" in message.text
    address = f"/bookings/{token}/coming"
    form = fields(client.get(address, headers=ENGLISH).text)
    # A scanner that submits the form as it is.
    assert client.post(address, data=form, headers=ENGLISH).status_code == 422
    assert count_answers([performance.id])[performance.id].coming == 0
    for _ in range(2):
        pressed = client.post(address, data=form | {"answer": "coming"}, headers=ENGLISH)
        assert pressed.status_code == 303
    assert count_answers([performance.id]) == {performance.id: Answers(3, 3)}
    assert "You have told us" in client.get(address, headers=ENGLISH).text
    assert "You have told us" in read_draft(newest(party).id).build().text  # type: ignore[union-attr]


def test_who_has_no_seats_or_comes_after_the_curtain_cannot_answer(by_day: None) -> None:
    performance = a_performance()
    party, gone = a_party(performance), a_party(performance)
    rules.cancel(gone.id)
    with pytest.raises(ReservationEnded):
        answer_coming(gone.id, now())
    with pytest.raises(PerformanceStarted):
        answer_coming(party.id, performance.starts_at)

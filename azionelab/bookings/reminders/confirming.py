"""Confirm again or lose your seats: CONFIRM_AGAIN_HOURS before the curtain, off unless the theatre sets it.

Whoever never answered a reminder is asked once more. At the deadline the seats of those whom the question reached, and
who did not answer, are released as by a cancellation: the waitlist is offered them.
"""

from datetime import datetime
from uuid import UUID

from flask import current_app
from sqlalchemy import Select, String, cast, exists, func, select

from azionelab.bookings.errors import ReservationUnknown
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_with_performance
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.reminders.answers import SAID_COMING
from azionelab.bookings.reminders.moments import question
from azionelab.bookings.reminders.sending import (
    coming_evenings,
    expected_since,
    has_mail,
    write_some,
)
from azionelab.bookings.transitions import parties
from azionelab.database import transaction
from azionelab.database.audit import AuditEntry
from azionelab.mail.models import Delivery, Mail, MailKind
from azionelab.settings.config import Config
from azionelab.settings.night import theatres_night
from azionelab.shows.models import Performance

# A party that told the door when it comes is coming.
_ANSWERED = SAID_COMING | Reservation.late_at.is_not(None)


def answer_by(curtain: datetime, at: datetime) -> datetime | None:
    """The deadline that concerns whoever books `at` a moment; None when there is none, or they are not asked any more."""
    hours = _hours()
    if not hours:
        return None
    asked = question(hours, curtain, theatres_night())
    return asked.deadline if at < asked.moment else None


def write_questions(at: datetime) -> int:
    """Ask the parties that never answered, when it is time; how many. Run again, it continues and asks nobody twice."""
    hours, total = _hours(), 0
    if not hours:
        return 0
    night = theatres_night()
    for performance_id, curtain, _of_show in coming_evenings(at):
        due = question(hours, curtain, night)
        if not due.since <= at < due.until:
            continue
        asked = has_mail(Mail.kind == MailKind.QUESTION, Mail.curtain == curtain)
        to_ask = expected_since(performance_id, curtain, due.moment).where(~asked, ~_ANSWERED)
        while written := write_some(MailKind.QUESTION, curtain, hours, at, to_ask):
            total += written
    return total


def release_unanswered(at: datetime) -> int:
    """Release the seats of parties that were asked and did not answer in time; of how many parties.

    Each in a transaction of its own, which passes the seats on and writes the mail that says so.
    """
    if not _hours():
        return 0
    with transaction() as session:
        found = session.scalars(_unanswered(at)).all()
    return sum(_release(reservation_id, at) for reservation_id in found)


def _release(reservation_id: UUID, at: datetime) -> bool:
    with transaction() as session:
        try:
            reservation = lock_with_performance(session, reservation_id)
        except ReservationUnknown:
            return False
        # As it is now: they may have answered, or moved to another evening, while we waited for the lock.
        if session.scalar(_unanswered(at).where(Reservation.id == reservation_id)) is None:
            return False
        parties.cancel(session, reservation, By.NO_ANSWER)
        return True


def _unanswered(at: datetime) -> Select[UUID]:
    """The parties whose deadline has passed: the one that their mail named, whatever the setting is now."""
    # Whatever its visitor or the box office changed since, they have been heard from: fewer seats, a note, a
    # cancellation that was taken back.
    changed_since = exists().where(
        AuditEntry.object_type == "reservation",
        AuditEntry.object_id == cast(Reservation.id, String),
        AuditEntry.at > Mail.created_at,
    )
    deadline = Mail.curtain - func.make_interval(0, 0, 0, 0, Mail.hours_before)
    return (
        select(Reservation.id)
        .join(Mail, Mail.reservation_id == Reservation.id)
        .join(Reservation.performance)
        .where(
            Mail.kind == MailKind.QUESTION,
            Mail.delivery == Delivery.SENT,
            Mail.curtain == Performance.starts_at,
            Performance.starts_at > at,
            Performance.cancelled_at.is_(None),
            deadline <= at,
            Mail.sent_at < deadline,
            Reservation.state == State.CONFIRMED,
            Reservation.admitted == 0,
            ~_ANSWERED,
            ~changed_since,
        )
        .order_by(Reservation.id)
    )


def _hours() -> int:
    settings: Config = current_app.config["AZIONELAB"]
    return settings.confirm_again_hours

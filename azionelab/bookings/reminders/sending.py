"""Writes the reminders that are due, in batches that each are a transaction of their own.

`write_questions` of confirming.py asks whoever never answered, and comes first.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.engine import Row

from azionelab.bookings.models import Reservation, State
from azionelab.bookings.reminders.moments import Reminder, due_reminder
from azionelab.bookings.reminders.unsubscribing import IS_UNSUBSCRIBED
from azionelab.database import transaction
from azionelab.mail.models import Mail, MailKind
from azionelab.mail.outbox import enqueue_reminders
from azionelab.settings.config import Config
from azionelab.settings.night import theatres_night
from azionelab.shows.models import Performance, Show
from azionelab.validation.hours import MAX_HOURS, read_hours

_BATCH = 100  # mails in one transaction
# Mails by which a party has learnt when it is expected: whoever got one after a reminder's moment needs no reminder.
_NEWS = (MailKind.TICKET, MailKind.CHANGED, MailKind.MOVED)


def write_due(at: datetime) -> int:
    """Write the reminders that are due `at` a moment; how many. Run again, it continues and writes none twice."""
    night = theatres_night()
    total = 0
    for performance_id, curtain, hours in coming_evenings(at):
        due = due_reminder(reminder_hours(hours), curtain, at, night)
        if due is None:
            continue
        parties = _to_remind(performance_id, curtain, due)
        while written := write_some(MailKind.REMINDER, curtain, due.hours, at, parties):
            total += written
    return total


def reminder_hours(of_show: str) -> tuple[int, ...]:
    """How many hours before the curtain parties are reminded: as the show says, or else the settings."""
    settings: Config = current_app.config["AZIONELAB"]
    return read_hours(of_show) if of_show else settings.reminder_hours


def coming_evenings(at: datetime) -> Sequence[Row[int, datetime, str]]:
    """Performances whose reminders may be due: id, curtain, and what the show says of them."""
    with transaction() as session:
        return session.execute(
            select(Performance.id, Performance.starts_at, Show.reminders)
            .join(Performance.show)
            .where(
                Performance.cancelled_at.is_(None),
                Performance.starts_at > at,
                Performance.starts_at <= at + timedelta(hours=MAX_HOURS),
            )
            .order_by(Performance.starts_at, Performance.id)
        ).all()


def write_some(
    kind: MailKind, curtain: datetime, hours: int, at: datetime, parties: Select[UUID]
) -> int:
    """Write one batch of mails to the selected parties; how many are selected."""
    with transaction() as session:
        found = session.scalars(parties.limit(_BATCH)).all()
        if found:
            enqueue_reminders(session, kind, curtain, hours, found, at=at)
        return len(found)


def expected_since(performance_id: int, curtain: datetime, moment: datetime) -> Select[UUID]:
    """The parties to write to that were confirmed by a moment, and have read nothing newer about their evening."""
    return (
        select(Reservation.id)
        .join(Reservation.performance)
        .where(
            Reservation.performance_id == performance_id,
            Performance.starts_at == curtain,
            Performance.cancelled_at.is_(None),
            Reservation.state == State.CONFIRMED,
            Reservation.confirmed_at <= moment,
            Reservation.admitted == 0,
            Reservation.released < Reservation.seats,
            Reservation.email != "",
            ~has_mail(Mail.kind.in_(_NEWS), Mail.created_at > moment),
        )
        .order_by(Reservation.id)
    )


def has_mail(*which: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that a reservation has such a mail."""
    return exists().where(Mail.reservation_id == Reservation.id, *which)


def _to_remind(performance_id: int, curtain: datetime, due: Reminder) -> Select[UUID]:
    """The parties that have neither this reminder nor a later one, nor were just asked to confirm again."""
    reminded = has_mail(
        Mail.kind == MailKind.REMINDER, Mail.curtain == curtain, Mail.hours_before <= due.hours
    )
    asked = has_mail(
        Mail.kind == MailKind.QUESTION, Mail.curtain == curtain, Mail.created_at >= due.moment
    )
    return expected_since(performance_id, curtain, due.moment).where(
        ~reminded, ~asked, ~IS_UNSUBSCRIBED
    )

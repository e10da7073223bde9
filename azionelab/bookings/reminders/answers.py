"""Who says that they are coming: one press on the page that a reminder leads to, counted for each performance."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from azionelab.bookings.errors import PerformanceStarted, ReservationEnded
from azionelab.bookings.locks import lock_reservation
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.reminders.models import ComingAnswer
from azionelab.database import db, transaction
from azionelab.mail.models import Mail
from azionelab.shows.models import Performance

# An answer to the curtain as it is now: one to another time or evening counts no more.
SAID_COMING = exists().where(
    ComingAnswer.reservation_id == Reservation.id, ComingAnswer.curtain == Performance.starts_at
)
_REMINDED = exists().where(
    Mail.reservation_id == Reservation.id, Mail.curtain == Performance.starts_at
)


@dataclass(frozen=True)
class Answers:
    """Seats of a performance's confirmed parties: of those that were reminded, and of those that said they come."""

    reminded: int = 0
    coming: int = 0


def answer_coming(reservation_id: UUID, at: datetime) -> Reservation:
    """Record that a confirmed party is coming. Saying so again changes nothing.

    Its seats are its own anyway; giving them back is `rules.cancel` and `rules.reduce_seats`. Raises
    ReservationUnknown, ReservationEnded, PerformanceStarted.
    """
    with transaction() as session:
        reservation = lock_reservation(session, reservation_id)
        if not reservation.has_ticket:
            raise ReservationEnded
        curtain = reservation.performance.starts_at
        if at >= curtain:
            raise PerformanceStarted
        session.execute(
            insert(ComingAnswer)
            .values(reservation_id=reservation.id, curtain=curtain, answered_at=at)
            .on_conflict_do_nothing()
        )
        return reservation


def has_answered(session: Session, reservation: Reservation) -> bool:
    """Whether a party has said that it is coming to its performance as it is now."""
    key = (reservation.id, reservation.performance.starts_at)
    return session.get(ComingAnswer, key) is not None


def count_answers(performance_ids: Iterable[int]) -> Mapping[int, Answers]:
    """The answers of performances; those without a confirmed party are not among them."""
    rows = db.session.execute(
        select(
            Reservation.performance_id,
            _seats(_REMINDED),
            _seats(SAID_COMING),
        )
        .join(Reservation.performance)
        .where(
            Reservation.performance_id.in_(performance_ids), Reservation.state == State.CONFIRMED
        )
        .group_by(Reservation.performance_id)
    )
    return {performance_id: Answers(reminded, coming) for performance_id, reminded, coming in rows}


def _seats(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(Reservation.seats).filter(which), 0)

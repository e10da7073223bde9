"""Which rows a use case locks, and in which order: performance, then reservation.

docs/locking.md is the law; these two functions are the only places that take a row lock here.
"""

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from azionelab.bookings.errors import BookingError, PerformanceUnknown, ReservationUnknown
from azionelab.bookings.models import Reservation
from azionelab.database import require_transaction
from azionelab.shows.models import Performance

Row = TypeVar("Row", Performance, Reservation)

# FOR NO KEY UPDATE: scans and mails that only refer to the row need not wait.
_FOR_NO_KEY_UPDATE: Any = {"key_share": True}


def lock_performance(session: Session, performance_id: int) -> Performance:
    """The performance as it is now, locked until the transaction ends; PerformanceUnknown."""
    return _lock(session, Performance, performance_id, PerformanceUnknown)


def lock_reservation(session: Session, reservation_id: UUID) -> Reservation:
    """The reservation as it is now, locked until the transaction ends; ReservationUnknown."""
    return _lock(session, Reservation, reservation_id, ReservationUnknown)


def lock_with_performance(session: Session, reservation_id: UUID) -> Reservation:
    """Lock a reservation and, before it, its performance: for what changes the seats held."""
    reservation = session.get(Reservation, reservation_id)
    if reservation is None:
        raise ReservationUnknown
    lock_performance(session, reservation.performance_id)
    return lock_reservation(session, reservation_id)


def _lock(session: Session, model: type[Row], identity: object, unknown: type[BookingError]) -> Row:
    require_transaction(session)
    row = session.get(model, identity, with_for_update=_FOR_NO_KEY_UPDATE, populate_existing=True)
    if row is None:
        raise unknown
    return row

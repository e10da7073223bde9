"""Which rows a use case locks, and in which order: performance, then reservation.

docs/locking.md is the law; these two functions are the only places that take a row lock here.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session, joinedload

from azionelab.bookings.errors import PerformanceUnknown, ReservationUnknown
from azionelab.bookings.models import Reservation
from azionelab.database import require_transaction
from azionelab.shows.models import Performance

# FOR NO KEY UPDATE: scans and mails that only refer to the row need not wait.
_FOR_NO_KEY_UPDATE: dict[str, Any] = {"key_share": True}


def lock_performance(session: Session, performance_id: int) -> Performance:
    """The performance as it is now, locked until the transaction ends; PerformanceUnknown.

    Its show is read with it, not locked.
    """
    require_transaction(session)
    performance = session.get(
        Performance,
        performance_id,
        options=[joinedload(Performance.show, innerjoin=True)],
        with_for_update=_FOR_NO_KEY_UPDATE | {"of": Performance},
        populate_existing=True,
    )
    if performance is None:
        raise PerformanceUnknown
    return performance


def lock_reservation(session: Session, reservation_id: UUID) -> Reservation:
    """The reservation as it is now, locked until the transaction ends; ReservationUnknown.

    Its performance is read with it, not locked.
    """
    require_transaction(session)
    reservation = session.get(
        Reservation,
        reservation_id,
        options=[joinedload(Reservation.performance, innerjoin=True)],
        with_for_update=_FOR_NO_KEY_UPDATE | {"of": Reservation},
        populate_existing=True,
    )
    if reservation is None:
        raise ReservationUnknown
    return reservation


def lock_with_performance(session: Session, reservation_id: UUID) -> Reservation:
    """Lock a reservation and, before it, its performance: for what changes the seats held."""
    reservation = session.get(Reservation, reservation_id)
    if reservation is None:
        raise ReservationUnknown
    lock_performance(session, reservation.performance_id)
    return lock_reservation(session, reservation_id)

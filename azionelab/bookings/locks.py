"""The row locks on performances and reservations: performance first, then reservation (docs/locking.md).

No other module locks these rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, literal_column, select
from sqlalchemy.orm import Session, joinedload

from azionelab.bookings.errors import PerformanceUnknown, ReservationUnknown

# A mail names this model, and the statements below need all models that are named.
from azionelab.bookings.hand_over.models import HandOver  # noqa: F401
from azionelab.bookings.models import PARTY_COLUMNS, Reservation, State
from azionelab.bookings.party import Party
from azionelab.database import read_row, require_transaction, take_locks
from azionelab.shows.models import Performance

# The statements are built once, since others wait for these locks. They are FOR NO KEY UPDATE (`key_share`), so
# that inserts of scans and mails, which only refer to the row, do not wait.
_PERFORMANCE = (
    select(Performance)
    .where(Performance.id == bindparam("id"))
    .options(joinedload(Performance.show, innerjoin=True))
    .with_for_update(key_share=True, of=Performance)
    .execution_options(populate_existing=True)
)
_RESERVATION = (
    select(Reservation)
    .where(Reservation.id == bindparam("id"))
    .options(joinedload(Reservation.performance, innerjoin=True))
    .with_for_update(key_share=True, of=Reservation)
    .execution_options(populate_existing=True)
)
_PERFORMANCE_OF = select(Reservation.performance_id).where(Reservation.id == bindparam("id"))
_PARTY = (
    select(*PARTY_COLUMNS, Performance.cancelled_at, Performance.reentry)
    .join(Reservation.performance)
    .where(Reservation.id == bindparam("id"))
    .with_for_update(key_share=True, of=Reservation)
)
# The rule of admission once more, in SQL: a party of which everybody is expected and nobody is in. Letting it in by
# one statement takes a third less CPU time than `lock_party` and `decide` (docs/performance.md); tests compare both.
EXPECTED_FACTS: tuple[Any, ...] = (
    Reservation.id,
    Reservation.reference,
    Reservation.name,
    Reservation.seats,
    Reservation.wheelchair_places,
    Reservation.note,
    Reservation.reduced_from,
    Reservation.reduced_at,
    Reservation.reduced_by,
)
_EXPECTED_PARTY = (
    select(*EXPECTED_FACTS)
    .join(Reservation.performance)
    .where(
        Reservation.performance_id == bindparam("performance_id"),
        Reservation.state == literal_column(f"'{State.CONFIRMED}'"),
        Reservation.admitted == literal_column("0"),
        Reservation.released == literal_column("0"),
        Performance.cancelled_at.is_(None),
    )
    .with_for_update(key_share=True, of=Reservation)
)
# By the type of the identity: a ticket has the reference, one before 0.4 the id.
EXPECTED_PARTY: dict[type, Select[Any]] = {
    UUID: _EXPECTED_PARTY.where(Reservation.id == bindparam("named")),
    str: _EXPECTED_PARTY.where(Reservation.reference == bindparam("named")),
}
# A reservation that is moved to another performance while we wait for its row is not found: PostgreSQL joins the
# row as it is now with the performance as it was asked for. The next statement finds it.
_TRIES = 3
_LIVE_PARTIES = (
    select(Reservation)
    .where(Reservation.performance_id == bindparam("performance"), Reservation.is_live)
    .order_by(Reservation.id)
    .with_for_update(key_share=True, of=Reservation)
    .execution_options(populate_existing=True)
)
_WAITING_PARTIES = (
    select(Reservation)
    .where(
        Reservation.performance_id == bindparam("performance"),
        Reservation.state == literal_column(f"'{State.WAITING}'"),
    )
    .order_by(Reservation.waiting_since, Reservation.id)
    .with_for_update(key_share=True, of=Reservation)
    .execution_options(populate_existing=True)
)


def lock_performance(session: Session, performance_id: int) -> Performance:
    """The performance as it is now, locked until the transaction ends; PerformanceUnknown.

    Its show is read with it, not locked.
    """
    require_transaction(session)
    performance = session.scalar(_PERFORMANCE, {"id": performance_id})
    if performance is None:
        raise PerformanceUnknown
    return performance


def lock_reservation(session: Session, reservation_id: UUID) -> Reservation:
    """The reservation as it is now, locked until the transaction ends; ReservationUnknown.

    Its performance is read with it, not locked.
    """
    require_transaction(session)
    for _ in range(_TRIES):
        reservation = session.scalar(_RESERVATION, {"id": reservation_id})
        if reservation is not None:
            return reservation
    raise ReservationUnknown


@dataclass(frozen=True, slots=True)
class LockedParty(Party):
    """A party with what the door asks of its performance."""

    cancelled_at: datetime | None = None
    reentry: bool = False


def lock_party(session: Session, reservation_id: UUID) -> LockedParty:
    """Lock a reservation and read what the door asks of it.

    Raises ReservationUnknown.
    """
    require_transaction(session)
    for _ in range(_TRIES):
        found = read_row(session.connection(), _PARTY, {"id": reservation_id})
        if found is not None:
            return LockedParty(*found)
    raise ReservationUnknown


def lock_live_parties(session: Session, performance_id: int) -> Sequence[Reservation]:
    """All live reservations of a performance that is locked already, locked in their order."""
    require_transaction(session)
    return session.scalars(_LIVE_PARTIES, {"performance": performance_id}).all()


def lock_waiting_parties(session: Session, performance_id: int) -> Sequence[Reservation]:
    """The waitlist of a performance that is locked already, locked in its order: who is not in line comes last."""
    require_transaction(session)
    return session.scalars(_WAITING_PARTIES, {"performance": performance_id}).all()


def lock_with_performance(session: Session, reservation_id: UUID) -> Reservation:
    """Lock a reservation and, before it, its performance: for changes of the seats held.

    Staff may move it to another performance between reading and locking. Both locks are let go then, since the
    other performance's must come before the reservation's.
    """

    def lock_both() -> Reservation | None:
        performance_id = session.scalar(_PERFORMANCE_OF, {"id": reservation_id})
        if performance_id is None:
            raise ReservationUnknown
        lock_performance(session, performance_id)
        reservation = lock_reservation(session, reservation_id)
        return reservation if reservation.performance_id == performance_id else None

    while True:
        reservation = take_locks(session, lock_both)
        if reservation is not None:
            return reservation


def lock_performances(session: Session, *performance_ids: int) -> dict[int, Performance]:
    """Several performances, locked in the order of their ids; PerformanceUnknown."""
    return {one: lock_performance(session, one) for one in sorted(set(performance_ids))}


def lock_reservations(session: Session, *reservation_ids: UUID) -> dict[UUID, Reservation]:
    """Several reservations, locked in the order of their ids; ReservationUnknown."""
    return {one: lock_reservation(session, one) for one in sorted(set(reservation_ids))}

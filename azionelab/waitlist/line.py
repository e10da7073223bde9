"""Who is in line at a performance, in which order. Reads only."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal_column, or_, select, tuple_

from azionelab.bookings.models import LIVE, Reservation, State
from azionelab.database import db

# Of the table, not of the class: that would configure the models before all of them are imported.
_other = Reservation.__table__.alias("other").c
_LIVE: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in LIVE]
# Whoever holds or got a booking meanwhile is passed over, also after giving it back.
_HAS_BOOKED = (
    exists()
    .where(
        _other.performance_id == Reservation.performance_id,
        _other.email_key == Reservation.email_key,
        _other.id != Reservation.id,
        or_(_other.state.in_(_LIVE), _other.confirmed_at > Reservation.waiting_since),
    )
    .correlate(Reservation)
)
# Who can be offered seats: the mailbox is confirmed, and its owner has neither booked nor been erased.
IN_LINE: ColumnElement[bool] = and_(
    Reservation.state == literal_column(f"'{State.WAITING}'"),
    Reservation.waiting_since.is_not(None),
    Reservation.email != literal_column("''"),
    ~_HAS_BOOKED,
)
ORDER: tuple[Any, ...] = (Reservation.waiting_since, Reservation.id)


@dataclass(frozen=True)
class Waiting:
    """How many parties and seats wait at a performance."""

    parties: int = 0
    seats: int = 0


def position(reservation: Reservation) -> int | None:
    """The place of a party in line, the first is 1; None when it is not in line."""
    if not db.session.scalar(
        select(Reservation.id).where(Reservation.id == reservation.id, IN_LINE)
    ):
        return None
    before = tuple_(*ORDER) < tuple_(reservation.waiting_since, reservation.id)
    ahead = db.session.scalar(
        select(func.count())
        .select_from(Reservation)
        .where(Reservation.performance_id == reservation.performance_id, IN_LINE, before)
    )
    return (ahead or 0) + 1


def parties_in_line(performance_id: int) -> Sequence[Reservation]:
    """The parties in line, the first one first."""
    return db.session.scalars(
        select(Reservation)
        .where(Reservation.performance_id == performance_id, IN_LINE)
        .order_by(*ORDER)
    ).all()


def count_in_line(performance_ids: Collection[int]) -> dict[int, Waiting]:
    """How many wait at each of these performances; those where nobody does are left out."""
    rows = db.session.execute(
        select(Reservation.performance_id, func.count(), func.sum(Reservation.seats))
        .where(Reservation.performance_id.in_(performance_ids), IN_LINE)
        .group_by(Reservation.performance_id)
    )
    return {row[0]: Waiting(row[1], int(row[2])) for row in rows}


def open_offers(performance_id: int) -> Sequence[Reservation]:
    """The offers of a performance that nobody has answered yet, the first deadline first."""
    return db.session.scalars(
        select(Reservation)
        .where(
            Reservation.performance_id == performance_id,
            Reservation.is_pending,
            Reservation.offered_at.is_not(None),
            Reservation.hold_expires_at > func.now(),
        )
        .order_by(Reservation.hold_expires_at, Reservation.id)
    ).all()


def count_unproven(performance_id: int) -> int:
    """How many entries are not in line yet, since nobody has confirmed their mailbox."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Reservation)
            .where(
                Reservation.performance_id == performance_id,
                Reservation.state == State.WAITING,
                Reservation.waiting_since.is_(None),
            )
        )
        or 0
    )

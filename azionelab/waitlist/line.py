"""Who is in line at a performance, in which order. Reads only."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from azionelab.bookings.models import LIVE, Reservation, State, unconfirmed
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
WAITS: ColumnElement[bool] = and_(
    Reservation.state == literal_column(f"'{State.WAITING}'"),
    Reservation.waiting_since.is_not(None),
    Reservation.email != literal_column("''"),
    ~_HAS_BOOKED,
)
# Of these, who had no offer yet. Whoever lets one lapse is asked no more, but near the curtain.
IN_LINE: ColumnElement[bool] = and_(WAITS, Reservation.offered_at.is_(None))
# Who said that they are near, and can be at the door by the curtain: in `minutes_left` at the latest.
NEAR: ColumnElement[bool] = and_(
    WAITS,
    Reservation.near_until > bindparam("at"),
    Reservation.near_minutes <= bindparam("minutes_left"),
)
ORDER: tuple[Any, ...] = (Reservation.waiting_since, Reservation.id)
# Near the curtain who had no offer yet comes first.
NEAR_ORDER: tuple[Any, ...] = (Reservation.offered_at.is_not(None), *ORDER)


class _Played(Protocol):
    """A performance, or its listing."""

    @property
    def id(self) -> int: ...
    @property
    def starts_at(self) -> datetime: ...


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


def waits(reservation: Reservation) -> bool:
    """Whether a party may be offered seats that come free: in line, or near the curtain only, after an offer lapsed."""
    here = select(Reservation.id).where(Reservation.id == reservation.id, WAITS)
    return db.session.scalar(here) is not None


def parties_in_line(performance_id: int) -> Sequence[Reservation]:
    """The parties in line, the first one first."""
    return _parties(performance_id, IN_LINE)


def parties_out_of_line(performance_id: int) -> Sequence[Reservation]:
    """The parties that let an offer lapse: they may still be offered seats when they are near."""
    return _parties(performance_id, and_(WAITS, ~IN_LINE))


def _parties(performance_id: int, who: ColumnElement[bool]) -> Sequence[Reservation]:
    return db.session.scalars(
        select(Reservation)
        .where(Reservation.performance_id == performance_id, who)
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


@dataclass(frozen=True)
class NearTheDoor:
    """Who waits near the theatre, and the seats that are on offer to such parties, the last of them until a moment."""

    waiting: Waiting
    on_offer: int
    until: datetime | None


def near_the_door(performance: _Played, at: datetime) -> NearTheDoor:
    """Who waits near a performance's door, and what is on offer to them."""
    here = Reservation.performance_id == performance.id
    waiting = db.session.execute(
        select(func.count(), func.coalesce(func.sum(Reservation.seats), 0)).where(here, NEAR),
        {"at": at, "minutes_left": minutes_left(performance.starts_at, at)},
    ).one()
    offered = db.session.execute(
        select(
            func.coalesce(func.sum(Reservation.seats), 0), func.max(Reservation.hold_expires_at)
        ).where(here, unconfirmed(at), Reservation.near_minutes.is_not(None))
    ).one()
    return NearTheDoor(Waiting(waiting[0], waiting[1]), offered[0], offered[1])


def minutes_left(curtain: datetime, at: datetime) -> int:
    """The whole minutes from `at` to the curtain."""
    return int((curtain - at) // timedelta(minutes=1))


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

"""How many seats and people a performance has now: the tiles of its pages. What happened at the doors: figures.py."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from azionelab.bookings.models import LIVE, Kind, Reservation, State, lapsed, unconfirmed
from azionelab.database import db, now
from azionelab.shows.models import Performance


@dataclass(frozen=True)
class HouseCounts:
    """People of one performance, summed over its live reservations, walk-ins included."""

    expected: int  # confirmed, without released seats
    inside: int
    pending: int  # held, not confirmed
    house: int  # kept back for the theatre
    without_hold: int  # pending without a hold, because the share of unconfirmed seats was used up
    released: int  # seats of no-shows
    walk_ins: int
    capacity: int
    wheelchair_places: int = 0  # of the capacity
    wheelchair_held: int = 0

    @property
    def to_come(self) -> int:
        """Confirmed people who have not been admitted."""
        return self.expected - self.inside

    @property
    def free(self) -> int:
        """Ordinary seats that nobody holds."""
        return self.capacity - self.expected - self.pending - self.house - self.wheelchair_free

    @property
    def wheelchair_free(self) -> int:
        """Wheelchair places that nobody holds."""
        return self.wheelchair_places - self.wheelchair_held


def house_counts(performance_ids: list[int], at: datetime | None = None) -> dict[int, HouseCounts]:
    """The counts of each performance, by its id. Lapsed holds count as free."""
    confirmed = Reservation.state == State.CONFIRMED
    waiting = unconfirmed(at or now())
    of_house = Reservation.kind == Kind.HOUSE
    pending = waiting & not_(of_house)
    held = pending & Reservation.holds_seats
    over = lapsed(at or now())
    rows = db.session.execute(
        select(
            Performance.id,  # then HouseCounts' fields, in their order
            _sum_people(Reservation.seats - Reservation.released, confirmed),
            _sum_people(Reservation.admitted, confirmed),
            _sum_people(Reservation.seats, held),
            _sum_people(Reservation.seats, waiting & of_house),
            _sum_people(Reservation.seats, pending & not_(Reservation.holds_seats)),
            _sum_people(Reservation.released, confirmed),
            _sum_people(
                Reservation.seats,
                confirmed & or_(Reservation.walk_in, Reservation.kind == Kind.DESK),
            ),
            Performance.capacity,
            Performance.wheelchair_places,
            Performance.wheelchair_held
            - _sum_people(Reservation.wheelchair_places, over & Reservation.holds_seats),
        )
        .outerjoin(
            Reservation,
            (Reservation.performance_id == Performance.id) & Reservation.state.in_(LIVE),
        )
        .where(Performance.id.in_(performance_ids))
        .group_by(Performance.id)
    )
    return {identity: HouseCounts(*figures) for identity, *figures in rows}


def _sum_people(
    counted: InstrumentedAttribute[int] | ColumnElement[int], which: ColumnElement[bool]
) -> ColumnElement[int]:
    return func.coalesce(func.sum(counted).filter(which), 0)

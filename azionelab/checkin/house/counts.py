"""The house of a performance at this moment: its people counted, and its parties found by name.

Reads only, and locks nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, not_, select
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from azionelab.bookings.models import LIVE, Reservation, State
from azionelab.bookings.references import read_reference
from azionelab.checkin.house.names import is_called, spellings
from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.validation.email_addresses import mailbox

MAX_FOUND = 20  # parties a search shows


@dataclass(frozen=True)
class HouseCounts:
    """People of one performance, counted over its live reservations; walk-ins are among them."""

    expected: int  # confirmed, but for those whose places were released
    inside: int
    pending: int  # held, not confirmed
    without_hold: int  # booked beyond the share that may be held: theirs when they confirm
    released: int  # places of people who did not come in time
    walk_ins: int
    capacity: int

    @property
    def to_come(self) -> int:
        """Confirmed people who are not in yet."""
        return self.expected - self.inside

    @property
    def free(self) -> int:
        """Seats nobody holds."""
        return self.capacity - self.expected - self.pending


@dataclass(frozen=True)
class Found:
    """Parties that a search found, by name; there are `more` than it shows."""

    parties: list[Reservation]
    more: bool


def evenings(at: datetime | None = None) -> list[Performance]:
    """The performances a door may open for: from a day ago to a week ahead, the nearest first."""
    moment = at or now()
    near = db.session.scalars(
        select(Performance)
        .options(joinedload(Performance.show), joinedload(Performance.venue))
        .where(
            Performance.starts_at.between(moment - timedelta(days=1), moment + timedelta(days=7))
        )
    ).all()
    return sorted(near, key=lambda performance: abs(performance.starts_at - moment))


def house_counts(performance_ids: list[int], at: datetime | None = None) -> dict[int, HouseCounts]:
    """The house of each performance at this moment. Lapsed holds count as free."""
    confirmed = Reservation.state == State.CONFIRMED
    pending = (Reservation.state == State.PENDING) & (Reservation.hold_expires_at > (at or now()))
    held = pending & Reservation.holds_seats
    rows = db.session.execute(
        select(
            Performance.id,
            _people(Reservation.seats - Reservation.released, confirmed),
            _people(Reservation.admitted, confirmed),
            _people(Reservation.seats, held),
            _people(Reservation.seats, pending & not_(Reservation.holds_seats)),
            _people(Reservation.released, confirmed),
            _people(Reservation.seats, confirmed & Reservation.walk_in),
            Performance.capacity,
        )
        .outerjoin(
            Reservation,
            (Reservation.performance_id == Performance.id) & Reservation.state.in_(LIVE),
        )
        .where(Performance.id.in_(performance_ids))
        .group_by(Performance.id)
    )
    return {identity: HouseCounts(*figures) for identity, *figures in rows}


def find_parties(performance_id: int, query: str) -> Found:
    """Live reservations of a performance by their name or a part of it (`names.py`), e-mail or reference.

    An address and a reference are found as a whole or not at all: by parts, somebody at the door could
    find out one letter by letter. At most MAX_FOUND; none for a query of fewer than two characters.
    """
    typed, wanted, reference = query.strip(), spellings(query), read_reference(query.strip())
    if len(typed) < 2 or "\0" in typed:
        return Found([], more=False)
    address = mailbox(typed) if "@" in typed else None
    # Compared here, as on a phone. An evening has a few thousand names at most, which takes some hundredths of a second.
    live = db.session.execute(
        select(Reservation.id, Reservation.name, Reservation.email, Reservation.reference)
        .where(
            Reservation.performance_id == performance_id,
            Reservation.state.in_(LIVE),
            Reservation.walk_in.is_(False),
        )
        .order_by(func.lower(Reservation.name), Reservation.id)
    )
    found = [
        row.id
        for row in live
        if (len(wanted[0]) >= 2 and is_called(row.name, wanted))
        # Not by `email_key`: in bookings of release 0.3 that is the address as it was typed.
        or (address and mailbox(row.email) == address)
        or row.reference == reference
    ]
    shown = select(Reservation).where(Reservation.id.in_(found[:MAX_FOUND]))
    by_identity = {party.id: party for party in db.session.scalars(shown)}
    # One that was erased in between is left out.
    parties = [by_identity[identity] for identity in found if identity in by_identity]
    return Found(parties, more=len(found) > MAX_FOUND)


def _people(
    counted: InstrumentedAttribute[int] | ColumnElement[int], which: ColumnElement[bool]
) -> ColumnElement[int]:
    return func.coalesce(func.sum(counted).filter(which), 0)

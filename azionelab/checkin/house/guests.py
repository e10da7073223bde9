"""The guest list of a performance: every live party and all walk-ins, each with its first admission. Reads only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import not_, select
from sqlalchemy.dialects.postgresql import distinct_on

from azionelab.bookings.models import LIVE, Kind, Reservation, lapsed
from azionelab.bookings.party import PartyCounts
from azionelab.checkin.models import Admission, Scan
from azionelab.checkin.scanning.scan_log import HAS_PEOPLE_IN
from azionelab.database import db, now


@dataclass(frozen=True)
class Guest(PartyCounts):
    """A party, or walk-ins, who have no name. `first_at` is None until somebody of it is let in."""

    reference: str
    name: str
    seats: int
    state: str
    admitted: int
    released: int
    outside: int
    note: str
    late_at: datetime | None
    walk_in: bool
    first_at: datetime | None
    first_door: str | None
    wheelchair_places: int = 0


def guests(performance_id: int, at: datetime | None = None) -> list[Guest]:
    """Live reservations without lapsed holds, and walk-ins, in the order in which they were made. No house seats: nobody comes with them."""
    first = (
        select(Scan.reservation_id, Scan.scanned_at, Scan.door)
        .outerjoin(Admission, Admission.scan_id == Scan.id)
        .where(Scan.performance_id == performance_id, HAS_PEOPLE_IN)
        .ext(distinct_on(Scan.reservation_id))
        .order_by(Scan.reservation_id, Scan.scanned_at)
        .subquery("first")
    )
    rows = db.session.execute(
        select(
            Reservation.reference,
            Reservation.name,
            Reservation.seats,
            Reservation.state,
            Reservation.admitted,
            Reservation.released,
            Reservation.outside,
            Reservation.note,
            Reservation.late_at,
            Reservation.walk_in,
            first.c.scanned_at,
            first.c.door,
            Reservation.wheelchair_places,
        )
        .outerjoin(first, first.c.reservation_id == Reservation.id)
        .where(
            Reservation.performance_id == performance_id,
            Reservation.state.in_(LIVE),
            not_(lapsed(at or now())),
            Reservation.kind != Kind.HOUSE,
        )
        .order_by(Reservation.created_at, Reservation.id)
    )
    return [Guest(*tuple(row)) for row in rows]

"""What a season's audience does: how early it books, when it arrives, who does not come."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Double, Integer, cast, exists, func, not_, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, array

from azionelab.bookings.models import Kind, Reservation, State
from azionelab.checkin.models import Admission, Scan
from azionelab.database import db
from azionelab.shows.models import Performance, Show

STEP = timedelta(minutes=5)
EARLIEST, LATEST = -60, 30  # minutes from the curtain; people before and after count there
LEAD_DAYS = (1, 2, 4, 8, 15, 29)  # the first day of each class but the first, which begins at 0
# People who came without a booking: let in at the door, or booked at the desk on their arrival.
WALKED_IN = or_(Reservation.walk_in, Reservation.kind == Kind.DESK)
# Days from the booking to the curtain. date_part is a good deal faster than extract, whose result is numeric.
LEAD = (
    func.date_part("epoch", Performance.starts_at - Reservation.created_at, type_=Double) / 86_400
)


@dataclass(frozen=True)
class Attendance:
    """One performance with a check-in: seats that were confirmed by its end, and people of these who came."""

    performance_id: int
    title: str
    starts_at: datetime
    capacity: int
    booked: int
    came: int
    walk_ins: int

    @property
    def stayed_away(self) -> int:
        """People who were expected and did not come."""
        return self.booked - self.came


def attendance(
    since: datetime, until: datetime, most: int, *which: ColumnElement[bool]
) -> list[Attendance]:
    """The last performances at which somebody was admitted, `most` at most, in order of time.

    They begin from `since` on and are over by `until`. Without a check-in nobody knows who came: such performances are
    left out, and cancelled ones too. Conditions of `which` are of performances and their shows.
    """
    # The parties of these performances alone are read, of five years' too.
    newest = (
        select(Performance.id)
        .join(Performance.show)
        .where(
            Performance.starts_at >= since,
            # Said once more for the index. While people come in, the others have not stayed away.
            Performance.starts_at < until,
            Performance.starts_at + Show.duration <= until,
            Performance.cancelled_at.is_(None),
            *which,
            exists().where(
                Reservation.performance_id == Performance.id,
                Reservation.state == State.CONFIRMED,
                Reservation.admitted > 0,
            ),
        )
        .order_by(Performance.starts_at.desc(), Performance.id.desc())
        .limit(most)
    )
    booked, walked_in = not_(WALKED_IN), WALKED_IN
    rows = db.session.execute(
        select(
            Performance.id,
            Show.title,
            Performance.starts_at,
            Performance.capacity,
            func.coalesce(func.sum(Reservation.seats).filter(booked), 0),
            func.coalesce(func.sum(Reservation.admitted).filter(booked), 0),
            func.coalesce(func.sum(Reservation.admitted).filter(walked_in), 0),
        )
        .join(Performance.show)
        .join(Reservation, Reservation.performance_id == Performance.id)
        .where(Performance.id.in_(newest), Reservation.state == State.CONFIRMED)
        .group_by(Performance.id, Show.id)
        .order_by(Performance.starts_at, Performance.id)
    )
    return [Attendance(*row) for row in rows]


def lead_times(since: datetime, until: datetime) -> list[int]:
    """The seats booked for performances between two moments by lead time, as `lead_seats` counts them."""
    return lead_seats(
        Performance.starts_at >= since,
        Performance.starts_at < until,
        Performance.cancelled_at.is_(None),
    )


def lead_seats(*which: ColumnElement[bool]) -> list[int]:
    """Confirmed seats of some performances, by how many days before the curtain they were booked.

    One figure for each class: on the day itself, then from each of LEAD_DAYS on. Walk-ins do not count.
    """
    firsts = cast(array(LEAD_DAYS), ARRAY(Double))
    number = func.width_bucket(LEAD, firsts, type_=Integer)
    rows = db.session.execute(
        select(number, func.sum(Reservation.seats))
        .join(Reservation.performance)
        .where(Reservation.state == State.CONFIRMED, not_(WALKED_IN), *which)
        .group_by(number)
    )
    found = {place: int(seats) for place, seats in rows}
    return [found.get(place, 0) for place in range(len(LEAD_DAYS) + 1)]


def arrivals(since: datetime, until: datetime) -> dict[int, int]:
    """People admitted to performances between two moments, by the step of STEP in which they came.

    The key is the step's first minute, counted from the curtain: -15 are 15 to 10 minutes before it. All steps from
    EARLIEST to LATEST are there.
    """
    minutes = func.date_part("epoch", Scan.scanned_at - Performance.starts_at) / 60
    width = STEP // timedelta(minutes=1)
    step = func.least(func.greatest(func.floor(minutes / width) * width, EARLIEST), LATEST)
    rows = db.session.execute(
        select(cast(step, Integer).label("step"), func.sum(Admission.people))
        .join(Scan, Scan.id == Admission.scan_id)
        .join(Performance, Performance.id == Scan.performance_id)
        .where(
            Performance.starts_at >= since,
            Performance.starts_at < until,
            Admission.undone_at.is_(None),
        )
        .group_by("step")
    )
    found = {at: int(people) for at, people in rows}
    return {at: found.get(at, 0) for at in range(EARLIEST, LATEST + 1, width)}

"""How fast evenings fill: the share of the seats that was booked so many days before the curtain."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import Integer, cast, func, select, union_all

from azionelab.bookings.models import Reservation
from azionelab.database import db
from azionelab.shows.models import Performance

DAYS = 28  # before the curtain
_DAY = timedelta(days=1)
# The percentage at DAYS before the curtain, then a day later, and so on to the curtain.
# None for days to come; the day of today has the figure of now.
Pace = list[int | None]


def booking_pace(performances: Sequence[Performance], at: datetime) -> Mapping[int, Pace]:
    """The pace of each performance, by its id: confirmed seats, less those cancelled by then, in percent.

    Walk-ins do not count. Seats given back by a party that became smaller count as never booked.
    """
    changes = _changes([performance.id for performance in performances])
    return {
        performance.id: _pace(performance, changes[performance.id], at)
        for performance in performances
    }


def typical_pace(paces: Iterable[Pace]) -> Pace:
    """The median of several paces, day by day; None where none of them has a figure."""
    columns = zip(*paces, strict=True)
    known = [[figure for figure in column if figure is not None] for column in columns]
    return [round(median(figures)) if figures else None for figures in known]


def _pace(performance: Performance, changes: Mapping[int, int], at: datetime) -> Pace:
    if not performance.capacity:
        return [None] * (DAYS + 1)
    last = max(0, (performance.starts_at - at) // _DAY)
    seats = 0
    pace: Pace = []
    for days in range(DAYS, -1, -1):
        seats += changes.get(days, 0)
        pace.append(round(100 * seats / performance.capacity) if days >= last else None)
    return pace


def _changes(performance_ids: list[int]) -> Mapping[int, Mapping[int, int]]:
    """By performance, and by whole days before the curtain (DAYS at most), the seats taken less those freed."""
    counted = Reservation.performance_id.in_(performance_ids) & Reservation.walk_in.is_(False)
    taken = select(
        Reservation.performance_id.label("performance_id"),
        Reservation.confirmed_at.label("at"),
        Reservation.seats.label("seats"),
    ).where(counted, Reservation.confirmed_at.is_not(None))
    freed = select(Reservation.performance_id, Reservation.ended_at, -Reservation.seats).where(
        counted, Reservation.confirmed_at.is_not(None), Reservation.ended_at.is_not(None)
    )
    change = union_all(taken, freed).subquery()
    before = func.floor(
        func.date_part("epoch", Performance.starts_at - change.c.at) / _DAY.total_seconds()
    )
    days = cast(func.least(before, DAYS), Integer).label("days")
    rows = db.session.execute(
        select(change.c.performance_id, days, func.sum(change.c.seats))
        .join(Performance, Performance.id == change.c.performance_id)
        .where(before >= 0)
        .group_by(change.c.performance_id, days)
    )
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for performance_id, day, seats in rows:
        found[performance_id][day] = int(seats)
    return found

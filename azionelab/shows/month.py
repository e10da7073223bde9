"""A month of the season: its days, with performances and holidays; and the shows at a glance."""

from calendar import Calendar
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, not_, select
from sqlalchemy.orm import contains_eager

from azionelab.database import db
from azionelab.shows.models import Holiday, Performance, Show, Venue

FIRST_YEAR, LAST_YEAR = 2000, 2100


@dataclass(frozen=True)
class Day:
    """A day of the calendar; one before or after the month is not `inside`."""

    date: date
    inside: bool
    performances: tuple[Performance, ...]
    holidays: tuple[Holiday, ...]


@dataclass(frozen=True)
class Month:
    """A month as whole weeks, Monday first."""

    first: date
    weeks: tuple[tuple[Day, ...], ...]

    @property
    def before(self) -> date:
        """The first day of the month before."""
        return (self.first - timedelta(days=1)).replace(day=1)

    @property
    def after(self) -> date:
        """The first day of the month after."""
        return (self.first + timedelta(days=31)).replace(day=1)


@dataclass(frozen=True)
class ShowSummary:
    """A show, with its performances to come: how many, the next one, and their seats."""

    show: Show
    coming: int
    next_at: datetime | None
    taken: int
    capacity: int


def read_month(first: date, zone: ZoneInfo) -> Month:
    """The month that begins on `first`, in the theatre's time zone; archived shows are left out."""
    weeks = Calendar().monthdatescalendar(first.year, first.month)
    begin, end = weeks[0][0], weeks[-1][-1]
    rows = db.session.scalars(
        select(Performance)
        .join(Performance.show)
        .join(Performance.venue)
        .options(contains_eager(Performance.show), contains_eager(Performance.venue))
        .where(
            Performance.starts_at >= datetime.combine(begin, time(), zone),
            Performance.starts_at < datetime.combine(end + timedelta(days=1), time(), zone),
            Show.listed,
            not_(Show.is_archived),
        )
        .order_by(Performance.starts_at, Venue.name)
    )
    on: dict[date, list[Performance]] = defaultdict(list)
    for row in rows:
        on[row.starts_at.astimezone(zone).date()].append(row)
    holidays = db.session.scalars(
        select(Holiday).where(Holiday.first_day <= end, Holiday.last_day >= begin)
    ).all()

    def day(each: date) -> Day:
        closed = tuple(h for h in holidays if h.first_day <= each <= h.last_day)
        return Day(each, each.month == first.month, tuple(on[each]), closed)

    return Month(first, tuple(tuple(day(each) for each in week) for week in weeks))


def read_shows(at: datetime) -> list[ShowSummary]:
    """The shows that are not archived: those with performances to come first, by date."""
    coming = (Performance.starts_at > at) & Performance.cancelled_at.is_(None)
    next_at = func.min(Performance.starts_at).filter(coming)
    rows = db.session.execute(
        select(
            Show,
            func.count(Performance.id).filter(coming),
            next_at,
            func.coalesce(func.sum(Performance.seats_held).filter(coming), 0),
            func.coalesce(func.sum(Performance.capacity).filter(coming), 0),
        )
        .outerjoin(Show.performances)
        .where(not_(Show.is_archived), Show.listed)
        .group_by(Show.id)
        .order_by(next_at.asc().nulls_last(), Show.title)
    )
    return [ShowSummary(*row) for row in rows]


def read_month_name(typed: str, today: date) -> date:
    """The first day of a month typed as 2026-10; of this month when it is no such."""
    try:
        first = date.fromisoformat(f"{typed}-01")
    except ValueError:
        return today.replace(day=1)
    return first if FIRST_YEAR <= first.year < LAST_YEAR else today.replace(day=1)

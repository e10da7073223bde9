"""The evenings of a run, in the theatre's local time, and what stands in the way of one. Without a database."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from azionelab.shows.limits import CLOSES_BEFORE
from azionelab.shows.local_time import AmbiguousTime, NoSuchTime, from_local
from azionelab.shows.window import (
    ClosesAfterCurtain,
    CurtainPast,
    CurtainTooFar,
    NoTimeToBook,
    check_curtain,
    check_window,
)

MAX_EVENINGS = 500  # of one run
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Run:
    """When a show is played: `weekly` (weekday, 0 for Monday, and local time) from `first` to `last`.

    `exceptions` are days of that period without an evening, `extra` are single evenings besides.
    """

    weekly: frozenset[tuple[int, time]] = frozenset()
    first: date | None = None
    last: date | None = None
    exceptions: frozenset[date] = frozenset()
    extra: frozenset[datetime] = frozenset()


class TooManyEvenings(ValueError):
    """The run has more than MAX_EVENINGS."""


def list_evenings(run: Run) -> list[datetime]:
    """The naive local curtain times of a run, each once, in order; raises TooManyEvenings."""
    found = set(run.extra)
    if run.weekly and run.first and run.last:
        if (run.last - run.first).days > 7 * MAX_EVENINGS:
            raise TooManyEvenings
        day = run.first
        while day <= run.last:
            if day not in run.exceptions:
                found |= {
                    datetime.combine(day, at)
                    for weekday, at in run.weekly
                    if weekday == day.weekday()
                }
            day += _ONE_DAY
    if len(found) > MAX_EVENINGS:
        raise TooManyEvenings
    return sorted(found)


def useless_exceptions(run: Run) -> list[date]:
    """The exceptions on days that have no evening in any case: probably typing errors."""
    weekdays = {weekday for weekday, _ in run.weekly}
    return sorted(
        day
        for day in run.exceptions
        if day.weekday() not in weekdays
        or run.first is None
        or run.last is None
        or not run.first <= day <= run.last
    )


@dataclass(frozen=True)
class BookingTimes:
    """When booking opens and closes. It opens at `opens_at`, or `opens_days` before the curtain, or at once."""

    opens_at: datetime | None = None
    opens_days: int | None = None
    closes_before: timedelta = CLOSES_BEFORE


class Fault(StrEnum):
    """Why an evening cannot be added or changed so."""

    SKIPPED = "skipped"  # the clocks go forward over its time
    TWICE = "twice"  # the clocks go back over its time
    PAST = "past"
    TOO_FAR = "too_far"
    NO_TIME_TO_BOOK = "no_time_to_book"
    CLOSES_AFTER_CURTAIN = "closes_after_curtain"
    EXISTS = "exists"  # the show has an evening at this time
    REPEATED = "repeated"  # it is asked for twice
    NO_CAPACITY = "no_capacity"  # neither the evening nor its venue says how many seats
    WHEELCHAIR_BEYOND = "wheelchair_beyond"  # more wheelchair places than seats
    BELOW_HELD = "below_held"
    NAMES_ERASED = "names_erased"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Times:
    """An evening's aware times. `opens_at` is None when booking opens at once. `fault`: why it cannot be."""

    starts_at: datetime | None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    fault: Fault | None = None


def resolve_times(wall: datetime, booking: BookingTimes, zone: ZoneInfo, at: datetime) -> Times:
    """The times of a new evening whose curtain is at the naive local time `wall`, planned at `at`."""
    starts_at, fault = to_moment(wall, zone)
    if starts_at is None:
        return Times(None, fault=fault)
    opens_at = opens_before(starts_at, booking, zone)
    closes_at = starts_at - booking.closes_before
    fault = find_curtain_fault(starts_at, at) or find_window_fault(
        opens_at or at, closes_at, starts_at
    )
    return Times(starts_at, opens_at, closes_at, fault)


def to_moment(wall: datetime, zone: ZoneInfo) -> tuple[datetime | None, Fault | None]:
    """The aware datetime of a naive local time, or why there is none."""
    try:
        return from_local(wall, zone), None
    except NoSuchTime:
        return None, Fault.SKIPPED
    except AmbiguousTime:
        return None, Fault.TWICE
    except OverflowError:
        return None, Fault.TOO_FAR


def opens_before(starts_at: datetime, booking: BookingTimes, zone: ZoneInfo) -> datetime | None:
    """When booking opens; None: at once. Days count at the same local time, whatever the clocks did."""
    if booking.opens_days is None:
        return booking.opens_at
    return shift_days(starts_at, -booking.opens_days, zone)


def shift_days(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same local time `days` later. A time that the clocks skip or show twice is taken at its first."""
    wall = moment.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    return wall.replace(tzinfo=zone).astimezone(moment.tzinfo)


def find_curtain_fault(starts_at: datetime, at: datetime) -> Fault | None:
    """Whether a new curtain is in the past or too far away."""
    try:
        check_curtain(starts_at, at)
    except CurtainPast:
        return Fault.PAST
    except CurtainTooFar:
        return Fault.TOO_FAR
    return None


def find_window_fault(opens_at: datetime, closes_at: datetime, starts_at: datetime) -> Fault | None:
    """Whether a booking window is empty or ends after the curtain."""
    try:
        check_window(opens_at, closes_at, starts_at)
    except ClosesAfterCurtain:
        return Fault.CLOSES_AFTER_CURTAIN
    except NoTimeToBook:
        return Fault.NO_TIME_TO_BOOK
    return None

"""The dates of a repeating calendar event (RFC 5545, 3.8.5), as naive local times of the theatre."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")


class EndlessRule(ValueError):
    """The rule has neither a last day nor a number of times."""


class UnknownRule(ValueError):
    """The rule cannot be read, or repeats within a day."""


@dataclass
class Changes:
    """Single dates of repeating events that the calendar changed: those of each event, by its UID."""

    _dates: dict[str, set[datetime | date]] = field(default_factory=dict)

    def add(self, event: Any, zone: ZoneInfo) -> None:
        """Remember the date that `event` replaces, if it has a RECURRENCE-ID."""
        replaced = event.get("RECURRENCE-ID")
        if replaced is not None:
            dates = self._dates.setdefault(str(event.get("UID", "")), set())
            dates.add(to_wall(replaced.dt, zone))

    def replace(self, event: Any, wall: datetime) -> bool:
        """Whether another event stands in place of a date of the repeating `event`."""
        dates = self._dates.get(str(event.get("UID", "")), ())
        return wall in dates or wall.date() in dates


def repeats(event: Any) -> bool:
    """Whether an event has dates besides its own."""
    return bool(event.get("RRULE") or event.get("RDATE"))


def list_dates(event: Any, zone: ZoneInfo, last: date, most: int) -> list[datetime]:
    """The local times of an event that begins at a time of day, in order, at most `most` and until the day `last`.

    Excluded dates (EXDATE) are left out. A rule counts in the event's own time zone, so 20:30 stays 20:30 when the
    clocks change. Raises EndlessRule, UnknownRule.
    """
    start: datetime = event["DTSTART"].dt
    own: tzinfo = start.tzinfo or zone
    begin = start.replace(tzinfo=None)
    found = {begin}
    for rule in _listed(event.get("RRULE")):
        found.update(islice(_dates_of(rule, begin, own, last), most))
    found.update(each for each in _moments(event.get("RDATE"), own) if isinstance(each, datetime))
    excluded = set(_moments(event.get("EXDATE"), own))
    kept = sorted(each for each in found if each not in excluded and each.date() not in excluded)
    walls = (to_wall(each.replace(tzinfo=own), zone) for each in kept)
    return [wall for wall in walls if isinstance(wall, datetime)][:most]


def to_wall(moment: datetime | date, zone: ZoneInfo) -> datetime | date:
    """The naive local time in `zone`; a day, and a time that has no zone, stay as they are."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        return moment
    return moment.astimezone(zone).replace(tzinfo=None)


def _dates_of(rule: Any, begin: datetime, own: tzinfo, last: date) -> Iterator[datetime]:
    frequency = str(_only(rule, "FREQ"))
    if frequency.upper() not in _FREQUENCIES:
        raise UnknownRule(frequency)
    count, until = _only(rule, "COUNT"), _only(rule, "UNTIL")
    # RFC 5545, 3.3.10: positive. With an interval of 0 dateutil would look at the same day for ever.
    for name in ("COUNT", "INTERVAL"):
        if (number := _only(rule, name)) is not None and int(number) < 1:
            raise UnknownRule(f"{name}={number}")
    if count is None and until is None:
        raise EndlessRule
    # What is after `last` is not listed. (In a rule that no day meets, dateutil looks up to the year 9999, for seconds.)
    end = datetime.combine(last, time.max)
    if isinstance(until, datetime):
        end = min(end, until.astimezone(own).replace(tzinfo=None) if until.tzinfo else until)
    elif until is not None:
        end = min(end, datetime.combine(until, time.max))
    parts = {name: value for name, value in rule.items() if name.upper() not in ("COUNT", "UNTIL")}
    try:
        written = type(rule)(parts).to_ical().decode()
        dates: Any = rrulestr(written, dtstart=begin).replace(until=end)
    except (ValueError, TypeError, AttributeError) as error:
        raise UnknownRule(str(error)) from None
    return islice(dates, int(count) if count is not None else None)


def _only(rule: Any, name: str) -> Any:
    value = rule.get(name)
    return value[0] if isinstance(value, list) and value else value or None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _moments(value: Any, own: tzinfo) -> Iterator[datetime | date]:
    """The times of an RDATE or EXDATE in the event's own zone, without it; days as days."""
    for group in _listed(value):
        for each in group.dts:
            moment = each.dt[0] if isinstance(each.dt, tuple) else each.dt
            if isinstance(moment, datetime) and moment.tzinfo is not None:
                moment = moment.astimezone(own).replace(tzinfo=None)
            yield moment

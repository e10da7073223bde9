"""When a backup is due, and which ones have served their time. Pure: moments in, verdicts out."""

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo


def last_due(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The latest moment, not after `now`, at which the clock in `zone` was to start a backup."""
    local = now.astimezone(zone)
    due = datetime.combine(local.date(), at, zone)
    if due > local:
        due = datetime.combine(local.date() - timedelta(days=1), at, zone)
    return due


def kept(
    taken: Mapping[datetime, str], zone: ZoneInfo, *, days: int, weeks: int, months: int
) -> set[datetime]:
    """Those to keep of what was `taken`: the schema of each backup, by its moment.

    Of each of the last `days` days, `weeks` weeks and `months` months it is the newest of each schema:
    what was taken before an upgrade stays beside what was taken after it. Days without a backup do
    not count, so that a long outage costs none of the backups before it. The newest one is always kept.
    """
    newest_first = sorted(taken, reverse=True)
    chosen = set(newest_first[:1])
    periods: tuple[tuple[int, Callable[[datetime], Any]], ...] = (
        (days, lambda moment: moment.date()),
        (weeks, lambda moment: moment.isocalendar()[:2]),
        (months, lambda moment: (moment.year, moment.month)),
    )
    for count, period in periods:
        newest_of: dict[Any, dict[str, datetime]] = {}
        for moment in newest_first:
            by_schema = newest_of.setdefault(period(moment.astimezone(zone)), {})
            by_schema.setdefault(taken[moment], moment)
        for by_schema in list(newest_of.values())[:count]:
            chosen.update(by_schema.values())
    return chosen

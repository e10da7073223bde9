"""When a backup is due, and which ones have served their time. Pure: moments in, verdicts out."""

from collections.abc import Callable, Iterable
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
    taken: Iterable[datetime], zone: ZoneInfo, *, days: int, weeks: int, months: int
) -> set[datetime]:
    """Those to keep: the newest of each of the last `days` days, `weeks` weeks and `months` months.

    Days without a backup do not count, so that a long outage costs none of the backups before it.
    The newest one is always kept.
    """
    newest_first = sorted(taken, reverse=True)
    chosen = set(newest_first[:1])
    periods: tuple[tuple[int, Callable[[datetime], Any]], ...] = (
        (days, lambda moment: moment.date()),
        (weeks, lambda moment: moment.isocalendar()[:2]),
        (months, lambda moment: (moment.year, moment.month)),
    )
    for count, period in periods:
        newest_of: dict[Any, datetime] = {}
        for moment in newest_first:
            newest_of.setdefault(period(moment.astimezone(zone)), moment)
        chosen.update(list(newest_of.values())[:count])
    return chosen

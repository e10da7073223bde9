"""When a backup is due, and which backups to keep. Pure functions."""

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo


def last_due_time(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The latest scheduled time, `at` in `zone`, that is not after `now`."""
    local = now.astimezone(zone)
    due = datetime.combine(local.date(), at, zone)
    if due > local:
        due = datetime.combine(local.date() - timedelta(days=1), at, zone)
    return due


def select_kept(
    taken: Mapping[datetime, str], zone: ZoneInfo, *, days: int, weeks: int, months: int
) -> set[datetime]:
    """The times of the backups to keep. `taken` maps each backup's time to its schema.

    Keeps the newest of each schema for each of the last `days` days, `weeks` weeks and `months` months, so a
    backup from before an upgrade stays beside the one after it. Days without a backup do not count, so a long
    outage deletes none of the backups before it. The newest one is always kept.
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

"""Converts local times without a zone into aware datetimes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


class NoSuchTime(ValueError):
    """This local time does not exist: the clocks go forward over it."""


class AmbiguousTime(ValueError):
    """This local time exists twice: the clocks go back over it."""


def from_local(wall: datetime, zone: ZoneInfo) -> datetime:
    """Convert the naive local time `wall` of `zone` to an aware datetime in UTC.

    Raises NoSuchTime or AmbiguousTime: a guess could make people an hour late.
    """
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != wall:
        raise NoSuchTime(f"{wall:%Y-%m-%d %H:%M} is skipped in {zone.key}")
    if moment != wall.replace(tzinfo=zone, fold=1).astimezone(UTC):
        raise AmbiguousTime(f"{wall:%Y-%m-%d %H:%M} comes twice in {zone.key}")
    return moment

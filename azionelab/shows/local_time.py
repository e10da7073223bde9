"""The theatre's wall clock: times as people write them, and the moments that they mean."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


class NoSuchTime(ValueError):
    """The clocks skip this time: they go forward that night."""


class AmbiguousTime(ValueError):
    """The clocks show this time twice: they go back that night."""


def from_local(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment (aware, in UTC) at which the clocks of `zone` show the naive time `wall`.

    Raises NoSuchTime and AmbiguousTime rather than guess: nobody should come an hour late.
    """
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != wall:
        raise NoSuchTime(f"{wall:%Y-%m-%d %H:%M} is skipped in {zone.key}")
    if moment != wall.replace(tzinfo=zone, fold=1).astimezone(UTC):
        raise AmbiguousTime(f"{wall:%Y-%m-%d %H:%M} comes twice in {zone.key}")
    return moment

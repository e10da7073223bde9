"""When an offer is told and until when it holds, without a database.

All arithmetic is in UTC: on the nights when the clocks change an hour of the night is missing, or comes twice.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHORTEST = timedelta(minutes=30)  # of an offer, unless booking closes before
NEAR = timedelta(hours=3)  # so little would be left in the morning: the offer is told at night
AFTER_WAKING = timedelta(hours=1)  # how long after the night a deadline is that would fall in it
NEAR_OFFER = timedelta(minutes=10)  # of an offer near the curtain, to who is near the theatre
NEAR_LEAST = timedelta(minutes=2)  # if less is left until the curtain, nothing is offered
_SHARE = 4  # an offer lasts a quarter of the time that is left


@dataclass(frozen=True)
class Night:
    """The hours in which nobody is written to: `begins` and `ends` o'clock in the theatre's time zone.

    Of two equal hours there is no night.
    """

    begins: int
    ends: int
    zone: ZoneInfo

    def end_of(self, at: datetime) -> datetime | None:
        """When the night that `at` is in ends, in UTC; None by day."""
        local = at.astimezone(self.zone)
        over_midnight = self.begins > self.ends
        if over_midnight:
            is_night = local.hour >= self.begins or local.hour < self.ends
        else:
            is_night = self.begins <= local.hour < self.ends
        if not is_night:
            return None
        day = local.date()
        if over_midnight and local.hour >= self.begins:
            day += timedelta(days=1)
        return datetime.combine(day, time(self.ends), self.zone).astimezone(UTC)


@dataclass(frozen=True)
class OfferTimes:
    """When the visitor is told of an offer, and until when it can be taken."""

    told_at: datetime
    until: datetime


def offer_times(at: datetime, closes_at: datetime, night: Night, longest: timedelta) -> OfferTimes:
    """The times of an offer that is made `at`, for a performance that can be booked until `closes_at`.

    It lasts a quarter of the time that is left, from SHORTEST to `longest`, and never after `closes_at`. At night it is
    told in the morning, and a deadline in the night is moved behind it, unless the performance is NEAR then.
    """
    at, closes_at = at.astimezone(UTC), closes_at.astimezone(UTC)
    told_at = _after_night(at, closes_at, night) or at
    lasts = min(longest, max(SHORTEST, (closes_at - told_at) / _SHARE))
    until = told_at + lasts
    if morning := _after_night(until, closes_at, night):
        until = morning + AFTER_WAKING
    return OfferTimes(told_at, min(until, closes_at))


def near_offer_until(at: datetime, curtain: datetime) -> datetime | None:
    """Until when an offer holds that is made `at`, near the curtain, to who is near; None when it is too late for one.

    Nobody is offered a seat after the curtain: what is free then is for whoever stands at the door.
    """
    return min(at + NEAR_OFFER, curtain) if curtain - at >= NEAR_LEAST else None


def _after_night(at: datetime, closes_at: datetime, night: Night) -> datetime | None:
    """The end of the night that `at` is in; None by day, and when too little time would be left then."""
    morning = night.end_of(at)
    return morning if morning is not None and closes_at - morning >= NEAR else None

"""When an offer is told and until when it holds, without a database.

All arithmetic is in UTC: on the nights when the clocks change an hour of the night is missing, or comes twice.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from azionelab.settings.night import Night

SHORTEST = timedelta(minutes=30)  # of an offer, unless booking closes before
AFTER_WAKING = timedelta(hours=1)  # how long after the night a deadline is that would fall in it
# Of an offer near the curtain, to who is near the theatre.
NEAR_LONGEST, NEAR_SHORTEST = timedelta(minutes=10), timedelta(minutes=5)
NEAR_LEAST = timedelta(minutes=2)  # if less is left until the curtain, nothing is offered
_SHARE = 4  # an offer lasts a quarter of the time that is left
_NEAR_SHARE = 2  # near the curtain half of it


@dataclass(frozen=True)
class OfferTimes:
    """When the visitor is told of an offer, and until when it can be taken."""

    told_at: datetime
    until: datetime


def offer_times(at: datetime, closes_at: datetime, night: Night, longest: timedelta) -> OfferTimes:
    """The times of an offer that is made `at`, for a performance that can be booked until `closes_at`.

    It lasts a quarter of the time that is left, from SHORTEST to `longest`, and never after `closes_at`. At night it is
    told in the morning, and a deadline in the night is moved behind it, unless the performance is near then.
    """
    at, closes_at = at.astimezone(UTC), closes_at.astimezone(UTC)
    told_at = night.morning_after(at, closes_at) or at
    lasts = min(longest, max(SHORTEST, (closes_at - told_at) / _SHARE))
    until = told_at + lasts
    if morning := night.morning_after(until, closes_at):
        until = morning + AFTER_WAKING
    return OfferTimes(told_at, min(until, closes_at))


def near_offer_until(at: datetime, curtain: datetime) -> datetime | None:
    """Until when an offer holds that is made `at`, near the curtain, to who is near; None when it is too late for one.

    It lasts half of the time that is left, from NEAR_SHORTEST to NEAR_LONGEST, so that another party has a turn. Nobody is offered a seat after the curtain: what is free then is for whoever stands at the door.
    """
    left = curtain - at
    if left < NEAR_LEAST:
        return None
    return min(at + min(NEAR_LONGEST, max(NEAR_SHORTEST, left / _NEAR_SHARE)), curtain)

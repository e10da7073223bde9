"""What a change of many evenings makes of one of them. Without a database."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from azionelab.shows.runs.evenings import (
    BookingTimes,
    Fault,
    find_curtain_fault,
    find_window_fault,
    opens_before,
    to_moment,
)
from azionelab.shows.window import move_booking_window


@dataclass(frozen=True)
class RunChange:
    """The change: None, or 0 of `days` and `minutes`, leaves as it is. `cancel` cancels, and changes nothing else.

    A shift counts in local time: a day later is the same time of day, whatever the clocks do.
    """

    days: int = 0
    minutes: int = 0
    venue_id: int | None = None
    capacity: int | None = None
    party_limit: int | None = None
    opens_at: datetime | None = None
    opens_days: int | None = None
    closes_before: timedelta | None = None
    cancel: bool = False


@dataclass(frozen=True)
class EveningFacts:
    """What can be changed of an evening, and `cancelled_at` and `released_at`, which decide how. Datetimes are aware."""

    starts_at: datetime
    booking_opens_at: datetime
    booking_closes_at: datetime
    venue_id: int
    capacity: int
    party_limit: int
    cancelled_at: datetime | None = None
    released_at: datetime | None = None

    def is_moved_from(self, before: "EveningFacts") -> bool:
        """Whether its parties have to be told of another time or place."""
        return (self.starts_at, self.venue_id) != (before.starts_at, before.venue_id)


def change_evening(
    before: EveningFacts, change: RunChange, zone: ZoneInfo, at: datetime
) -> tuple[EveningFacts, Fault | None]:
    """The evening after the change, and why it cannot be changed so. The seats taken are not known here."""
    if before.cancelled_at is not None:
        return before, Fault.CANCELLED
    if before.starts_at <= at:
        return before, Fault.PAST
    if change.cancel:
        return before, None
    after, fault = _moved(before, change, zone, at)
    if fault:
        return before, fault
    after = _with_booking(after, change, zone)
    after = replace(
        after,
        venue_id=_given(change.venue_id, before.venue_id),
        capacity=_given(change.capacity, before.capacity),
        party_limit=_given(change.party_limit, before.party_limit),
    )
    if after == before:
        return after, None
    return after, find_window_fault(
        after.booking_opens_at, after.booking_closes_at, after.starts_at
    )


def _moved(
    before: EveningFacts, change: RunChange, zone: ZoneInfo, at: datetime
) -> tuple[EveningFacts, Fault | None]:
    if not (change.days or change.minutes):
        return before, None
    wall = before.starts_at.astimezone(zone).replace(tzinfo=None)
    try:
        wall += timedelta(days=change.days, minutes=change.minutes)
    except OverflowError:
        return before, Fault.TOO_FAR
    starts_at, fault = to_moment(wall, zone)
    if starts_at is None:
        return before, fault
    opens_at, closes_at = move_booking_window(before, starts_at, at)
    if before.released_at is not None:
        # Seats of no-shows are for people who wait at the door: booking stays closed.
        closes_at = min(before.booking_closes_at, starts_at)
    after = replace(
        before, starts_at=starts_at, booking_opens_at=opens_at, booking_closes_at=closes_at
    )
    return after, find_curtain_fault(starts_at, at)


def _with_booking(after: EveningFacts, change: RunChange, zone: ZoneInfo) -> EveningFacts:
    opens = opens_before(after.starts_at, BookingTimes(change.opens_at, change.opens_days), zone)
    if opens is not None:
        after = replace(after, booking_opens_at=opens)
    if change.closes_before is not None:
        after = replace(after, booking_closes_at=after.starts_at - change.closes_before)
    return after


def _given(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value

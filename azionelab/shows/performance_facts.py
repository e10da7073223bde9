"""PerformanceFacts: what decides about a performance, for the visitor's page, the booking rule and the door."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from azionelab.shows.facts.seating import Places
from azionelab.shows.models import Performance, Show


@dataclass(frozen=True, slots=True)
class PerformanceFacts:
    """What decides whether a performance can be booked (window.py, bookings/seats/bookable.py). Datetimes are aware.

    `capacity` are all places, the `wheelchair_places` among them. Of the ordinary ones `unheld_seats` are not held, of the
    others `unheld_wheelchair`. Lapsed holds are held until they are expired: that is not the `seats_left` of the
    programme, where their seats are free already.
    """

    published: bool
    starts_at: datetime
    booking_opens_at: datetime
    booking_closes_at: datetime
    cancelled_at: datetime | None
    party_limit: int
    capacity: int
    wheelchair_places: int
    unheld_seats: int
    unheld_wheelchair: int

    @property
    def unheld(self) -> Places:
        """The places that nobody holds."""
        return Places(self.unheld_seats, self.unheld_wheelchair)


_UNHELD_WHEELCHAIR = Performance.wheelchair_places - Performance.wheelchair_held
# All places that nobody holds, whatever they are.
_UNHELD = Performance.capacity - Performance.seats_held
# What to select for `PerformanceFacts(*row)`.
PERFORMANCE_FACTS: tuple[Any, ...] = (
    Show.published,
    Performance.starts_at,
    Performance.booking_opens_at,
    Performance.booking_closes_at,
    Performance.cancelled_at,
    Performance.party_limit,
    Performance.capacity,
    Performance.wheelchair_places,
    (_UNHELD - _UNHELD_WHEELCHAIR).label("unheld_seats"),
    _UNHELD_WHEELCHAIR.label("unheld_wheelchair"),
)

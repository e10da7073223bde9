"""PerformanceFacts: what decides about a performance, for the visitor's page, the booking rule and the door."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from azionelab.shows.models import Performance, Show


@dataclass(frozen=True, slots=True)
class PerformanceFacts:
    """What decides whether a performance can be booked (window.py, bookings/seats/bookable.py). Datetimes are aware.

    `unheld_seats` is the capacity less the seats held. Lapsed holds are held until they are expired: it is not the
    `seats_left` of the programme, where their seats are free already.
    """

    published: bool
    starts_at: datetime
    booking_opens_at: datetime
    booking_closes_at: datetime
    cancelled_at: datetime | None
    party_limit: int
    capacity: int
    unheld_seats: int


# What to select for `PerformanceFacts(*row)`.
PERFORMANCE_FACTS: tuple[Any, ...] = (
    Show.published,
    Performance.starts_at,
    Performance.booking_opens_at,
    Performance.booking_closes_at,
    Performance.cancelled_at,
    Performance.party_limit,
    Performance.capacity,
    (Performance.capacity - Performance.seats_held).label("unheld_seats"),
)

"""What became of a booking since it was made, and who did it in kind: for whoever is shown its ticket."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from azionelab.bookings.models import LIVE


class By(StrEnum):
    """Who changed a booking. No account is named."""

    VISITOR = "visitor"
    STAFF = "staff"
    PERFORMANCE = "performance"  # the evening was called off


@dataclass(frozen=True)
class Ended:
    """When a booking was cancelled or expired. `by` is None when it expired, or when nobody wrote it down."""

    at: datetime
    by: str | None


@dataclass(frozen=True)
class Reduced:
    """When a party was last made smaller, and how large it was at first (`seats`)."""

    at: datetime
    by: str
    seats: int


class Changed(Protocol):
    """A booking with its changes, whole or as the columns of a row."""

    @property
    def state(self) -> str: ...
    @property
    def ended_at(self) -> datetime | None: ...
    @property
    def ended_by(self) -> str | None: ...
    @property
    def reduced_from(self) -> int | None: ...
    @property
    def reduced_at(self) -> datetime | None: ...
    @property
    def reduced_by(self) -> str | None: ...


def ended(booking: Changed) -> Ended | None:
    """How a booking ended; None for one that is live."""
    if booking.state in LIVE or booking.ended_at is None:
        return None
    return Ended(booking.ended_at, booking.ended_by)


def reduced(booking: Changed) -> Reduced | None:
    """How a party became smaller; None for one of the size that was booked."""
    if booking.reduced_from is None or booking.reduced_at is None or booking.reduced_by is None:
        return None
    return Reduced(booking.reduced_at, booking.reduced_by, booking.reduced_from)

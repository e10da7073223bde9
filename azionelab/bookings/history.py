"""How and by whom a booking was ended or reduced: shown when its ticket is scanned."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from azionelab.bookings.models import LIVE
from azionelab.bookings.party import Party


class By(StrEnum):
    """Who changed a booking. No account is named."""

    VISITOR = "visitor"
    STAFF = "staff"
    PERFORMANCE = "performance"  # the performance was cancelled
    NO_ANSWER = "no_answer"  # nobody answered when asked to confirm again (reminders/)


@dataclass(frozen=True)
class Ended:
    """When a booking was cancelled or expired. `by` is None when it expired, or was not recorded."""

    at: datetime
    by: str | None


@dataclass(frozen=True)
class Reduced:
    """When a party was last reduced, and its first size (`seats`)."""

    at: datetime
    by: str
    seats: int


def ended(party: Party) -> Ended | None:
    """How a booking ended; None for one that is live."""
    if party.state in LIVE or party.ended_at is None:
        return None
    return Ended(party.ended_at, party.ended_by)


def reduced(party: Party) -> Reduced | None:
    """How a party was reduced; None when it has the size that was booked."""
    if party.reduced_from is None or party.reduced_at is None or party.reduced_by is None:
        return None
    return Reduced(party.reduced_at, party.reduced_by, party.reduced_from)

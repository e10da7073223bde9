"""Party: a reservation's people as the door sees them, read without the rest of the row."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from azionelab.bookings.models import PartyCounts, Reservation


@dataclass(frozen=True, slots=True)
class Party(PartyCounts):
    """The people of one reservation. `seats`, `admitted`, `released` and `outside` count them.

    Each field is the reservation's column of the same name. People without a ticket have no reservation: when they
    are judged as one party, `id` is None.
    """

    performance_id: int
    state: str
    seats: int
    admitted: int
    released: int = 0
    outside: int = 0
    id: UUID | None = None
    reference: str = ""
    name: str = ""
    note: str = ""
    late_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    reduced_from: int | None = None
    reduced_at: datetime | None = None
    reduced_by: str | None = None


_NAMES = [field.name for field in fields(Party)]
# What to select for `Party(*row)`.
PARTY_COLUMNS: tuple[Any, ...] = tuple(getattr(Reservation, name) for name in _NAMES)


def party_of(reservation: Reservation | None) -> Party | None:
    """The party of a reservation as it is at this moment; None when there is no reservation."""
    if reservation is None:
        return None
    return Party(*(getattr(reservation, name) for name in _NAMES))

"""Party: the counts of one reservation, and the figures derived from them. No database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.hybrid import hybrid_property

from azionelab.shows.facts.seating import Places


class _Seated(Protocol):
    """How many people a party has, and how many of them need a wheelchair place."""

    @property
    def seats(self) -> int: ...
    @property
    def wheelchair_places(self) -> int: ...


class _Counted(_Seated, Protocol):
    """How many people of a party came, and when the others come."""

    @property
    def admitted(self) -> int: ...
    @property
    def released(self) -> int: ...
    @property
    def outside(self) -> int: ...
    @property
    def late_at(self) -> datetime | None: ...


class PartyCounts:
    """What follows from a party's counts: the same for a Reservation, a Party and a guest on the door list."""

    __slots__ = ()

    @hybrid_property
    def to_come(self: _Counted) -> int:
        """People of the party who are not in and whose seats are held."""
        return self.seats - self.admitted - self.released

    @property
    def places(self: _Seated) -> Places:
        """The places of the whole party."""
        return Places.of_party(self.seats, self.wheelchair_places)

    def seatable(self: _Counted, free: Places) -> int:
        """How many people of the party whose seats were released can have some of the `free` places again.

        Its wheelchair places were released last, so they are taken again first.
        """
        held = min(self.wheelchair_places, self.seats - self.released)
        lost = self.wheelchair_places - held
        return free.wheelchair if free.wheelchair < lost else lost + free.seats

    @property
    def inside(self: _Counted) -> int:
        """People of the party who are in the building."""
        return max(0, self.admitted - self.outside)

    @property
    def awaited_at(self: _Counted) -> datetime | None:
        """About when the rest of the party comes, if it announced a late arrival."""
        return self.late_at if self.admitted < self.seats else None


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
    wheelchair_places: int = 0

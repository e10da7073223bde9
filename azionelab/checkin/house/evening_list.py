"""All parties of a performance as the back office lists them: live, ended, and walk-ins. Reads only."""

import hashlib
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from uuid import UUID

from sqlalchemy import case, select

from azionelab.bookings.models import Kind, Reservation, State, lapsed
from azionelab.bookings.party import PartyCounts
from azionelab.checkin.house.family_names import family_name
from azionelab.checkin.house.name_matching import fold, matches_name, spellings
from azionelab.database import db


class Group(StrEnum):
    """Parties that staff look at together; one may be in several."""

    BOOKED = "booked"  # all that have not ended, walk-ins included
    TO_COME = "to-come"
    IN = "in"
    PENDING = "pending"
    WALK_INS = "walk-ins"
    HOUSE = "house"  # seats kept back for the theatre
    ENDED = "ended"  # cancelled or expired
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ListedParty(PartyCounts):
    """A party of the list. `state` is "expired" as soon as a hold is over; walk-ins and erased people have no name."""

    id: UUID
    reference: str
    name: str
    email: str
    seats: int
    state: str
    admitted: int
    released: int
    outside: int
    note: str
    late_at: datetime | None
    walk_in: bool
    erased: bool
    kind: str
    contact: str
    wheelchair_places: int = 0

    @property
    def groups(self) -> list[Group]:
        """The groups that it is in."""
        if self.state in (State.CANCELLED, State.EXPIRED):
            return [Group.ENDED, Group.ALL]
        if self.kind == Kind.HOUSE:
            return [Group.BOOKED, Group.HOUSE, Group.ALL]
        found = [Group.BOOKED]
        if self.state == State.PENDING:
            found.append(Group.PENDING)
        elif self.to_come:
            found.append(Group.TO_COME)
        if self.admitted:
            found.append(Group.IN)
        if self.walk_in:
            found.append(Group.WALK_INS)
        return [*found, Group.ALL]

    @property
    def searched(self) -> str:
        """What a search looks through, as the page's script does (src/office/party-list.ts)."""
        return f"{self.name} {self.reference} {self.email} {self.note} {self.contact}"


_FACTS = attrgetter(*(field.name for field in fields(ListedParty)))


def listed_parties(performance_id: int, at: datetime) -> list[ListedParty]:
    """Every reservation of a performance but those that wait for seats, and its walk-ins, in no order."""
    rows = db.session.execute(
        select(
            Reservation.id,
            Reservation.reference,
            Reservation.name,
            Reservation.email,
            Reservation.seats,
            case((lapsed(at), State.EXPIRED), else_=Reservation.state),
            Reservation.admitted,
            Reservation.released,
            Reservation.outside,
            Reservation.note,
            Reservation.late_at,
            Reservation.walk_in,
            Reservation.erased_at.is_not(None),
            Reservation.kind,
            Reservation.contact,
            Reservation.wheelchair_places,
        ).where(Reservation.performance_id == performance_id, Reservation.state != State.WAITING)
    )
    return [ListedParty(*row) for row in rows]


def by_name(parties: list[ListedParty]) -> list[ListedParty]:
    """Sort as people look names up, like the door list: by family name; those without a name last."""
    return sorted(
        parties,
        key=lambda party: (
            not party.name,
            fold(family_name(party.name)),
            fold(party.name),
            party.reference,
        ),
    )


def matching(parties: list[ListedParty], typed: str) -> set[UUID]:
    """The parties whose name, reference, address or note has all typed words."""
    wanted = spellings(typed)
    return {party.id for party in parties if matches_name(party.searched, wanted)}


def digest_of(parties: list[ListedParty]) -> str:
    """A short digest of all that the list shows: another one as soon as something changes."""
    rows = sorted(repr(_FACTS(party)) for party in parties)
    return hashlib.blake2b("\n".join(rows).encode(), digest_size=9).hexdigest()

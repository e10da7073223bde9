"""Load the facts for a verdict: the party of a code, and the performance of the door.

Locks follow docs/locking.md. The decision itself is in verdicts.py.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from azionelab.bookings.errors import PerformanceUnknown, ReservationUnknown
from azionelab.bookings.locks import LockedParty, lock_party, lock_performance
from azionelab.bookings.models import Reservation
from azionelab.bookings.party import Party
from azionelab.bookings.seats.holds import count_free
from azionelab.bookings.tickets.references import read_reference
from azionelab.bookings.tickets.signing import read_ticket
from azionelab.checkin.verdicts import Door
from azionelab.database import now
from azionelab.shows.models import Performance
from azionelab.shows.programme import find_listing
from azionelab.tokens import Purpose, read_token

MAX_CODE = 500  # characters, enough for a ticket's address; longer codes name no party


class DoorUnknown(Exception):
    """There is no such performance."""


def ticket_identity(code: str) -> UUID | str | None:
    """The reservation that a ticket names, by reference, or by id for tickets before 0.4; None for other codes."""
    typed = code.strip()
    if len(typed) > MAX_CODE:
        return None
    # The performance in a ticket is for offline phones only: the reservation is authoritative.
    if (signed := read_ticket(typed)) is not None:
        return signed.reference
    return read_token(Purpose.TICKET, typed.rstrip("/").rpartition("/")[2])


def lock_party_by_code(session: Session, code: str) -> LockedParty | None:
    """Lock the party of a code; None for a code that names no party."""
    if len(code.strip()) > MAX_CODE:
        return None
    identity = ticket_identity(code) or read_reference(code.strip())
    if isinstance(identity, str):
        identity = session.scalar(select(Reservation.id).where(Reservation.reference == identity))
    if identity is None:
        return None
    try:
        return lock_party(session, identity)
    except ReservationUnknown:
        return None


def lock_door(session: Session, performance_id: int) -> Performance:
    """Lock the performance of a door. Raises DoorUnknown."""
    try:
        return lock_performance(session, performance_id)
    except PerformanceUnknown:
        raise DoorUnknown from None


def read_locked_door(
    session: Session, performance: Performance, party: Reservation | Party | None = None
) -> Door:
    """The door's facts, from its locked performance, with the free seats that a party or anybody may have."""
    places = count_free(session, performance, now())
    free = party.seatable(places) if party is not None else places.seats
    return Door(performance.id, performance.cancelled_at is not None, free, performance.reentry)


def read_door(session: Session, performance_id: int, party: LockedParty | None) -> Door:
    """The door's facts without a lock: enough for scans that take no free seats."""
    if party is not None and party.performance_id == performance_id:
        cancelled_at, reentry = party.cancelled_at, party.reentry
    else:
        # The party is not of this performance, so re-entry does not matter.
        cancelled_at, reentry = read_cancelled_at(session, performance_id), False
    # Free seats matter only for parties with released seats.
    listing = find_listing(performance_id, now()) if party is not None and party.released else None
    free = party.seatable(listing.left) if listing and party is not None else 0
    return Door(performance_id, cancelled_at is not None, free, reentry)


def read_cancelled_at(session: Session, performance_id: int) -> datetime | None:
    """When the performance was cancelled, if it was. Raises DoorUnknown."""
    performance = session.get(Performance, performance_id, populate_existing=True)
    if performance is None:
        raise DoorUnknown
    return performance.cancelled_at

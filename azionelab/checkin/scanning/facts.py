"""What a verdict is decided from: whose code this is, and how the door's performance stands.

Read or locked here, as docs/locking.md says; decided by verdicts.py.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from azionelab.bookings.errors import PerformanceUnknown, ReservationUnknown
from azionelab.bookings.locks import LockedParty, lock_party, lock_performance
from azionelab.bookings.models import Reservation
from azionelab.bookings.seats.holds import free_seats
from azionelab.bookings.tickets.references import read_reference
from azionelab.bookings.tickets.signing import read_ticket
from azionelab.checkin.verdicts import Door
from azionelab.database import now
from azionelab.shows.models import Performance
from azionelab.shows.programme import find_listing
from azionelab.tokens import Purpose, read_token

MAX_CODE = 500  # characters: a ticket's whole address; what is longer names no party


class DoorUnknown(Exception):
    """No performance has this number."""


def ticket_of(code: str) -> UUID | str | None:
    """Whose ticket a code is, if it is one, alone or at the end of its address: by reference.

    A ticket before 0.4 names the reservation by its id.
    """
    typed = code.strip()
    if len(typed) > MAX_CODE:
        return None
    # Which performance it names is for a phone without a network: here the reservation tells.
    if (signed := read_ticket(typed)) is not None:
        return signed.reference
    return read_token(Purpose.TICKET, typed.rstrip("/").rpartition("/")[2])


def lock_code(session: Session, code: str) -> LockedParty | None:
    """The party a code names, locked.

    Whatever a camera read is a code: what makes no sense names nobody.
    """
    if len(code.strip()) > MAX_CODE:
        return None
    identity = ticket_of(code) or read_reference(code.strip())
    if isinstance(identity, str):
        identity = session.scalar(select(Reservation.id).where(Reservation.reference == identity))
    if identity is None:
        return None
    try:
        return lock_party(session, identity)
    except ReservationUnknown:
        return None


def lock_door(session: Session, performance_id: int) -> Performance:
    """The performance of a door, locked; DoorUnknown."""
    try:
        return lock_performance(session, performance_id)
    except PerformanceUnknown:
        raise DoorUnknown from None


def door_facts(session: Session, performance: Performance) -> Door:
    """What a verdict asks of a door whose performance is locked: how many places are free, too."""
    free = free_seats(session, performance, now())
    return Door(performance.id, performance.cancelled_at is not None, free, performance.reentry)


def look_at_door(session: Session, performance_id: int, party: LockedParty | None) -> Door:
    """The door as it is without its lock, which who takes nobody's place does not need."""
    if party is not None and party.performance_id == performance_id:
        cancelled_at, reentry = party.cancelled_at, party.reentry
    else:
        # Nobody of theirs is in who could go out.
        cancelled_at, reentry = read_door(session, performance_id), False
    # Only who has places that were released is told whether others are free.
    evening = find_listing(performance_id, now()) if party is not None and party.released else None
    free = evening.seats_left if evening else 0
    return Door(performance_id, cancelled_at is not None, free, reentry)


def read_door(session: Session, performance_id: int) -> datetime | None:
    """When the performance of this door was cancelled; DoorUnknown."""
    performance = session.get(Performance, performance_id, populate_existing=True)
    if performance is None:
        raise DoorUnknown
    return performance.cancelled_at

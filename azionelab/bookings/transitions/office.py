"""Enlarge, move, split, merge, hand over and take back a party: by staff, some by visitors too.

None but `hand_over` writes a mail.

The caller has locked the performance, both of them for a move, and found the seats free.
"""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from azionelab.bookings.history import By
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.tickets.references import new_reference
from azionelab.bookings.transitions import consequences
from azionelab.bookings.transitions.consequences import Change
from azionelab.database import now
from azionelab.shows.facts.seating import Places
from azionelab.shows.models import Performance


def resize(
    session: Session,
    reservation: Reservation,
    places: Places,
    change: Change,
    by: By = By.STAFF,
) -> None:
    """Give a party these places, more or fewer. Seats released before count first when it gets smaller."""
    held, seats = consequences.held_places(reservation), places.total
    first = reservation.reduced_from or reservation.seats
    reservation.seats, reservation.wheelchair_places = seats, places.wheelchair
    reservation.released = min(reservation.released, seats - reservation.admitted)
    if seats < first:
        reservation.reduced_from = first
        reservation.reduced_at, reservation.reduced_by = now(), by
    else:
        reservation.reduced_from = reservation.reduced_at = reservation.reduced_by = None
    freed = held - consequences.held_places(reservation)
    consequences.seats_freed(reservation.performance, freed)
    consequences.reservation_changed(session, reservation, change, with_mail=False)


def move(session: Session, reservation: Reservation, target: Performance) -> None:
    """Move a party of which nobody is in to another performance, where it holds all its seats.

    It keeps its identity, its reference and so its tickets. What belongs to the performance it leaves ends: a late
    arrival, released seats, limits of unconfirmed seats. A hold does not outlast the curtain.
    """
    consequences.seats_freed(reservation.performance, consequences.held_places(reservation))
    reservation.performance = target
    reservation.released, reservation.late_at = 0, None
    reservation.holds_seats = True
    reservation.network = reservation.network_limit = reservation.unconfirmed_limit = None
    if reservation.is_pending:
        reservation.hold_expires_at = min(reservation.hold_expires_at, target.starts_at)
    session.flush()
    consequences.reservation_changed(session, reservation, Change.MOVED, with_mail=False)


def rebook(session: Session, reservation: Reservation, target: Performance, at: datetime) -> None:
    """Make a party that ended with its cancelled performance live at another one: confirmed, with all its seats."""
    reservation.performance = target
    reservation.released, reservation.late_at = 0, None
    reservation.holds_seats = True
    reservation.network = reservation.network_limit = reservation.unconfirmed_limit = None
    reservation.state = State.CONFIRMED
    reservation.confirmed_at = reservation.confirmed_at or at
    reservation.ended_at = reservation.ended_by = None
    session.flush()
    consequences.reservation_changed(session, reservation, Change.MOVED, with_mail=False)


def put_back(
    session: Session, reservation: Reservation, cancelled: Performance, before: dict[str, Any]
) -> None:
    """Set a rebooked party back to how it had ended at its cancelled performance."""
    consequences.seats_freed(reservation.performance, consequences.end(reservation, By.PERFORMANCE))
    reservation.performance = cancelled
    for name, value in before.items():
        setattr(reservation, name, value)
    session.flush()
    consequences.reservation_changed(session, reservation, Change.CANCELLED, with_mail=False)


def split_off(
    session: Session, reservation: Reservation, seats: int, visitor: dict[str, Any]
) -> Reservation:
    """Make a reservation of its own for `seats` people of a party; `visitor` names them.

    The party gets smaller first, so that no seat more is needed. It keeps its wheelchair places as far as it has people
    for them; the others go with those who leave.
    """
    wheelchair = reservation.wheelchair_places
    reservation.wheelchair_places = min(wheelchair, reservation.seats - seats)
    reservation.seats -= seats
    session.flush()
    copied = {
        name: getattr(reservation, name)
        for name in (
            "performance_id",
            "state",
            "holds_seats",
            "created_at",
            "hold_expires_at",
            "confirmed_at",
            "late_at",
        )
    }
    other = Reservation(
        id=uuid4(),
        reference=new_reference(),
        request_key=uuid4(),
        seats=seats,
        wheelchair_places=wheelchair - reservation.wheelchair_places,
        **copied,
        **visitor,
    )
    session.add(other)
    session.flush()
    for party in (reservation, other):
        consequences.reservation_changed(session, party, Change.SPLIT, with_mail=False)
    return other


def hand_over(
    session: Session, reservation: Reservation, friend: dict[str, Any], at: datetime
) -> Reservation:
    """End a party and confirm a new reservation of all its seats for somebody else, whom `friend` names.

    The party ends first, so that no seat more is needed. The caller has locked the performance, so nobody sees them free,
    and they are not passed on to the waitlist. The new one gets its ticket.
    """
    consequences.end(reservation, By.VISITOR)
    session.flush()
    taken = Reservation(
        id=uuid4(),
        reference=new_reference(),
        request_key=uuid4(),
        performance_id=reservation.performance_id,
        seats=reservation.seats,
        wheelchair_places=reservation.wheelchair_places,
        state=State.CONFIRMED,
        holds_seats=True,
        created_at=at,
        hold_expires_at=at,
        confirmed_at=at,
        **friend,
    )
    session.add(taken)
    session.flush()
    consequences.reservation_changed(session, reservation, Change.CANCELLED, with_mail=False)
    consequences.reservation_changed(session, taken, Change.CONFIRMED)
    return taken


def merge(session: Session, kept: Reservation, other: Reservation) -> None:
    """Give a party the people of another one of its performance, which ends. Nobody of the other is in."""
    other_held = consequences.end(other, By.STAFF)
    consequences.reservation_changed(session, other, Change.CANCELLED, with_mail=False)
    session.flush()
    held = consequences.held_places(kept)
    kept.seats += other.seats
    kept.wheelchair_places += other.wheelchair_places
    taken = consequences.held_places(kept) - held
    consequences.seats_freed(kept.performance, other_held - taken)
    consequences.reservation_changed(session, kept, Change.MERGED, with_mail=False)


def reinstate(
    session: Session, reservation: Reservation, at: datetime, held_until: datetime | None = None
) -> None:
    """Make a cancelled or expired reservation live again with all its seats.

    It is confirmed, or waits to be confirmed when it is `held_until` a moment.
    """
    reservation.holds_seats, reservation.released = True, 0
    reservation.ended_at = reservation.ended_by = None
    if held_until is None:
        reservation.state = State.CONFIRMED
        reservation.confirmed_at = reservation.confirmed_at or at
    else:
        reservation.state = State.PENDING
        reservation.hold_expires_at = held_until
    session.flush()
    consequences.reservation_changed(session, reservation, Change.REINSTATED, with_mail=False)


def edit(session: Session, reservation: Reservation, values: dict[str, Any]) -> None:
    """Write a party's name, address, language or note: no seats change."""
    for name, value in values.items():
        setattr(reservation, name, value)
    consequences.reservation_changed(session, reservation, Change.EDITED, with_mail=False)

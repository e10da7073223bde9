"""Seats of no-shows: released, and held for their parties again."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from azionelab.bookings.models import Reservation
from azionelab.bookings.transitions import consequences
from azionelab.bookings.transitions.consequences import Change
from azionelab.shows.facts.seating import Places
from azionelab.shows.models import Performance


def release_seats(
    session: Session, performance: Performance, missing: Iterable[tuple[Reservation, int]]
) -> None:
    """Release the given number of seats of each no-show party."""
    freed = Places()
    for reservation, people in missing:
        held = consequences.held_places(reservation)
        reservation.released += people
        freed += held - consequences.held_places(reservation)
        consequences.reservation_changed(session, reservation, Change.SEATS_RELEASED)
    consequences.seats_freed(performance, freed)


def restore_seats(session: Session, reservation: Reservation, seats: int) -> Places:
    """Hold `seats` that were released for their party again; the places they are, which the caller found free."""
    held = consequences.held_places(reservation)
    if seats:
        reservation.released -= seats
        consequences.reservation_changed(session, reservation, Change.SEATS_RESTORED)
    return consequences.held_places(reservation) - held

"""Seats of no-shows: released, and held for their parties again."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from azionelab.bookings.models import Reservation
from azionelab.bookings.transitions import consequences
from azionelab.bookings.transitions.consequences import Change
from azionelab.shows.models import Performance


def release_seats(
    session: Session, performance: Performance, missing: Iterable[tuple[Reservation, int]]
) -> None:
    """Release the given number of seats of each no-show party."""
    freed = 0
    for reservation, people in missing:
        reservation.released += people
        freed += people
        consequences.reservation_changed(session, reservation, Change.SEATS_RELEASED)
    consequences.seats_freed(performance, freed)


def restore_seats(session: Session, reservation: Reservation, seats: int) -> None:
    """Hold `seats` that were released for their party again; the caller has found them free."""
    if seats:
        reservation.released -= seats
        consequences.reservation_changed(session, reservation, Change.SEATS_RESTORED)

"""A booking ends: its state, when, and by whom."""

from azionelab.bookings.changes import By
from azionelab.bookings.models import Reservation, State
from azionelab.database import now


def end(reservation: Reservation, state: State, by: By) -> None:
    """Give a locked reservation's seats back: part of its caller's transaction."""
    reservation.state = state
    reservation.ended_at, reservation.ended_by = now(), by

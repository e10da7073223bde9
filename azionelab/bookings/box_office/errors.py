"""What the box office is refused, and asked."""

from datetime import datetime
from uuid import UUID

from azionelab.bookings.errors import BookingError


class PerformanceOver(BookingError):
    """The performance is over: nobody can be booked for it any more."""


class HoldTooLong(BookingError):
    """Seats are held until a moment to come, at the latest `curtain`."""

    def __init__(self, curtain: datetime) -> None:
        super().__init__(f"until {curtain.isoformat()} at the latest")
        self.curtain = curtain


class HouseSeatsGone(BookingError):
    """Only `left` of the house seats are still kept back."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} house seats left")
        self.left = left


class UndoTooLate(BookingError):
    """The booking can no longer be undone; it can be cancelled."""


class Double(BookingError):
    """There is a booking already: the reservation, its reference, name and seats."""

    def __init__(self, reservation_id: UUID, reference: str, name: str, seats: int) -> None:
        super().__init__("booked already")
        self.reservation_id = reservation_id
        self.reference = reference
        self.name = name
        self.seats = seats


class AlreadyBooked(Double):
    """The address has a live booking of this performance."""


class SameName(Double):
    """Somebody of the same name has a live booking of this performance; it may be another person."""

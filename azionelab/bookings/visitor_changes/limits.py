"""What a visitor may ask for beyond cancelling: a confirmed booking, an evening that is open, seats that are free."""

from datetime import datetime

from sqlalchemy.orm import Session

from azionelab.bookings.box_office.changes import check_live
from azionelab.bookings.errors import (
    BookingClosed,
    NotConfirmed,
    PartyTooLarge,
    PerformanceStarted,
    PerformanceUnknown,
    refuse_unless_free,
)
from azionelab.bookings.models import Reservation
from azionelab.bookings.seats.holds import count_free
from azionelab.shows.facts.seating import Places
from azionelab.shows.models import Performance
from azionelab.shows.window import Window, booking_window


def check_confirmed(reservation: Reservation, at: datetime) -> None:
    """Raise unless a locked reservation is confirmed for a performance that has not begun.

    An unconfirmed one may be anybody's, with somebody else's address: it takes no more seats, here or on another
    evening, than its hold was given.

    Raises ReservationEnded, HoldExpired, NotConfirmed, PerformanceStarted.
    """
    check_live(reservation)
    if reservation.is_pending:
        raise NotConfirmed
    if at >= reservation.performance.starts_at:
        raise PerformanceStarted


def check_open(performance: Performance, at: datetime) -> None:
    """Raise PerformanceUnknown or BookingClosed unless visitors may book a locked performance now."""
    if not performance.show.published:
        raise PerformanceUnknown
    window = booking_window(performance, at)
    if window is not Window.OPEN:
        raise BookingClosed(window, performance.booking_opens_at)


def check_seats(
    session: Session, performance: Performance, party: int, wanted: Places, at: datetime
) -> None:
    """Raise unless a `party` of so many may take the places `wanted` of a locked performance in addition.

    Raises PartyTooLarge, SoldOut, WheelchairPlacesTaken.
    """
    if party > performance.party_limit:
        raise PartyTooLarge(performance.party_limit)
    refuse_unless_free(wanted, count_free(session, performance, at))

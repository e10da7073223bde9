"""Whoever waits and is near the theatre says so on the day, to be offered what comes free near the curtain."""

from datetime import datetime, timedelta
from uuid import UUID

from azionelab.bookings.errors import BookingError, ReservationEnded
from azionelab.bookings.locks import lock_with_performance
from azionelab.bookings.models import Reservation
from azionelab.bookings.transitions import waitlist
from azionelab.database import now, transaction
from azionelab.shows.models import Performance
from azionelab.shows.window import LAST_HOURS
from azionelab.waitlist.line import minutes_left, waits

# That can be chosen: how soon a party can be at the door. Two, as deadlines.NEAR_LEAST, for who is in the foyer already.
MINUTES = (2, 5, 10, 15, 20, 30)
OPEN_FROM = LAST_HOURS  # before the curtain
LASTS = timedelta(
    minutes=90
)  # then it must be said again: whoever has gone home holds no seats from walk-ins


class NearClosed(BookingError):
    """It is too early to say that one is near, or the performance has begun."""


def minutes_offered(reservation: Reservation, at: datetime) -> list[int]:
    """The times in minutes that a party in line can choose now; none when it is too early or too late."""
    performance = reservation.performance
    if opens_later(performance, at) or not is_to_come(performance, at):
        return []
    left = minutes_left(performance.starts_at, at)
    return [minutes for minutes in MINUTES if minutes <= left]


def opens_later(performance: Performance, at: datetime) -> datetime | None:
    """From when on a party in line can say that it is near; None when that has come."""
    opens_at = performance.starts_at - OPEN_FROM
    return opens_at if at < opens_at else None


def is_to_come(performance: Performance, at: datetime) -> bool:
    """Whether seats may still come free for who waits: it takes place, has not begun, and visitors can see it."""
    called_off = performance.cancelled_at is not None or not performance.show.published
    return at < performance.starts_at and not called_off


def near_until(reservation: Reservation, at: datetime) -> datetime | None:
    """How long it holds that a party is near; None when it has not said so, or not for this time."""
    until = reservation.near_until
    return until if reservation.is_waiting and until and until > at else None


def say_near(reservation_id: UUID, minutes: int) -> Reservation:
    """Record that a party that waits can be at the door within so many minutes; 0 takes it back. Again: it lasts anew.

    It lasts until the curtain, at most LASTS. Once booking is closed, seats that are free are offered at once.

    Raises ReservationUnknown, ReservationEnded for one that does not wait (any more), NearClosed.
    """
    with transaction() as session:
        reservation = lock_with_performance(session, reservation_id)
        at = now()
        if reservation.is_pending and reservation.offered_at is not None:
            reservation.is_unchanged = True  # seats came free meanwhile: the page shows them
            return reservation
        if not waits(reservation):
            raise ReservationEnded
        if not minutes:
            waitlist.say_near(session, reservation, None, None)
            return reservation
        if minutes not in minutes_offered(reservation, at):
            raise NearClosed
        until = min(at + LASTS, reservation.performance.starts_at)
        waitlist.say_near(session, reservation, minutes, until)
        return reservation

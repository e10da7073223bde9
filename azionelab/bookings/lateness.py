"""Parties that told us they come late: the visitor on their own page on the day, or staff for them."""

from datetime import datetime, timedelta
from uuid import UUID

from azionelab.bookings.errors import LatenessClosed, PartyInside, ReservationEnded
from azionelab.bookings.locks import lock_reservation
from azionelab.bookings.models import Reservation
from azionelab.database import now, transaction

MINUTES = (10, 20, 30)  # after the curtain, that can be told
TOLD_FROM = timedelta(hours=12)  # before the curtain: nobody knows it earlier


def minutes_offered(reservation: Reservation, at: datetime) -> list[int]:
    """By how many minutes a visitor may say at this moment that they come late; none when it is no time for it."""
    curtain = reservation.performance.starts_at
    if not reservation.has_ticket or reservation.walk_in or at < curtain - TOLD_FROM:
        return []
    if reservation.admitted == reservation.seats:
        return []
    return [minutes for minutes in MINUTES if curtain + timedelta(minutes=minutes) > at]


def tell_late(reservation_id: UUID, minutes: int, *, by_staff: bool = False) -> Reservation:
    """Let the door know that a party comes about so many minutes after the curtain; 0 takes it back.

    Their places are held as before. Raises ReservationUnknown, ReservationEnded, PartyInside, and LatenessClosed for
    a visitor when it is too early, or too late for so many minutes.
    """
    with transaction() as session:
        reservation = lock_reservation(session, reservation_id)
        if not reservation.has_ticket or reservation.walk_in:
            raise ReservationEnded
        if reservation.admitted == reservation.seats:
            raise PartyInside(reservation.admitted)
        if minutes and not by_staff and minutes not in minutes_offered(reservation, now()):
            raise LatenessClosed
        curtain = reservation.performance.starts_at
        late_at = curtain + timedelta(minutes=minutes) if minutes else None
        reservation.was_so_already = late_at == reservation.late_at
        reservation.late_at = late_at
        return reservation

"""Parties that told us they come late: the visitor on their own page on the day, or staff for them."""

from datetime import datetime, timedelta
from uuid import UUID

from azionelab.bookings.errors import (
    LatenessClosed,
    NoteChanged,
    PartyInside,
    ReservationEnded,
    VisitorErased,
)
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


def set_lateness(reservation_id: UUID, minutes: int, *, by_staff: bool = False) -> Reservation:
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


def write_note(reservation_id: UUID, note: str, seen: str) -> Reservation:
    """Let the door know `note` of a party, one line, instead of the one that was `seen`; "" for none.

    It is erased with the name, by the database. Raises ReservationUnknown, VisitorErased, and NoteChanged when
    somebody else wrote another one meanwhile.
    """
    with transaction() as session:
        reservation = lock_reservation(session, reservation_id)
        if reservation.walk_in or reservation.erased_at is not None:
            raise VisitorErased
        if note == reservation.note:
            reservation.was_so_already = True
            return reservation
        if seen != reservation.note:
            raise NoteChanged(reservation.note)
        reservation.note = note
        return reservation

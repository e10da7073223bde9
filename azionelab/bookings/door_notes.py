"""A party's late arrival and the staff's note, shown at the door."""

from datetime import datetime, timedelta
from uuid import UUID

from azionelab.bookings.errors import (
    LatenessClosed,
    NoteChanged,
    PartyInside,
    ReservationChanged,
    ReservationEnded,
    ReservationUnknown,
    VisitorErased,
)
from azionelab.bookings.locks import lock_reservation
from azionelab.bookings.models import Reservation
from azionelab.database import db, now, transaction

MINUTES = (5, 10, 15, 20, 30)  # that can be chosen, after the curtain
COMING_MINUTES = 10  # that the door notes
OPEN_FROM = timedelta(hours=12)  # before the curtain: nobody knows earlier


def minutes_offered(reservation: Reservation, at: datetime) -> list[int]:
    """The delays in minutes that a visitor can choose now; none when it is too early or too late."""
    curtain = reservation.performance.starts_at
    if not reservation.has_ticket or reservation.walk_in or at < curtain - OPEN_FROM:
        return []
    if reservation.admitted == reservation.seats:
        return []
    return [minutes for minutes in MINUTES if curtain + timedelta(minutes=minutes) > at]


def set_lateness(
    reservation_id: UUID, minutes: int, *, by_staff: bool = False, seen: int | None = None
) -> Reservation:
    """Record that a party comes about so many minutes after the curtain; 0 withdraws it.

    The party's seats stay held until `kept_until` (seats/no_show_seats.py). `seen` is the `changed_in` that a page of staff showed. Raises ReservationUnknown,
    ReservationEnded, PartyInside, ReservationChanged, and for a visitor LatenessClosed when it is too early, or too
    late for so many minutes.
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
        reservation.is_unchanged = late_at == reservation.late_at
        if seen is not None and not reservation.is_unchanged and reservation.changed_in != seen:
            raise ReservationChanged
        reservation.late_at = late_at
        return reservation


def note_coming(performance_id: int, reservation_id: UUID, *, coming: bool) -> Reservation:
    """Record what the door learns of a party: that it is on its way, as if it had said so itself; or that it is not.

    It is expected COMING_MINUTES after the curtain, or with the next choice of MINUTES when that has passed. Raises
    ReservationUnknown for one of another performance, LatenessClosed when it is too early or too late, and what
    `set_lateness` raises.
    """
    reservation = db.session.get(Reservation, reservation_id)
    if reservation is None or reservation.performance_id != performance_id:
        raise ReservationUnknown
    minutes = 0
    if coming:
        left = [each for each in minutes_offered(reservation, now()) if each >= COMING_MINUTES]
        if not left:
            raise LatenessClosed
        minutes = left[0]
    return set_lateness(reservation_id, minutes, by_staff=True)


def write_note(reservation_id: UUID, note: str, seen: str) -> Reservation:
    """Write a party's note of one line for the door, "" for none; `seen` is the note that the form showed.

    The database erases it with the name. Raises ReservationUnknown, VisitorErased, and NoteChanged when
    somebody else changed it meanwhile.
    """
    with transaction() as session:
        reservation = lock_reservation(session, reservation_id)
        if reservation.walk_in or reservation.erased_at is not None:
            raise VisitorErased
        if note == reservation.note:
            reservation.is_unchanged = True
            return reservation
        if seen != reservation.note:
            raise NoteChanged(reservation.note)
        reservation.note = note
        return reservation

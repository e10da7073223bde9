"""Notes: what staff write on a booking for whoever lets the party in."""

from uuid import UUID

from azionelab.bookings.errors import NoteChanged, VisitorErased
from azionelab.bookings.locks import lock_reservation
from azionelab.bookings.models import Reservation
from azionelab.database import transaction


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

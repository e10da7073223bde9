"""More seats for a party, asked for by its visitor. Fewer: `rules.reduce_seats`."""

from uuid import UUID

from azionelab.bookings.box_office.outcomes import (
    office_transaction,
    refuse_other_version,
    write_to_party,
)
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_with_performance
from azionelab.bookings.metrics import UNCHANGED, Action, counted
from azionelab.bookings.models import Reservation
from azionelab.bookings.transitions import office
from azionelab.bookings.transitions.consequences import Change
from azionelab.bookings.visitor_changes.limits import check_confirmed, check_open, check_seats
from azionelab.database import now
from azionelab.shows.facts.seating import Places


def add_seats(reservation_id: UUID, seats: int, seen: int) -> Reservation:
    """Enlarge a confirmed party to `seats` people, within the booking window and the party limit.

    The ticket stays the same, and one mail says so. `seen` is the reservation's `changed_in` as the page showed it. A
    party that has so many seats already is left as it is: the press was repeated.

    Raises ReservationUnknown, ReservationChanged, ReservationEnded, HoldExpired, NotConfirmed, PerformanceStarted,
    PerformanceUnknown, BookingClosed, PartyTooLarge, SoldOut.
    """
    with counted(Action.ENLARGE) as answer, office_transaction(rehearse=False) as session:
        reservation = lock_with_performance(session, reservation_id)
        before, at = reservation.seats, now()
        if seats == before:
            answer.outcome = UNCHANGED
            return reservation
        refuse_other_version(reservation, seen)
        check_confirmed(reservation, at)
        check_open(reservation.performance, at)
        more = Places(seats - before)
        check_seats(session, reservation.performance, seats, more, at)
        office.resize(session, reservation, reservation.places + more, Change.EDITED, By.VISITOR)
        write_to_party(session, reservation, Change.EDITED, {"seats": before}, notify=True)
        return reservation

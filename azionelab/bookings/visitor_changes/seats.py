"""More seats for a party, or no wheelchair place, asked for by its visitor. Fewer seats: `rules.reduce_seats`."""

from uuid import UUID

from azionelab.bookings.box_office.changes import check_live
from azionelab.bookings.box_office.outcomes import (
    office_transaction,
    refuse_other_version,
    write_to_party,
)
from azionelab.bookings.errors import NotFewerSeats, PartyInside, PerformanceStarted
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_with_performance
from azionelab.bookings.metrics import UNCHANGED, Action, counted
from azionelab.bookings.models import Reservation
from azionelab.bookings.transitions import office, parties
from azionelab.bookings.transitions.consequences import Change
from azionelab.bookings.visitor_changes.limits import check_confirmed, check_open, check_seats
from azionelab.database import now, transaction
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


def give_back_wheelchair_places(reservation_id: UUID, kept: int, seen: int) -> Reservation:
    """Make a party smaller by people who need a wheelchair place: `kept` of these places stay, and all other seats.

    (`rules.reduce_seats` gives up ordinary seats first.) An unconfirmed party may do so, too. The ticket stays the same,
    and one mail says so. `seen` is the reservation's `changed_in` as the page showed it. A party that has so many
    wheelchair places already is left as it is: the press was repeated.

    Raises ReservationUnknown, ReservationChanged, ReservationEnded, HoldExpired, PerformanceStarted, PartyInside, and
    NotFewerSeats when nobody would be left.
    """
    with counted(Action.REDUCE) as answer, transaction() as session:
        reservation = lock_with_performance(session, reservation_id)
        given = Places(wheelchair=reservation.wheelchair_places - kept)
        if not given.wheelchair:
            answer.outcome = UNCHANGED
            return reservation
        refuse_other_version(reservation, seen)
        check_live(reservation)
        if now() >= reservation.performance.starts_at:
            raise PerformanceStarted
        left = reservation.places - given
        if kept < 0 or given.wheelchair < 0 or left.total < 1:
            raise NotFewerSeats
        if left.total < reservation.admitted:
            raise PartyInside(reservation.admitted)
        parties.reduce(session, reservation, left, By.VISITOR)
        return reservation

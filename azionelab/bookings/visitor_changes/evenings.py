"""Another evening of the same show, chosen by the visitor: the party keeps its reference and its ticket."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from azionelab.bookings.box_office.moves import (
    ended_with_performance,
    lock_for_move,
    move_locked,
)
from azionelab.bookings.box_office.outcomes import office_transaction, refuse_other_version
from azionelab.bookings.errors import NotMovable
from azionelab.bookings.history import By
from azionelab.bookings.metrics import UNCHANGED, Action, counted
from azionelab.bookings.models import Reservation
from azionelab.bookings.visitor_changes.limits import check_confirmed, check_open, check_seats
from azionelab.database import now
from azionelab.shows.programme import Listing, list_performances
from azionelab.shows.window import Window


def swap_evening(reservation_id: UUID, target_id: int, seen: int) -> None:
    """Move a confirmed party, or one that ended with its cancelled performance, to another evening of its show.

    The evening must be open for booking, with free seats for all of the party. Seats of the evening that is left come
    free; one mail says what changed. `seen` is the reservation's `changed_in` as the page showed it. A party that is
    there already is left as it is: the press was repeated.

    Raises ReservationUnknown, ReservationChanged, ReservationEnded, HoldExpired, NotConfirmed, PerformanceStarted,
    PartyInside, PerformanceUnknown, NotMovable, BookingClosed, PartyTooLarge, SoldOut, AddressTaken, VisitorErased.
    """
    with counted(Action.SWAP) as answer, office_transaction(rehearse=False) as session:
        reservation, target = lock_for_move(session, reservation_id, target_id)
        if reservation.performance_id == target_id:
            answer.outcome = UNCHANGED
            return
        refuse_other_version(reservation, seen)
        at = now()
        if not ended_with_performance(reservation):
            check_confirmed(reservation, at)
        if target.show_id != reservation.performance.show_id:
            raise NotMovable
        check_open(target, at)
        check_seats(session, target, reservation.seats, reservation.places, at)
        move_locked(session, reservation, target, notify=True, by=By.VISITOR)


def may_swap(reservation: Reservation, at: datetime) -> bool:
    """Whether a party may choose another evening at all."""
    if ended_with_performance(reservation):
        return reservation.erased_at is None
    coming = at < reservation.performance.starts_at
    return reservation.has_ticket and coming and not reservation.admitted


def evenings_offered(reservation: Reservation, at: datetime) -> Sequence[Listing]:
    """The evenings of the same show that a party may swap to now, with seats for all of it; by start."""
    return [
        evening
        for evening in list_performances(reservation.performance.show, at)
        if evening.id != reservation.performance_id
        and evening.published
        and evening.window is Window.OPEN
        and reservation.seats <= evening.party_limit
        and evening.left.hold(reservation.places)
    ]

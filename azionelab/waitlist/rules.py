"""Joining the waitlist, taking a place in line, and leaving it.

An offer is answered by the rules of bookings: `confirm` takes the seats, `cancel` gives them back.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from azionelab.bookings.errors import (
    BookingError,
    HoldExpired,
    PartyTooLarge,
    ReservationEnded,
    WheelchairPlacesTaken,
)
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_performance, lock_reservation, lock_with_performance
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.rules import Visitor, cancel
from azionelab.bookings.seats.holds import count_free
from azionelab.bookings.tickets.references import new_reference
from azionelab.bookings.transitions import waitlist
from azionelab.bookings.visitor_changes.limits import check_open
from azionelab.database import now, transaction
from azionelab.mail.models import MailKind
from azionelab.mail.outbox import enqueue_unless_recent
from azionelab.shows.facts.seating import Places
from azionelab.shows.models import Performance
from azionelab.shows.window import is_last_minute
from azionelab.waitlist.line import position

TO_CONFIRM = timedelta(days=1)  # how long an entry waits for its mailbox to be confirmed


class SeatsAreFree(BookingError):
    """There is nothing to wait for: `free` seats can be booked, enough for the party."""

    def __init__(self, free: int) -> None:
        super().__init__(f"{free} seats are free")
        self.free = free


def join(performance_id: int, visitor: Visitor, seats: int, *, wheelchair_places: int = 0) -> None:
    """Write a party on the waitlist, and the mail by which it takes its place in line.

    Once booking is closed it can wait for what who is near is offered, also where seats are free.

    An address that has an entry or a booking of the performance gets a mail about that one instead: all look the same
    to the caller. An entry that is not in line yet takes over the new number of seats.

    Raises PerformanceUnknown, BookingClosed, PartyTooLarge, SeatsAreFree, WheelchairPlacesTaken when the house has
    fewer such places, and TurnOver.
    """
    wanted = Places.of_party(seats, wheelchair_places)
    with transaction() as session:
        if visitor.turn:
            visitor.turn(session)
        _lock_open(session, performance_id, wanted)
        same = _same_address(session, performance_id, visitor.email_key)
        if same is None:
            waitlist.join(session, _values(performance_id, visitor, wanted, now()))
            return
        if same.is_waiting and same.waiting_since is None:
            waitlist.resize(session, same, visitor.name, wanted)
        kind = MailKind.WAITLIST if same.is_waiting else MailKind.EXISTING
        enqueue_unless_recent(session, same.id, kind)


def add_by_staff(
    performance_id: int, visitor: Visitor, seats: int, *, wheelchair_places: int = 0
) -> Reservation:
    """Put a caller in line, whose mailbox the box office believes. Once more: the entry that is there.

    Raises PerformanceUnknown, BookingClosed, PartyTooLarge, SeatsAreFree, WheelchairPlacesTaken.
    """
    wanted = Places.of_party(seats, wheelchair_places)
    with transaction() as session:
        _lock_open(session, performance_id, wanted)
        same = _same_address(session, performance_id, visitor.email_key)
        entry = same or waitlist.join(session, _values(performance_id, visitor, wanted, now()))
        entry.is_unchanged = same is not None
        if entry.is_waiting and entry.waiting_since is None:
            entry.is_unchanged = False
            waitlist.resize(session, entry, visitor.name, wanted)
            waitlist.take_place(session, entry, now())
        return entry


def take_place(reservation_id: UUID) -> Reservation:
    """Put an entry in line, once its mailbox is confirmed. Again: nothing changes.

    Raises ReservationUnknown, HoldExpired for one that was confirmed too late, ReservationEnded, BookingClosed.
    """
    with transaction() as session:
        reservation = lock_with_performance(session, reservation_id)
        if reservation.waiting_since is not None and reservation.state != State.CANCELLED:
            reservation.is_unchanged = True
            return reservation
        if reservation.state == State.EXPIRED:
            raise HoldExpired
        if not reservation.is_waiting:
            raise ReservationEnded
        _check_can_wait(reservation.performance, now())
        waitlist.take_place(session, reservation, now())
        return reservation


def leave(reservation_id: UUID, *, by: By = By.VISITOR) -> Reservation:
    """Take an entry off the waitlist, or give back the seats that were offered. Again: nothing changes.

    Raises ReservationUnknown, and what `cancel` raises of seats.
    """
    with transaction() as session:
        reservation = lock_reservation(session, reservation_id)
        if reservation.is_waiting:
            waitlist.leave(session, reservation, by)
            return reservation
    return cancel(reservation_id, by=by)


def _lock_open(session: Session, performance_id: int, wanted: Places) -> None:
    """Lock a performance, of which these places cannot be booked now."""
    performance = lock_performance(session, performance_id)
    _check_can_wait(performance, now())
    if not 1 <= wanted.total <= performance.party_limit:
        raise PartyTooLarge(performance.party_limit)
    free = count_free(session, performance, now())
    if free.hold(wanted) and not is_last_minute(performance, now()):
        raise SeatsAreFree(free.missing_none.total if wanted.wheelchair else free.seats)
    if wanted.wheelchair > performance.wheelchair_places:
        raise WheelchairPlacesTaken(free.seats, free.wheelchair)


def _check_can_wait(performance: Performance, at: datetime) -> None:
    """Raise PerformanceUnknown or BookingClosed unless visitors may wait for seats of a locked performance."""
    if not (performance.show.published and is_last_minute(performance, at)):
        check_open(performance, at)


def _same_address(session: Session, performance_id: int, email_key: str) -> Reservation | None:
    """The live booking of an address, or else its entry that waits.

    An entry that is passed over, since its owner booked meanwhile and gave the seats back, ends.
    """
    found = session.scalars(
        select(Reservation)
        .where(
            Reservation.performance_id == performance_id,
            Reservation.email_key == email_key,
            Reservation.is_live | (Reservation.state == State.WAITING),
        )
        .order_by(Reservation.state == State.WAITING)
    ).first()
    if found and found.is_waiting and found.waiting_since and position(found) is None:
        waitlist.leave(session, found, By.VISITOR)
        return None
    return found


def _values(
    performance_id: int, visitor: Visitor, wanted: Places, at: datetime
) -> dict[str, object]:
    return {
        "id": uuid4(),
        "reference": new_reference(),
        "performance_id": performance_id,
        **visitor.facts(),
        "seats": wanted.total,
        "wheelchair_places": wanted.wheelchair,
        "request_key": uuid4(),
        "created_at": at,
        "hold_expires_at": at + TO_CONFIRM,
    }

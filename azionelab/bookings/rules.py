"""The rules of one booking: reserve, confirm, cancel, make it smaller.

Beside them: seats/holds.py (what lapses), performance_changes.py (moved and cancelled performances), erasure.py.
A rule checks; transitions.py writes what changes. Each use case is one transaction, but `reserve` and
`expire_lapsed_holds`, which expire holds in others of their own; `expire_holds` and `free_seats` are parts
of their caller's. The database counts the seats (migration 0002): these functions decide under the
performance's lock, and its constraint refuses a writer that does not.
"""

from dataclasses import dataclass
from uuid import UUID, uuid4, uuid5

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import make_transient_to_detached

from azionelab.bookings import transitions
from azionelab.bookings.errors import (
    HoldExpired,
    NotFewerSeats,
    PartyInside,
    PerformanceStarted,
    ReservationEnded,
    SeatsChanged,
    SoldOut,
)
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_reservation, lock_with_performance
from azionelab.bookings.metrics import UNCHANGED, Action, Answer, counted
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.seats.bookable import check_bookable, read_booking_facts, unheld_seats
from azionelab.bookings.seats.holds import expire_holds_of, free_seats, hold
from azionelab.bookings.seats.network_holds import network_key, network_limit, too_many_unconfirmed
from azionelab.bookings.tickets.references import new_reference
from azionelab.database import db, now, transaction, violated_constraint
from azionelab.mail.models import Kind
from azionelab.mail.outbox import enqueue_unless_recent
from azionelab.validation.email_addresses import mailbox_key


@dataclass(frozen=True)
class Visitor:
    """Who books. `email` is a valid address as typed; `locale` is the language of the mails.

    `network` is where the visitor books from; whoever has none is not limited by it (the box office).
    """

    name: str
    email: str
    locale: str
    network: str | None = None

    @property
    def email_key(self) -> str:
        """The mailbox: it has one booking, however its address is written."""
        return mailbox_key(self.email)


def reserve(
    performance_id: int, visitor: Visitor, seats: int, request_key: UUID | None = None
) -> Reservation:
    """Hold `seats` for HOLD_MINUTES and enqueue the mail that asks to confirm.

    The same request sent again (`request_key`) gives the booking it made, as long as that is live;
    afterwards it books anew. An address that already has a live booking of the performance is written
    to about that one, which is returned: to whoever asked, both look the same. That is decided after
    the seats are: a full house says so to all alike.

    When too much of the house waits to be confirmed already (UNCONFIRMED_PERCENT), no seats are held: they
    go to whoever confirms first. `told_held` of what is returned says what to tell.

    Raises PerformanceUnknown, BookingClosed, PartyTooLarge, SoldOut, TooManyUnconfirmed.
    """
    key = _request_key(request_key or uuid4(), performance_id, visitor, seats)
    with counted(Action.RESERVE) as answer:
        return _reserve_among_rivals(performance_id, visitor, seats, key, answer)


def _reserve_among_rivals(
    performance_id: int, visitor: Visitor, seats: int, key: UUID, answer: Answer
) -> Reservation:
    while True:
        try:
            return _reserve(performance_id, visitor, seats, key, answer)
        except _LapsedHolds:
            expire_holds_of(performance_id)
        except IntegrityError as error:
            # Others were first, between what was read and what was written. The database says in
            # what: the last seats, those that may be held unconfirmed, the same press or address on
            # another connection.
            match violated_constraint(error):
                case "ck_performance_capacity_held":
                    raise SoldOut(min(unheld_seats(performance_id), seats - 1)) from error
                case "reservation_network_seats":
                    network = _network_key(performance_id, visitor)
                    raise too_many_unconfirmed(performance_id, network) from error
                case (
                    "uq_reservation_live_request"
                    | "uq_reservation_live_email"
                    | "reservation_unconfirmed_share"
                ):
                    continue
            raise


def _reserve(
    performance_id: int, visitor: Visitor, seats: int, key: UUID, answer: Answer
) -> Reservation:
    at = now()
    facts = read_booking_facts(performance_id, key, visitor.email_key, at)
    performance, rivals = facts.performance, facts.rivals
    if any(rival.lapsed for rival in rivals):
        raise _LapsedHolds
    for same_press in (rival for rival in rivals if rival.request_key == key):
        answer.outcome = UNCHANGED
        booked = db.session.get_one(Reservation, same_press.reservation_id)
        booked.told_held = booked.holds_seats
        return booked
    check_bookable(performance, seats, at)
    network = _network_key(performance_id, visitor)
    holds_seats = network is None or seats <= facts.unconfirmed_left
    with transaction() as session:
        for same_address in rivals:
            answer.outcome = UNCHANGED
            enqueue_unless_recent(session, same_address.reservation_id, Kind.EXISTING)
            existing = session.get_one(Reservation, same_address.reservation_id)
            existing.told_held = holds_seats
            return existing
        values = {
            "id": uuid4(),
            "reference": new_reference(),
            "performance_id": performance_id,
            "name": visitor.name,
            "email": visitor.email,
            "email_key": visitor.email_key,
            "locale": visitor.locale,
            "seats": seats,
            "state": State.PENDING,
            "holds_seats": holds_seats,
            "unconfirmed_limit": network and facts.unconfirmed_limit,
            "network": network,
            "network_limit": network
            and network_limit(performance.capacity, performance.party_limit),
            "request_key": key,
            "created_at": at,
            "hold_expires_at": at + hold(),
        }
        made = transitions.add(session, values)
    make_transient_to_detached(made)
    session.add(made)
    made.told_held = holds_seats
    return made


def confirm(reservation_id: UUID) -> Reservation:
    """Make a pending reservation firm and enqueue the ticket. Confirming again changes nothing.

    Raises ReservationUnknown, HoldExpired, ReservationEnded, and SoldOut for one that held no seats.
    """
    with counted(Action.CONFIRM) as answer:
        try:
            # Seats that are held already need no lock on the performance.
            return _confirm(reservation_id, answer, among_others=False)
        except _HoldsNoSeats:
            return _confirm(reservation_id, answer, among_others=True)


def _confirm(reservation_id: UUID, answer: Answer, *, among_others: bool) -> Reservation:
    """With `among_others` under the performance's lock: it may take seats that nobody holds."""
    with transaction() as session:
        lock = lock_with_performance if among_others else lock_reservation
        reservation = lock(session, reservation_id)
        at = now()
        if reservation.state == State.CONFIRMED:
            return _unchanged(answer, reservation)
        if reservation.state == State.EXPIRED or reservation.is_lapsed(at):
            raise HoldExpired
        if reservation.state == State.CANCELLED or reservation.performance.cancelled_at is not None:
            raise ReservationEnded
        if not reservation.holds_seats:
            if not among_others:
                raise _HoldsNoSeats
            free = free_seats(session, reservation.performance, at)
            if reservation.seats > free:
                raise SoldOut(free)
        transitions.confirm(session, reservation, at)
        return reservation


def cancel(reservation_id: UUID, *, by: By = By.VISITOR) -> Reservation:
    """Give the seats back, and note in kind who did it. Cancelling again, or when the hold is over, changes nothing.

    Raises ReservationUnknown, ReservationEnded, PartyInside, PerformanceStarted.
    """
    with counted(Action.CANCEL) as answer, transaction() as session:
        reservation = lock_with_performance(session, reservation_id)
        if not reservation.is_live or reservation.is_lapsed(now()):
            return _unchanged(answer, reservation)
        _check_changeable(reservation)
        if reservation.admitted:
            raise PartyInside(reservation.admitted)
        transitions.cancel(session, reservation, by)
        return reservation


def reduce_seats(
    reservation_id: UUID, seats: int, seen: int | None = None, *, by: By = By.VISITOR
) -> Reservation:
    """Make a party smaller: `seats` people instead of more. The ticket stays the same.

    `seen` is how many seats the form showed. A party never grows, so that number says whether somebody
    changed it meanwhile: SeatsChanged.

    Raises ReservationUnknown, ReservationEnded, HoldExpired, NotFewerSeats, PartyInside,
    PerformanceStarted.
    """
    with counted(Action.REDUCE) as answer, transaction() as session:
        reservation = lock_with_performance(session, reservation_id)
        if not reservation.is_live:
            raise ReservationEnded
        if reservation.is_lapsed(now()):
            raise HoldExpired
        if seats == reservation.seats:
            return _unchanged(answer, reservation)
        if seen is not None and seen != reservation.seats:
            raise SeatsChanged(reservation.seats)
        _check_changeable(reservation)
        if not 1 <= seats < reservation.seats:
            raise NotFewerSeats
        if seats < reservation.admitted:
            raise PartyInside(reservation.admitted)
        transitions.reduce(session, reservation, seats, by)
        return reservation


def _unchanged(answer: Answer, reservation: Reservation) -> Reservation:
    """A reservation that was already as it was asked for: counted as such, and marked for the caller."""
    answer.outcome = UNCHANGED
    reservation.was_so_already = True
    return reservation


def _request_key(press: UUID, performance_id: int, visitor: Visitor, seats: int) -> UUID:
    # Who goes back and mends a mistyped address sends the form's key again, but means another
    # booking: what was asked for is part of the key.
    return uuid5(press, f"{performance_id}/{visitor.email_key}/{seats}/{visitor.name}")


def _network_key(performance_id: int, visitor: Visitor) -> bytes | None:
    return network_key(performance_id, visitor.network) if visitor.network else None


class _HoldsNoSeats(Exception):
    """A reservation gets its seats only now: its performance is to be locked before it."""


class _LapsedHolds(Exception):
    """Seats are held by nobody any more: they are to be freed before they are counted."""


def _check_changeable(reservation: Reservation) -> None:
    if reservation.performance.cancelled_at is not None:
        raise ReservationEnded
    if now() >= reservation.performance.starts_at:
        raise PerformanceStarted

"""The rules of one booking: reserve, confirm, cancel, reduce.

Others are in seats/ (holds, no-shows), performance_changes.py and erasure.py. A rule checks; transitions/ writes the
change. Each use case is one transaction; only `reserve` and `expire_lapsed_holds` expire holds before, in others. The
database counts the seats (migration 0002): a constraint refuses a writer that does not decide under the lock.
"""

from dataclasses import dataclass
from uuid import UUID, uuid4, uuid5

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import make_transient_to_detached

from azionelab.bookings.crowd.gate import Turn
from azionelab.bookings.errors import (
    HoldExpired,
    NotFewerSeats,
    NotOffered,
    PartyInside,
    PerformanceStarted,
    ReservationEnded,
    SeatsChanged,
    SeatsOfHouse,
    SoldOut,
    WheelchairPlacesTaken,
    refuse_unless_free,
)
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_reservation, lock_with_performance
from azionelab.bookings.metrics import UNCHANGED, Action, Answer, counted
from azionelab.bookings.models import Kind, Reservation, State
from azionelab.bookings.seats.bookable import check_bookable, read_booking_facts, unheld_places
from azionelab.bookings.seats.holds import count_free, expire_holds_of, hold_until
from azionelab.bookings.seats.network_holds import network_key, network_limit, too_many_unconfirmed
from azionelab.bookings.tickets.references import new_reference
from azionelab.bookings.transitions import parties
from azionelab.database import db, now, transaction, violated_constraint
from azionelab.mail.models import MailKind
from azionelab.mail.outbox import enqueue_unless_recent
from azionelab.shows.facts.seating import Places
from azionelab.validation.email_addresses import mailbox_key


@dataclass(frozen=True)
class Visitor:
    """The person who books. `email` is a valid address as typed; `locale` is the language of the mails.

    `network` is the network that the visitor books from. The box office has none, and no limit by network. One who is
    not `proven` may be a script (crowd/proof_of_work.py): no seats are held until they confirm. `consent` names the text
    that they agreed to, None at the box office. `turn` uses up their turn in a line, with the booking (crowd/gate.py).
    """

    name: str
    email: str
    locale: str
    network: str | None = None
    proven: bool = True
    consent: str | None = None
    turn: Turn | None = None

    @property
    def email_key(self) -> str:
        """The key of the mailbox, which has one booking, however the address is spelled."""
        return mailbox_key(self.email)

    def facts(self) -> dict[str, object]:
        """What a reservation stores of the visitor."""
        return {
            "name": self.name,
            "email": self.email,
            "email_key": self.email_key,
            "locale": self.locale,
            "consent": self.consent,
        }


def reserve(
    performance_id: int,
    visitor: Visitor,
    seats: int,
    request_key: UUID | None = None,
    *,
    wheelchair_places: int = 0,
) -> Reservation:
    """Hold `seats` for HOLD_MINUTES and enqueue the mail that asks to confirm. `wheelchair_places` of them are such.

    The same request sent again (`request_key`) returns the booking that it made, as long as that is live;
    afterwards it books anew. An address that already has a live booking of the performance gets a mail about
    that one, which is returned: both look the same. The seats are checked before: a full house is SoldOut for everybody.

    When too many seats are unconfirmed already (UNCONFIRMED_PERCENT), or the visitor is not proven, none are held:
    they go to the party that confirms first. `shown_as_held` of the returned booking is what the page says.

    Raises PerformanceUnknown, BookingClosed, PartyTooLarge, SoldOut, WheelchairPlacesTaken, TooManyUnconfirmed, TurnOver.
    """
    wanted = Places.of_party(seats, wheelchair_places)
    key = request_key_of(request_key or uuid4(), performance_id, visitor, wanted)
    with counted(Action.RESERVE) as answer:
        return _reserve_among_rivals(performance_id, visitor, wanted, key, answer)


def _reserve_among_rivals(
    performance_id: int, visitor: Visitor, wanted: Places, key: UUID, answer: Answer
) -> Reservation:
    while True:
        try:
            return _reserve(performance_id, visitor, wanted, key, answer)
        except _LapsedHolds:
            expire_holds_of(performance_id)
        except IntegrityError as error:
            # Another connection was faster, between our reading and our writing. The constraint's name
            # tells: the last seats, the unconfirmed share, the same press or the same address.
            match violated_constraint(error):
                case "ck_performance_capacity_held":
                    left = unheld_places(performance_id)
                    fewer = min(left.seats, wanted.seats - 1)
                    raise SoldOut(fewer, left.wheelchair) from error
                case "ck_performance_wheelchair_held":
                    left = unheld_places(performance_id)
                    fewer = min(left.wheelchair, wanted.wheelchair - 1)
                    raise WheelchairPlacesTaken(left.seats, fewer) from error
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
    performance_id: int, visitor: Visitor, wanted: Places, key: UUID, answer: Answer
) -> Reservation:
    at = now()
    facts = read_booking_facts(performance_id, key, visitor.email_key, at)
    performance, rivals = facts.performance, facts.rivals
    if any(rival.lapsed for rival in rivals):
        raise _LapsedHolds
    for same_press in (rival for rival in rivals if rival.request_key == key):
        answer.outcome = UNCHANGED
        booked = db.session.get_one(Reservation, same_press.reservation_id)
        booked.shown_as_held = booked.holds_seats
        return booked
    check_bookable(performance, wanted, at)
    network = _network_key(performance_id, visitor)
    holds_seats = network is None or (visitor.proven and wanted.total <= facts.unconfirmed_left)
    with transaction() as session:
        if visitor.turn:
            visitor.turn(session)
        for same_address in rivals:
            answer.outcome = UNCHANGED
            enqueue_unless_recent(session, same_address.reservation_id, MailKind.EXISTING)
            existing = session.get_one(Reservation, same_address.reservation_id)
            existing.shown_as_held = holds_seats
            return existing
        values = {
            "id": uuid4(),
            "reference": new_reference(),
            "performance_id": performance_id,
            **visitor.facts(),
            "seats": wanted.total,
            "wheelchair_places": wanted.wheelchair,
            "state": State.PENDING,
            "holds_seats": holds_seats,
            "unconfirmed_limit": network and facts.unconfirmed_limit,
            "network": network,
            "network_limit": network
            and network_limit(performance.capacity, performance.party_limit),
            "request_key": key,
            "created_at": at,
            "hold_expires_at": hold_until(at),
        }
        made = parties.add(session, values)
    make_transient_to_detached(made)
    session.add(made)
    made.shown_as_held = holds_seats
    return made


def request_key_of(press: UUID, performance_id: int, visitor: Visitor, wanted: Places) -> UUID:
    """The key that a booking gets from the form's key and its entries.

    A visitor who goes back and corrects an entry sends the form's key again, but wants another booking.
    """
    return uuid5(press, f"{performance_id}/{visitor.email_key}/{wanted}/{visitor.name}")


def confirm(reservation_id: UUID) -> Reservation:
    """Confirm a pending reservation and enqueue the ticket. Confirming again changes nothing.

    Raises ReservationUnknown, HoldExpired, ReservationEnded, SoldOut for one that held no seats, SeatsOfHouse, and
    NotOffered for one on the waitlist.
    """
    with counted(Action.CONFIRM) as answer:
        try:
            # Seats that are held already need no lock on the performance.
            return _confirm(reservation_id, answer, with_performance=False)
        except _HoldsNoSeats:
            return _confirm(reservation_id, answer, with_performance=True)


def _confirm(reservation_id: UUID, answer: Answer, *, with_performance: bool) -> Reservation:
    """`with_performance` also locks the performance, so that it can take free seats."""
    with transaction() as session:
        lock = lock_with_performance if with_performance else lock_reservation
        reservation = lock(session, reservation_id)
        at = now()
        if reservation.state == State.CONFIRMED:
            return _unchanged(answer, reservation)
        if reservation.is_waiting and not reservation.has_let_offer_lapse:
            raise NotOffered
        is_over = reservation.state == State.EXPIRED or reservation.is_lapsed(at)
        if is_over or reservation.has_let_offer_lapse:
            raise HoldExpired
        if reservation.state == State.CANCELLED or reservation.performance.cancelled_at is not None:
            raise ReservationEnded
        if reservation.kind == Kind.HOUSE:
            raise SeatsOfHouse
        if not reservation.holds_seats:
            if not with_performance:
                raise _HoldsNoSeats
            free = count_free(session, reservation.performance, at)
            refuse_unless_free(reservation.places, free)
        parties.confirm(session, reservation, at)
        return reservation


def cancel(reservation_id: UUID, *, by: By = By.VISITOR) -> Reservation:
    """Cancel a booking and free its seats. Cancelling again, or when the hold has lapsed, changes nothing.

    Raises ReservationUnknown, ReservationEnded, PartyInside, PerformanceStarted.
    """
    with counted(Action.CANCEL) as answer, transaction() as session:
        reservation = lock_with_performance(session, reservation_id)
        if not reservation.is_live or reservation.is_lapsed(now()):
            return _unchanged(answer, reservation)
        _check_changeable(reservation)
        if reservation.admitted:
            raise PartyInside(reservation.admitted)
        parties.cancel(session, reservation, by)
        return reservation


def reduce_seats(
    reservation_id: UUID, seats: int, seen: int | None = None, *, by: By = By.VISITOR
) -> Reservation:
    """Reduce a party to `seats` people. The ticket stays the same.

    `seen` is the number of seats that the form showed. A party never grows, so another number means that
    somebody changed it meanwhile: SeatsChanged.

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
        parties.reduce(session, reservation, reservation.places.of_fewer(seats), by)
        return reservation


def _unchanged(answer: Answer, reservation: Reservation) -> Reservation:
    """Count a request that changes nothing, and mark the reservation for the caller."""
    answer.outcome = UNCHANGED
    reservation.is_unchanged = True
    return reservation


def _network_key(performance_id: int, visitor: Visitor) -> bytes | None:
    return network_key(performance_id, visitor.network) if visitor.network else None


class _HoldsNoSeats(Exception):
    """The reservation takes its seats only now: the performance must be locked before it."""


class _LapsedHolds(Exception):
    """Some holds have lapsed: they must be expired before the seats are counted."""


def _check_changeable(reservation: Reservation) -> None:
    if reservation.performance.cancelled_at is not None:
        raise ReservationEnded
    if now() >= reservation.performance.starts_at:
        raise PerformanceStarted

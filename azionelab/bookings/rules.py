"""The booking rules: every change of a reservation's state is one function here.

Each use case is one transaction, but `reserve` and `expire_lapsed_holds`, which expire holds in others of
their own; `expire_holds`, `free_places` and `end` are parts of their caller's. Seats are counted by the
database (migration 0002): these functions decide under the performance's lock, and its constraint refuses
whoever does not.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID, uuid4, uuid5

from flask import current_app
from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, make_transient_to_detached

from azionelab.bookings.bookable import check_bookable, read_evening, unheld_seats
from azionelab.bookings.changes import By
from azionelab.bookings.errors import (
    CapacityBelowHeld,
    HoldExpired,
    NamesErased,
    NotFewerSeats,
    PartyInside,
    PerformanceStarted,
    ReservationEnded,
    SeatsChanged,
    SoldOut,
)
from azionelab.bookings.locks import (
    lock_live_parties,
    lock_performance,
    lock_reservation,
    lock_with_performance,
)
from azionelab.bookings.metrics import UNCHANGED, Action, Answer, counted
from azionelab.bookings.models import Reservation, State, lapsed
from azionelab.bookings.network_holds import network_key, network_limit, too_many_unconfirmed
from azionelab.bookings.references import new_reference
from azionelab.database import db, last_words, now, transaction, violated_constraint
from azionelab.database.row_versions import require_version, write_as
from azionelab.mail.models import Delivery, Kind, Mail
from azionelab.mail.outbox import enqueue, enqueue_unless_recent
from azionelab.shows.models import Performance
from azionelab.shows.window import check_curtain, check_window, follow_curtain
from azionelab.validation.email_addresses import mailbox


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
        return mailbox(self.email)


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
            _expire_holds(performance_id)
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
    evening, rivals = read_evening(performance_id, key, visitor.email_key, at)
    if any(rival.lapsed for rival in rivals):
        raise _LapsedHolds
    for same_press in (rival for rival in rivals if rival.request_key == key):
        answer.outcome = UNCHANGED
        booked = db.session.get_one(Reservation, same_press.rival)
        booked.told_held = booked.holds_seats
        return booked
    facts = check_bookable(evening, seats, at)
    network = _network_key(performance_id, visitor)
    holds_seats = network is None or seats <= facts.unconfirmed_left
    with transaction() as session:
        for same_address in rivals:
            answer.outcome = UNCHANGED
            enqueue_unless_recent(session, same_address.rival, Kind.EXISTING)
            existing = session.get_one(Reservation, same_address.rival)
            existing.told_held = holds_seats
            return existing
        identity = uuid4()
        enqueue(session, identity, Kind.CONFIRM)
        # At the end, since it locks the performance (its trigger counts the seats there): parties
        # of one evening queue here, for this statement and the commit only.
        reservation = {
            "id": identity,
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
            "network_limit": network and network_limit(facts.capacity, facts.party_limit),
            "request_key": key,
            "created_at": at,
            "hold_expires_at": at + _hold(),
        }
        last_words(session, _NEW_RESERVATION, reservation)
    made = Reservation(**reservation)
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
            free = free_places(session, reservation.performance, at)
            if reservation.seats > free:
                raise SoldOut(free)
        reservation.state = State.CONFIRMED
        reservation.holds_seats = True
        reservation.confirmed_at = at
        _write_to(session, reservation, Kind.TICKET)
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
        end(reservation, State.CANCELLED, by)
        _write_to(session, reservation, Kind.CANCELLED)
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
        reservation.reduced_from = reservation.reduced_from or reservation.seats
        reservation.reduced_at, reservation.reduced_by = now(), by
        reservation.seats = seats
        reservation.released = min(reservation.released, seats - reservation.admitted)
        if reservation.state == State.CONFIRMED:
            _write_to(session, reservation, Kind.CHANGED)
        return reservation


def expire_lapsed_holds() -> int:
    """End every hold whose time is over and say how many; one transaction a performance.

    Nothing waits for this: lapsed seats count as free at once (`Listing.seats_left`), and `reserve` expires
    them itself when it needs them.
    """
    with transaction() as session:
        over = select(Reservation.performance_id).where(lapsed(now())).distinct()
        performances = list(session.scalars(over.order_by(Reservation.performance_id)))
    return sum(_expire_holds(performance_id) for performance_id in performances)


def change_performance(performance_id: int, change: Callable[[Performance], object]) -> int:
    """Let `change` write what a performance is, its seats included: all of it, or nothing.

    Live parties of an evening to come are written to when its time or its place changed; returns how
    many are. One yet to come is not moved into the past, as if it had been played, and one whose
    visitors' names were erased is not moved at all (docs/decisions/0001). The times of booking move with
    the curtain unless `change` writes them too.

    Raises PerformanceUnknown, CurtainPast, CurtainTooFar, NamesErased, ClosesAfterCurtain, NoTimeToBook,
    and CapacityBelowHeld with the figure.
    """
    with transaction() as session:
        performance = lock_performance(session, performance_id)
        at = now()
        expire_holds(session, performance, at)
        before = _Evening.of(performance)
        change(performance)
        moved = (before.starts_at, before.venue_id) != (
            performance.starts_at,
            performance.venue_id,
        )
        _check_move(before.starts_at, performance.starts_at, at)
        _let_booking_follow(performance, before, at)
        if performance.capacity < performance.seats_held:
            raise CapacityBelowHeld(performance.seats_held)
        if not moved:
            return 0
        live = lock_live_parties(session, performance_id)
        for reservation in live:
            # They told it of another hour.
            reservation.late_at = None
        if performance.starts_at <= at or performance.cancelled_at is not None:
            return 0
        return sum(_write_to(session, reservation, Kind.MOVED) for reservation in live)


def _write_to(session: Session, reservation: Reservation, kind: Kind) -> bool:
    """Enqueue a mail to a locked reservation's visitor; False when there is no address."""
    if not reservation.email:
        return False
    enqueue(session, reservation.id, kind)
    return True


def _unchanged(answer: Answer, reservation: Reservation) -> Reservation:
    """A reservation that was already as it was asked for: counted as such, and marked for the caller."""
    answer.outcome = UNCHANGED
    reservation.was_so_already = True
    return reservation


def cancel_performance(
    performance_id: int, *, seen_version: int | None = None, by: int | None = None
) -> int | None:
    """Call an evening off: every live reservation ends and its visitor is written to.

    Parties of whom somebody is in are written to as well, but stay confirmed in the books, which
    say who was there. Returns how many parties are written to; when the performance was cancelled
    already, None. Raises PerformanceUnknown, and EditConflict when it is not any more as it was in the
    `seen_version`. `by` is the account of whoever does it.
    """
    with transaction() as session:
        performance = lock_performance(session, performance_id)
        if performance.cancelled_at is not None:
            return None
        if seen_version is not None:
            require_version(session, performance, seen_version)
        write_as(session, by)
        expire_holds(session, performance, now())
        performance.cancelled_at = now()
        told = 0
        for reservation in lock_live_parties(session, performance_id):
            if not reservation.admitted:
                end(reservation, State.CANCELLED, By.PERFORMANCE)
            told += _write_to(session, reservation, Kind.PERFORMANCE_CANCELLED)
        return told


def erase_personal_data() -> int:
    """Erase names and addresses that served their purpose, and say of how many reservations.

    That is RETENTION_DAYS after the performance, or after the booking ended if that is earlier. A
    performance that was moved counts by its new time, and cannot be moved once it is over for so long
    (`change_performance`): nothing is erased of which the time could still come.
    Seats, states and admissions stay: they are the theatre's statistics and nobody's data.
    """
    with transaction() as session:
        before = now() - _retention()
        played = select(Performance.id).where(Performance.starts_at < before)
        erased = session.execute(
            update(Reservation)
            .where(
                Reservation.erased_at.is_(None),
                Reservation.walk_in.is_(False),
                or_(Reservation.performance_id.in_(played), Reservation.ended_at < before),
            )
            .values(name="", email="", email_key=None, erased_at=now())
            .returning(Reservation.id)
            .execution_options(synchronize_session=False)
        )
        return len(erased.all())


def erase_on_request(reservation_id: UUID) -> Reservation:
    """Erase a visitor's name and address now, because they ask for it. Erasing again changes nothing.

    The booking stays as it is, its seats and its ticket too: the party gives its reference at the door.
    Nobody is written to any more; mails that wait are not sent. Raises ReservationUnknown.
    """
    with transaction() as session:
        reservation = lock_reservation(session, reservation_id)
        if reservation.walk_in or reservation.erased_at is not None:
            reservation.was_so_already = True
            return reservation
        reservation.name = reservation.email = ""
        reservation.email_key = None
        reservation.erased_at = reservation.erasure_requested_at = now()
        session.execute(
            update(Mail)
            .where(Mail.reservation_id == reservation_id, Mail.delivery == Delivery.QUEUED)
            .values(delivery=Delivery.NOT_SENT)
            .execution_options(synchronize_session=False)
        )
        return reservation


def _request_key(press: UUID, performance_id: int, visitor: Visitor, seats: int) -> UUID:
    # Who goes back and mends a mistyped address sends the form's key again, but means another
    # booking: what was asked for is part of the key.
    return uuid5(press, f"{performance_id}/{visitor.email_key}/{seats}/{visitor.name}")


def _network_key(performance_id: int, visitor: Visitor) -> bytes | None:
    return network_key(performance_id, visitor.network) if visitor.network else None


def _hold() -> timedelta:
    return timedelta(minutes=current_app.config["AZIONELAB"].hold_minutes)


def _retention() -> timedelta:
    return timedelta(days=current_app.config["AZIONELAB"].retention_days)


def _check_move(starts_at: datetime, moved_to: datetime, at: datetime) -> None:
    if starts_at < at - _retention() and moved_to != starts_at:
        raise NamesErased
    if starts_at > at or moved_to > at:
        check_curtain(moved_to, at)


@dataclass(frozen=True)
class _Evening:
    """When and where a performance is, and when it can be booked, before it is changed."""

    starts_at: datetime
    venue_id: int
    booking_opens_at: datetime
    booking_closes_at: datetime
    cancelled_at: datetime | None

    @classmethod
    def of(cls, performance: Performance) -> "_Evening":
        return cls(**{each.name: getattr(performance, each.name) for each in fields(cls)})


def _let_booking_follow(performance: Performance, before: _Evening, at: datetime) -> None:
    if before == _Evening.of(performance):
        return
    opens_at, closes_at = follow_curtain(before, performance.starts_at, at)
    if performance.released_at is not None:
        # Released places are for whoever waits at the door: booking stays closed, as it was with them.
        closes_at = min(before.booking_closes_at, performance.starts_at)
    if performance.booking_opens_at == before.booking_opens_at:
        performance.booking_opens_at = opens_at
    if performance.booking_closes_at == before.booking_closes_at:
        performance.booking_closes_at = closes_at
    check_window(performance.booking_opens_at, performance.booking_closes_at, performance.starts_at)


class _HoldsNoSeats(Exception):
    """A reservation gets its seats only now: its performance is to be locked before it."""


class _LapsedHolds(Exception):
    """Seats are held by nobody any more: they are to be freed before they are counted."""


def _check_changeable(reservation: Reservation) -> None:
    if reservation.performance.cancelled_at is not None:
        raise ReservationEnded
    if now() >= reservation.performance.starts_at:
        raise PerformanceStarted


def _expire_holds(performance_id: int) -> int:
    with transaction() as session:
        return expire_holds(session, lock_performance(session, performance_id), now())


def expire_holds(session: Session, performance: Performance, at: datetime) -> int:
    """Expire the lapsed holds of a locked performance, and read its seats again if there were.

    Part of its caller's transaction; says how many there were.
    """
    expired = session.execute(
        update(Reservation)
        .where(Reservation.performance_id == performance.id, lapsed(at))
        .values(state=State.EXPIRED, ended_at=at)
        .returning(Reservation.id)
        .execution_options(synchronize_session="fetch")
    ).all()
    if expired:
        session.refresh(performance, ["seats_held"])
    return len(expired)


def free_places(session: Session, performance: Performance, at: datetime) -> int:
    """Places of a locked performance that nobody holds; lapsed holds are expired first.

    Part of its caller's transaction.
    """
    expire_holds(session, performance, at)
    return performance.capacity - performance.seats_held


def end(reservation: Reservation, state: State, by: By) -> None:
    """Give a locked reservation's seats back: part of its caller's transaction."""
    reservation.state = state
    reservation.ended_at, reservation.ended_by = now(), by


_NEW_RESERVATION = insert(Reservation).inline()

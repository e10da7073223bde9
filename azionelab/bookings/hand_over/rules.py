"""Offer a booking to a friend; take that back, refuse it, accept it.

Until the friend accepts, the booking and its ticket are the holder's. Accepting ends it and gives its seats, in the same
transaction, to a new booking with its own reference: they never come free, and the ticket before opens no door.
"""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Select, exists, select, update
from sqlalchemy.orm import Session

from azionelab.bookings.box_office.outcomes import (
    office_transaction,
    refuse_other_version,
    refuse_taken_address,
    write_to_party,
)
from azionelab.bookings.errors import (
    AddressTaken,
    PartyInside,
    SeatsReleased,
    VisitorErased,
)
from azionelab.bookings.hand_over.errors import (
    FriendHasBooking,
    HandOverEnded,
    HandOverOpen,
    HandOverTaken,
    OwnAddress,
)
from azionelab.bookings.hand_over.models import LASTS, HandOver
from azionelab.bookings.locks import lock_reservation, lock_with_performance
from azionelab.bookings.metrics import Action, counted
from azionelab.bookings.models import Reservation
from azionelab.bookings.rules import Visitor
from azionelab.bookings.transitions import office
from azionelab.bookings.transitions.consequences import Change
from azionelab.bookings.visitor_changes.limits import check_confirmed
from azionelab.database import db, now, transaction
from azionelab.mail.models import MailKind
from azionelab.mail.outbox import enqueue
from azionelab.shows.models import Performance
from azionelab.validation.email_addresses import mailbox_key


def find_open(reservation: Reservation, at: datetime) -> HandOver | None:
    """The offer of a booking that waits for its answer."""
    found = db.session.scalar(_open(reservation.id))
    return found if found is not None and found.is_open(at) else None


def was_handed_over(reservation: Reservation) -> bool:
    """Whether a booking has ended because a friend took it over."""
    return not reservation.is_live and bool(
        db.session.scalar(
            select(HandOver.id)
            .where(HandOver.reservation_id == reservation.id, HandOver.accepted_as.is_not(None))
            .limit(1)
        )
    )


def offer(reservation_id: UUID, friend: Visitor, seen: int) -> None:
    """Offer a confirmed booking to a friend, and enqueue the mail to them. The same offer again changes nothing.

    `seen` is the reservation's `changed_in` as the page showed it. Whether the friend has a booking is told to them alone.

    Raises ReservationUnknown, ReservationChanged, ReservationEnded, HoldExpired, NotConfirmed, PerformanceStarted,
    PartyInside, SeatsReleased, VisitorErased, OwnAddress, HandOverOpen.
    """
    with counted(Action.OFFER_TO_FRIEND), transaction() as session:
        reservation = lock_reservation(session, reservation_id)
        at = now()
        before = session.scalar(_open(reservation_id).with_for_update())
        if before is not None and before.is_open(at):
            if mailbox_key(before.email) == friend.email_key:
                return
            raise HandOverOpen
        refuse_other_version(reservation, seen)
        _check_transferable(reservation, at)
        if reservation.email_key == friend.email_key:
            raise OwnAddress
        if before is not None:
            _end(session, before, at)
        made = HandOver(
            id=uuid4(),
            reservation_id=reservation_id,
            name=friend.name,
            email=friend.email,
            locale=friend.locale,
            created_at=at,
        )
        session.add(made)
        session.flush()
        enqueue(session, reservation_id, MailKind.HAND_OVER, hand_over_id=made.id)


def withdraw(reservation_id: UUID) -> None:
    """Take the offer of a booking back: its link ends. Again: nothing changes.

    Raises ReservationUnknown, and HandOverTaken when the friend was faster.
    """
    with transaction() as session:
        reservation = lock_reservation(session, reservation_id)
        found = session.scalar(_open(reservation_id).with_for_update())
        if found is not None:
            _end(session, found, now())
        elif was_handed_over(reservation):
            raise HandOverTaken


def decline(hand_over_id: UUID) -> None:
    """Refuse an offer: the friend's address is erased. Again: nothing changes.

    Raises HandOverEnded when there is none, HandOverTaken for one that was accepted.
    """
    with transaction() as session:
        found = _lock(session, hand_over_id)
        if found.accepted_as is not None:
            raise HandOverTaken
        if found.ended_at is None:
            _end(session, found, now())


def accept(hand_over_id: UUID, name: str, locale: str, consent: str, seen: int) -> Reservation:
    """Give the friend the booking: a new one, confirmed, with the same seats. Both are written to.

    `name` is how the friend writes it, `consent` the text that they agreed to, `seen` the reservation's `changed_in` as
    the page showed it.

    Raises HandOverEnded, HandOverTaken, ReservationChanged, FriendHasBooking, and what `offer` raises of the booking.
    """
    try:
        with counted(Action.TAKE_OVER), office_transaction(rehearse=False) as session:
            return _accept(session, hand_over_id, name, locale, consent, seen)
    except AddressTaken as error:
        raise FriendHasBooking from error


def _accept(  # noqa: PLR0917 (what the page sends)
    session: Session, hand_over_id: UUID, name: str, locale: str, consent: str, seen: int
) -> Reservation:
    named = session.get(HandOver, hand_over_id)
    if named is None:
        raise HandOverEnded
    reservation = lock_with_performance(session, named.reservation_id)
    found = _lock(session, hand_over_id)
    at = now()
    if found.accepted_as is not None:
        raise HandOverTaken
    if not found.is_open(at) or not reservation.is_live:
        raise HandOverEnded
    refuse_other_version(reservation, seen)
    _check_transferable(reservation, at)
    friend = Visitor(name, found.email, locale, consent=consent)
    refuse_taken_address(session, reservation.performance_id, friend.email_key)
    taken = office.hand_over(session, reservation, friend.facts(), at)
    _end(session, found, at)
    found.accepted_as = taken.id
    write_to_party(session, reservation, Change.CANCELLED, {"handed_over": True}, notify=True)
    return taken


def end_lapsed() -> int:
    """Erase the friends of offers that nobody answered in time; how many."""
    at = now()
    begun = (
        exists(Reservation.id)
        .where(Reservation.id == HandOver.reservation_id, Performance.starts_at <= at)
        .where(Performance.id == Reservation.performance_id)
    )
    with transaction() as session:
        ended = session.execute(
            update(HandOver)
            .where(
                HandOver.ended_at.is_(None),
                (HandOver.created_at <= at - LASTS) | begun,
            )
            .values(name="", email="", ended_at=at)
            .returning(HandOver.id)
            .execution_options(synchronize_session=False)
        )
        return len(ended.all())


def may_hand_over(reservation: Reservation, at: datetime) -> bool:
    """Whether a booking can be offered to a friend now."""
    coming = reservation.has_ticket and at < reservation.performance.starts_at
    return coming and not (
        reservation.admitted or reservation.released or reservation.erasure_requested_at
    )


def _check_transferable(reservation: Reservation, at: datetime) -> None:
    check_confirmed(reservation, at)
    if reservation.admitted:
        raise PartyInside(reservation.admitted)
    if reservation.released:
        raise SeatsReleased
    if not may_hand_over(reservation, at):
        raise VisitorErased


def _open(reservation_id: UUID) -> Select[HandOver]:
    return select(HandOver).where(
        HandOver.reservation_id == reservation_id, HandOver.ended_at.is_(None)
    )


def _lock(session: Session, hand_over_id: UUID) -> HandOver:
    """The offer as it is now, locked until the transaction ends; HandOverEnded when there is none."""
    found = session.get(HandOver, hand_over_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise HandOverEnded
    return found


def _end(session: Session, found: HandOver, at: datetime) -> None:
    found.name = found.email = ""
    found.ended_at = at
    session.flush()

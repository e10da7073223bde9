"""Cancelling a reservation by staff, with or without a mail, and taking a cancellation back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from azionelab.bookings.box_office.outcomes import (
    MailPreview,
    Outcome,
    free_seats,
    not_sent,
    offer_undo,
    office_transaction,
    refuse_other_version,
    refuse_taken_address,
    write_to_party,
)
from azionelab.bookings.errors import (
    NotOffered,
    PartyInside,
    PerformanceStarted,
    ReservationEnded,
    SeatsOfHouse,
    refuse_unless_free,
)
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_with_performance
from azionelab.bookings.models import Kind, Reservation, State
from azionelab.bookings.seats.holds import count_free
from azionelab.bookings.transitions import office, parties
from azionelab.bookings.transitions.consequences import Change
from azionelab.database import now
from azionelab.mail.models import MailKind


def cancel_party(
    reservation_id: UUID, seen: int, *, notify: bool = True, rehearse: bool = False
) -> Outcome:
    """Cancel a reservation by staff and free its seats. Cancelling again changes nothing.

    Raises ReservationUnknown, ReservationChanged, ReservationEnded, PartyInside, PerformanceStarted.
    """
    with office_transaction(rehearse=rehearse) as session:
        reservation = lock_with_performance(session, reservation_id)
        if not reservation.is_live or reservation.is_lapsed(now()):
            return Outcome(reservation_id, is_unchanged=True)
        refuse_other_version(reservation, seen)
        _check_takes_place(reservation)
        if reservation.admitted:
            raise PartyInside(reservation.admitted)
        before = {
            "state": reservation.state,
            "held_until": reservation.hold_expires_at.isoformat(),
        }
        mails = end_party(session, reservation, notify=notify)
        offer_undo(session, reservation_id, "cancel", before, told=notify and bool(mails))
        return Outcome(
            reservation_id, free=free_seats(session, reservation.performance), mails=mails
        )


def end_party(
    session: Session, reservation: Reservation, *, notify: bool
) -> tuple[MailPreview, ...]:
    """Cancel a reservation in the caller's transaction; the mail about it."""
    parties.cancel(session, reservation, By.STAFF, with_mail=False)
    return write_to_party(session, reservation, Change.CANCELLED, {}, notify=notify)


def reinstate_party(
    reservation_id: UUID, seen: int, *, notify: bool = True, rehearse: bool = False
) -> Outcome:
    """Take a cancellation back, or revive an expired reservation: it is confirmed, with all its seats.

    Raises ReservationUnknown, ReservationChanged, ReservationEnded for one of a cancelled performance,
    PerformanceStarted, SoldOut, AddressTaken.
    """
    with office_transaction(rehearse=rehearse) as session:
        reservation = lock_with_performance(session, reservation_id)
        if reservation.state == State.CONFIRMED:
            return Outcome(reservation_id, is_unchanged=True)
        at = now()
        if reservation.is_live and not reservation.is_lapsed(at):
            return Outcome(reservation_id, is_unchanged=True)
        refuse_other_version(reservation, seen)
        mails = revive(session, reservation, notify=notify)
        offer_undo(session, reservation_id, "reinstate", {}, told=notify and bool(mails))
        return Outcome(
            reservation_id, free=free_seats(session, reservation.performance), mails=mails
        )


def revive(
    session: Session,
    reservation: Reservation,
    *,
    notify: bool,
    held_until: datetime | None = None,
    undone: bool = False,
) -> tuple[MailPreview, ...]:
    """Make an ended reservation live again in the caller's transaction; the mail about it.

    A mail about the cancellation that still waits is not sent.
    """
    _check_takes_place(reservation)
    if reservation.kind == Kind.HOUSE and held_until is None:
        raise SeatsOfHouse
    if reservation.is_waiting and not reservation.has_let_offer_lapse:
        raise NotOffered
    performance, at = reservation.performance, now()
    refuse_unless_free(reservation.places, count_free(session, performance, at))
    refuse_taken_address(session, performance.id, reservation.email_key, reservation.id)
    session.refresh(reservation)  # its own hold may just have been expired
    office.reinstate(session, reservation, at, held_until)
    not_sent(session, reservation.id, MailKind.CANCELLED)
    said = {"undone": True} if undone else {"reinstated": True}
    return write_to_party(session, reservation, Change.REINSTATED, said, notify=notify)


def _check_takes_place(reservation: Reservation) -> None:
    if reservation.performance.cancelled_at is not None:
        raise ReservationEnded
    if now() >= reservation.performance.starts_at:
        raise PerformanceStarted

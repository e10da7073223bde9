"""Moves a party to another performance, also from a cancelled one: it keeps its reference and its ticket.

At the door of the performance that it left its ticket is of another performance, also on phones without a network as
soon as they have synced (checkin/devices/offline_list.py); at the new one it is on the list.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from azionelab.bookings.box_office.changes import check_live
from azionelab.bookings.box_office.models import PartyMove
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
    NotMovable,
    PartyInside,
    ReservationChanged,
    ReservationUnknown,
    SeatsOfHouse,
    VisitorErased,
    refuse_unless_free,
)
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_performances, lock_reservation
from azionelab.bookings.mails.changes import Changed, left_performance
from azionelab.bookings.models import Kind, Reservation, State
from azionelab.bookings.seats.holds import count_free
from azionelab.bookings.transitions import office
from azionelab.bookings.transitions.consequences import Change
from azionelab.database import now
from azionelab.mail.models import MailKind
from azionelab.shows.models import Performance


def move_party(
    reservation_id: UUID,
    target_id: int,
    seen: int,
    *,
    notify: bool = True,
    rehearse: bool = False,
) -> Outcome:
    """Move a party of which nobody is in to another performance to come that has seats for all of it.

    The party may have missed its own performance; seats that were released there do not matter. One that ended with
    its cancelled performance is confirmed at the other. Moving it to where it is changes nothing.

    Raises ReservationUnknown, ReservationChanged, ReservationEnded, HoldExpired, PartyInside, PerformanceUnknown,
    NotMovable, AddressTaken, SoldOut.
    """
    with office_transaction(rehearse=rehearse) as session:
        reservation, target = lock_for_move(session, reservation_id, target_id)
        if reservation.performance_id == target_id:
            return Outcome(reservation_id, is_unchanged=True)
        refuse_other_version(reservation, seen)
        mails = move_locked(session, reservation, target, notify=notify)
        return Outcome(reservation_id, free=free_seats(session, target), mails=mails)


def ended_with_performance(reservation: Reservation) -> bool:
    """Whether a reservation was cancelled with its performance, and by nothing else."""
    return reservation.state == State.CANCELLED and reservation.ended_by == By.PERFORMANCE


def move_locked(
    session: Session,
    reservation: Reservation,
    target: Performance,
    *,
    notify: bool,
    by: By = By.STAFF,
) -> tuple[MailPreview, ...]:
    """Move a locked party into a locked performance, in the caller's transaction; the mail about it.

    Staff may take their move back for some minutes; a visitor may choose anew.

    Raises as `move_party` does.
    """
    before: dict[str, Any] = {
        "performance": reservation.performance_id,
        "held_until": reservation.hold_expires_at.isoformat(),
        "late_at": reservation.late_at and reservation.late_at.isoformat(),
    }
    changed: Changed = {"left": left_performance(reservation.performance)}
    if by is By.VISITOR:
        changed["asked"] = True
    kind = "move"
    if ended_with_performance(reservation):
        if reservation.erased_at is not None:
            raise VisitorErased
        kind = "rebook"
        before |= {
            name: value and value.isoformat()
            for name in ("ended_at", "confirmed_at")
            for value in (getattr(reservation, name),)
        }
        before |= {"holds_seats": reservation.holds_seats, "released": reservation.released}
    else:
        check_live(reservation)
    put_into(session, reservation, target)
    if kind == "rebook":
        not_sent(session, reservation.id, MailKind.PERFORMANCE_CANCELLED)
    mails = write_to_party(session, reservation, Change.MOVED, changed, notify=notify)
    if by is By.STAFF:
        offer_undo(session, reservation.id, kind, before, told=notify and bool(mails))
    return mails


def lock_for_move(
    session: Session, reservation_id: UUID, target_id: int
) -> tuple[Reservation, Performance]:
    """Lock both performances in the order of their ids, then the reservation.

    Raises ReservationUnknown, PerformanceUnknown, and ReservationChanged if somebody else moved it meanwhile.
    """
    performance_id = session.scalar(
        select(Reservation.performance_id).where(Reservation.id == reservation_id)
    )
    if performance_id is None:
        raise ReservationUnknown
    performances = lock_performances(session, performance_id, target_id)
    reservation = lock_reservation(session, reservation_id)
    if reservation.performance_id != performance_id:
        raise ReservationChanged
    return reservation, performances[target_id]


def put_into(
    session: Session, reservation: Reservation, target: Performance, *, back: bool = False
) -> None:
    """Move a locked party into a locked performance, in the caller's transaction.

    It has to be one to come, unless the party goes `back` where it was.

    Raises PartyInside, NotMovable, SeatsOfHouse, AddressTaken, SoldOut.
    """
    at = now()
    if reservation.kind == Kind.HOUSE:
        raise SeatsOfHouse
    if reservation.walk_in or target.cancelled_at is not None:
        raise NotMovable
    if target.starts_at <= at and not back:
        raise NotMovable
    if reservation.admitted:
        raise PartyInside(reservation.admitted)
    free = count_free(session, target, at)
    refuse_taken_address(session, target.id, reservation.email_key, reservation.id)
    refuse_unless_free(reservation.places, free)
    note_left(session, reservation, at)
    if reservation.is_live:
        office.move(session, reservation, target)
    else:
        office.rebook(session, reservation, target, at)


def note_left(session: Session, reservation: Reservation, at: datetime) -> None:
    """Record which performance a party leaves, so that its door knows where the party belongs."""
    left = {
        "reservation_id": reservation.id,
        "performance_id": reservation.performance_id,
        "moved_at": at,
    }
    session.execute(
        insert(PartyMove)
        .values(left)
        .on_conflict_do_update(
            index_elements=["reservation_id", "performance_id"], set_={"moved_at": at}
        )
    )

"""Every change of a reservation's state and seats, and what follows from it.

No other module writes a reservation's state, seats or released seats. Each function here is part of its
caller's transaction, which has locked the reservation, and its performance where seats come free
(docs/locking.md). Whatever must follow a change is added to one of two functions, which run in that
transaction: `reservation_changed` (of one booking) and `seats_freed` (of a performance).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from flask import current_app
from sqlalchemy import ColumnElement, insert, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from azionelab.bookings.history import By
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.tickets.references import new_reference
from azionelab.database import insert_with_commit, now
from azionelab.mail.models import MailKind
from azionelab.mail.outbox import enqueue
from azionelab.shows.models import Performance


class Change(StrEnum):
    """How a reservation changed."""

    RESERVED = "reserved"
    CONFIRMED = "confirmed"
    REDUCED = "reduced"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SEATS_RELEASED = "seats_released"
    SEATS_RESTORED = "seats_restored"
    WALKED_IN = "walked_in"
    PERFORMANCE_MOVED = "performance_moved"
    PERFORMANCE_CANCELLED = "performance_cancelled"


_NEW_RESERVATION = insert(Reservation).inline()
# The visitor gets no mail about the others: an expired booking says so on its page, and
# no-shows see it at the door.
_MAILS = {
    Change.RESERVED: MailKind.CONFIRM,
    Change.CONFIRMED: MailKind.TICKET,
    Change.REDUCED: MailKind.REDUCED,
    Change.CANCELLED: MailKind.CANCELLED,
    Change.PERFORMANCE_MOVED: MailKind.MOVED,
    Change.PERFORMANCE_CANCELLED: MailKind.PERFORMANCE_CANCELLED,
}


def reservation_changed(session: Session, reservation: Reservation, change: Change) -> bool:
    """Enqueue the mail about a change of a locked reservation; whether there is one.

    Walk-ins and visitors whose address was erased get none, and an unconfirmed booking that was reduced
    has no ticket that could differ.
    """
    kind = _MAILS.get(change)
    if kind is None or not reservation.email:
        return False
    if change is Change.REDUCED and reservation.state != State.CONFIRMED:
        return False
    enqueue(session, reservation.id, kind)
    return True


def seats_freed(performance: Performance, seats: int) -> None:
    """What follows when `seats` of a locked performance come free: today, the session's `seats_held`.

    The database counts them in its own row (migration 0020). Not called when the capacity is raised
    (performance_changes.py), and for a lapsed hold only once it is expired (seats/holds.py), although its seats
    can be booked before. Seats that are taken do not raise the session's `seats_held`: lock the performance again
    before counting after that.
    """
    if seats:
        set_committed_value(performance, "seats_held", performance.seats_held - seats)


def add(session: Session, values: dict[str, Any]) -> Reservation:
    """Write a new reservation with the commit; what is returned is not in the session.

    Its insert comes last, since it locks the performance (the trigger counts the seats there): the bookings
    of one performance queue for this statement and the commit only.
    """
    reservation = Reservation(**values)
    reservation_changed(session, reservation, Change.RESERVED)
    insert_with_commit(session, _NEW_RESERVATION, values)
    return reservation


def confirm(session: Session, reservation: Reservation, at: datetime) -> None:
    """Confirm a pending reservation. One that held no seats holds them from now on."""
    reservation.state = State.CONFIRMED
    reservation.holds_seats = True
    reservation.confirmed_at = at
    reservation_changed(session, reservation, Change.CONFIRMED)


def reduce(session: Session, reservation: Reservation, seats: int, by: By) -> None:
    """Make a party smaller: `seats` people instead of more. Seats released before count first."""
    held = _held(reservation)
    reservation.reduced_from = reservation.reduced_from or reservation.seats
    reservation.reduced_at, reservation.reduced_by = now(), by
    reservation.seats = seats
    reservation.released = min(reservation.released, seats - reservation.admitted)
    seats_freed(reservation.performance, held - _held(reservation))
    reservation_changed(session, reservation, Change.REDUCED)


def cancel(session: Session, reservation: Reservation, by: By) -> None:
    """Cancel a live reservation of which nobody is in, and free its seats."""
    seats_freed(reservation.performance, _end(reservation, by))
    reservation_changed(session, reservation, Change.CANCELLED)


def cancel_with_performance(
    session: Session, performance: Performance, parties: Iterable[Reservation]
) -> int:
    """Cancel the live parties of a performance that is cancelled; how many mails go out.

    A party of which somebody is in stays confirmed, since it was there. It is written to as well.
    """
    freed = mails = 0
    for reservation in parties:
        if not reservation.admitted:
            freed += _end(reservation, By.PERFORMANCE)
        mails += reservation_changed(session, reservation, Change.PERFORMANCE_CANCELLED)
    seats_freed(performance, freed)
    return mails


def expire(
    session: Session,
    performance: Performance,
    which: ColumnElement[bool],
    at: datetime,
    by: By | None = None,
) -> int:
    """Expire the pending reservations of a performance that `which` selects; how many."""
    expired: Sequence[Reservation] = session.scalars(
        update(Reservation)
        .where(Reservation.performance_id == performance.id, Reservation.is_pending, which)
        .values(state=State.EXPIRED, ended_at=at, ended_by=by)
        .returning(Reservation)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    seats_freed(performance, sum(each.seats for each in expired if each.holds_seats))
    for reservation in expired:
        reservation_changed(session, reservation, Change.EXPIRED)
    return len(expired)


def release_seats(
    session: Session, performance: Performance, missing: Iterable[tuple[Reservation, int]]
) -> None:
    """Release the given number of seats of each no-show party."""
    freed = 0
    for reservation, people in missing:
        reservation.released += people
        freed += people
        reservation_changed(session, reservation, Change.SEATS_RELEASED)
    seats_freed(performance, freed)


def restore_seats(session: Session, reservation: Reservation, seats: int) -> None:
    """Hold `seats` that were released for their party again; the caller has found them free."""
    if seats:
        reservation.released -= seats
        reservation_changed(session, reservation, Change.SEATS_RESTORED)


def seat_walk_ins(session: Session, performance_id: int, people: int, key: UUID) -> Reservation:
    """Hold seats for `people` who came without a booking; `key` names the press that let them in.

    The caller has locked the performance and found the seats free.
    """
    at = now()
    reservation = Reservation(
        id=uuid4(),
        reference=new_reference(),
        performance_id=performance_id,
        name="",
        email="",
        locale=current_app.config["AZIONELAB"].default_locale,
        seats=people,
        state=State.CONFIRMED,
        walk_in=True,
        request_key=key,
        created_at=at,
        hold_expires_at=at,
        confirmed_at=at,
    )
    session.add(reservation)
    session.flush()
    reservation_changed(session, reservation, Change.WALKED_IN)
    return reservation


def replace_walk_ins(
    session: Session, performance: Performance, before: Reservation, people: int
) -> Reservation | None:
    """Correct walk-ins whose number was wrong: `people` of them, or None at 0, in place of those `before`.

    Only the seats that are left over come free.
    """
    freed = _end(before, By.STAFF)
    reservation_changed(session, before, Change.CANCELLED)
    session.flush()  # the key is free only then
    seats_freed(performance, max(0, freed - people))
    return seat_walk_ins(session, performance.id, people, before.request_key) if people else None


def _end(reservation: Reservation, by: By) -> int:
    """Cancel a reservation; how many seats it held."""
    held = _held(reservation)
    reservation.state = State.CANCELLED
    reservation.ended_at, reservation.ended_by = now(), by
    return held


def _held(reservation: Reservation) -> int:
    """The seats that a reservation holds, as the database counts them (migration 0020)."""
    holds = reservation.is_live and reservation.holds_seats
    return reservation.seats - reservation.released if holds else 0

"""Parties on the waitlist: they join, take their place in line, are offered seats, and leave.

The seats that an offer holds are confirmed, given back and expired like those of every other pending reservation
(parties.py).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from azionelab.bookings.history import By
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.transitions import consequences
from azionelab.bookings.transitions.consequences import Change
from azionelab.database import now
from azionelab.shows.facts.seating import Places


def join(session: Session, values: dict[str, Any]) -> Reservation:
    """Write an entry, which is not in line before its mailbox is confirmed, and the mail that asks for it.

    The caller has locked the performance.
    """
    reservation = Reservation(**values, state=State.WAITING, holds_seats=False)
    session.add(reservation)
    session.flush()
    consequences.reservation_changed(session, reservation, Change.JOINED)
    return reservation


def take_place(session: Session, reservation: Reservation, at: datetime) -> None:
    """Put an entry at the end of the line. Its performance is locked: seats may be free for it already."""
    reservation.waiting_since = at
    session.flush()
    consequences.seats_may_be_free(reservation.performance)


def say_near(
    session: Session, reservation: Reservation, minutes: int | None, until: datetime | None
) -> None:
    """Note that a party in line is so many minutes away; None: that it is not. Its performance is locked."""
    reservation.near_minutes, reservation.near_until = minutes, until
    session.flush()
    consequences.seats_may_be_free(reservation.performance)


def resize(session: Session, reservation: Reservation, name: str, places: Places) -> None:
    """Let an entry that is not in line yet ask for other places."""
    reservation.name = name
    reservation.seats, reservation.wheelchair_places = places.total, places.wheelchair
    session.flush()


def offer(
    session: Session,
    reservation: Reservation,
    told_at: datetime,
    until: datetime,
    *,
    now_told: bool,
    near: bool = False,
) -> None:
    """Hold the seats that were found free for a party that waited, `until` a moment.

    The mail is written when the visitor is told: now, or by `tell`. Of an offer to who is `near`, what they said is kept:
    whoever takes it is expected then (parties.confirm).
    """
    if not near:
        reservation.near_minutes = reservation.near_until = None
    reservation.state = State.PENDING
    reservation.holds_seats = True
    reservation.hold_expires_at, reservation.offered_at = until, told_at
    session.flush()
    consequences.reservation_changed(session, reservation, Change.OFFERED, with_mail=now_told)


def tell(session: Session, reservation: Reservation) -> None:
    """Write the mail of an offer that waited for the morning."""
    consequences.reservation_changed(session, reservation, Change.OFFERED)


def leave(session: Session, reservation: Reservation, by: By) -> None:
    """Take an entry off the waitlist. It held no seats, and nobody is written to."""
    reservation.state = State.CANCELLED
    reservation.ended_at, reservation.ended_by = now(), by
    session.flush()


def cancel_with_performance(
    session: Session, waiting: Iterable[Reservation], *, notify: bool
) -> int:
    """End the waitlist of a performance that is cancelled; how many mails go out.

    An entry whose mailbox was never confirmed gets none, nor does who let an offer lapse.
    """
    mails = 0
    for reservation in waiting:
        in_line = reservation.waiting_since is not None and not reservation.has_let_offer_lapse
        leave(session, reservation, By.PERFORMANCE)
        mails += consequences.reservation_changed(
            session, reservation, Change.PERFORMANCE_CANCELLED, with_mail=notify and in_line
        )
    return mails


def tell_moved(session: Session, waiting: Iterable[Reservation], *, notify: bool) -> int:
    """Tell those in line that the performance has another time or venue; how many mails go out. They stay."""
    return sum(
        consequences.reservation_changed(
            session, reservation, Change.PERFORMANCE_MOVED, with_mail=notify
        )
        for reservation in waiting
        if reservation.waiting_since is not None and not reservation.has_let_offer_lapse
    )


def follow_closing(parties: Iterable[Reservation], closes_at: datetime) -> None:
    """Let no offer outlast the time until which can be booked."""
    for reservation in parties:
        if reservation.is_pending and reservation.offered_at is not None:
            reservation.hold_expires_at = min(reservation.hold_expires_at, closes_at)


def expire(session: Session, which: ColumnElement[bool], at: datetime) -> int:
    """End the entries that `which` selects; how many. Nobody is written to."""
    ended = session.scalars(
        update(Reservation)
        .where(Reservation.state == State.WAITING, which)
        .values(state=State.EXPIRED, ended_at=at)
        .returning(Reservation.id)
        .execution_options(synchronize_session=False)
    )
    return len(ended.all())

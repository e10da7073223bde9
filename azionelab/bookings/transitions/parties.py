"""Changes of one party or of all parties of a performance: made, confirmed, reduced, cancelled, expired."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, insert, update
from sqlalchemy.orm import Session

from azionelab.bookings.history import By
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.transitions import consequences
from azionelab.bookings.transitions.consequences import Change
from azionelab.database import insert_with_commit, now
from azionelab.shows.facts.seating import Places
from azionelab.shows.models import Performance

_NEW_RESERVATION = insert(Reservation).inline()
# Of the table, not of the class: that would configure the models before all of them are imported.
_other = Reservation.__table__.alias("other").c
# An offer to somebody in line that nobody answered. Of those made near the curtain the answer counts at once.
_WAITS_ON = and_(
    Reservation.offered_at.is_not(None),
    Reservation.near_minutes.is_(None),
    Reservation.email != "",
    # An address waits once at a performance: it may have been moved there, or corrected.
    ~exists()
    .where(
        _other.performance_id == Reservation.performance_id,
        _other.email_key == Reservation.email_key,
        _other.state == State.WAITING,
    )
    .correlate(Reservation),
)


def add(session: Session, values: dict[str, Any]) -> Reservation:
    """Write a new reservation with the commit; what is returned is not in the session.

    Its insert comes last, since it locks the performance (the trigger counts the seats there): the bookings
    of one performance queue for this statement and the commit only.
    """
    reservation = Reservation(**values)
    consequences.reservation_changed(session, reservation, Change.RESERVED)
    insert_with_commit(session, _NEW_RESERVATION, values)
    return reservation


def confirm(
    session: Session, reservation: Reservation, at: datetime, *, with_mail: bool = True
) -> None:
    """Confirm a pending reservation. One that held no seats holds them from now on.

    Whoever takes seats that were offered near the curtain said when they can be there: no release takes them before
    (no_show_seats.kept_until).
    """
    reservation.state = State.CONFIRMED
    reservation.holds_seats = True
    reservation.confirmed_at = at
    if reservation.near_minutes is not None:
        there_at = at + timedelta(minutes=reservation.near_minutes)
        reservation.late_at = max(there_at, reservation.performance.starts_at)
    consequences.reservation_changed(session, reservation, Change.CONFIRMED, with_mail=with_mail)


def reduce(session: Session, reservation: Reservation, places: Places, by: By) -> None:
    """Make a party smaller: these `places` instead of more. Seats released before count first."""
    held = consequences.held_places(reservation)
    reservation.reduced_from = reservation.reduced_from or reservation.seats
    reservation.reduced_at, reservation.reduced_by = now(), by
    reservation.seats, reservation.wheelchair_places = places.total, places.wheelchair
    reservation.released = min(reservation.released, places.total - reservation.admitted)
    consequences.seats_freed(reservation.performance, held - consequences.held_places(reservation))
    consequences.reservation_changed(session, reservation, Change.REDUCED)


def cancel(session: Session, reservation: Reservation, by: By, *, with_mail: bool = True) -> None:
    """Cancel a live reservation of which nobody is in, and free its seats."""
    consequences.seats_freed(reservation.performance, consequences.end(reservation, by))
    consequences.reservation_changed(session, reservation, Change.CANCELLED, with_mail=with_mail)


def cancel_with_performance(
    session: Session, performance: Performance, parties: Iterable[Reservation], *, notify: bool
) -> int:
    """Cancel the live parties of a performance that is cancelled; how many mails go out.

    A party of which somebody is in stays confirmed, since it was there. It is written to as well, if `notify`.
    """
    freed, mails = Places(), 0
    for reservation in parties:
        if not reservation.admitted:
            freed += consequences.end(reservation, By.PERFORMANCE)
        mails += consequences.reservation_changed(
            session, reservation, Change.PERFORMANCE_CANCELLED, with_mail=notify
        )
    consequences.seats_freed(performance, freed)
    return mails


def expire(
    session: Session,
    performance: Performance,
    which: ColumnElement[bool],
    at: datetime,
    by: By | None = None,
) -> int:
    """Expire the pending reservations of a performance that `which` selects; how many.

    Who was offered seats and did not answer waits on, for what comes free near the curtain (waitlist/line.py).
    """
    expired: Sequence[Reservation] = session.scalars(
        update(Reservation)
        .where(Reservation.performance_id == performance.id, Reservation.is_pending, which)
        .values(
            state=case((_WAITS_ON, State.WAITING), else_=State.EXPIRED),
            holds_seats=and_(Reservation.holds_seats, ~_WAITS_ON),
            ended_at=case((_WAITS_ON, None), else_=at),
            ended_by=case((_WAITS_ON, None), else_=by),
        )
        .returning(Reservation)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    # An offer held its seats.
    freed = sum((each.places for each in expired if each.holds_seats or each.is_waiting), Places())
    consequences.seats_freed(performance, freed)
    for reservation in expired:
        change = Change.LAPSED if reservation.is_waiting else Change.EXPIRED
        consequences.reservation_changed(
            session, reservation, change, with_mail=at < performance.starts_at
        )
    return len(expired)

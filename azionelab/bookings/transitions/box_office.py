"""Bookings that staff make, and seats kept back for the house."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from azionelab.bookings.history import By
from azionelab.bookings.models import Kind, Reservation, State
from azionelab.bookings.transitions import consequences
from azionelab.bookings.transitions.consequences import Change
from azionelab.shows.facts.seating import Places


def book(session: Session, values: dict[str, Any], at: datetime, *, with_mail: bool) -> Reservation:
    """Write a new reservation that is confirmed. The caller has locked the performance and found the seats free."""
    reservation = Reservation(
        **values, state=State.CONFIRMED, confirmed_at=at, hold_expires_at=at, holds_seats=True
    )
    change = Change.WALKED_IN if reservation.kind == Kind.DESK else Change.CONFIRMED
    return _add(session, reservation, change, with_mail=with_mail)


def hold(
    session: Session, values: dict[str, Any], until: datetime, *, with_mail: bool
) -> Reservation:
    """Write a new reservation that holds its seats until a moment, as `book` does."""
    reservation = Reservation(
        **values, state=State.PENDING, hold_expires_at=until, holds_seats=True
    )
    change = Change.KEPT_BACK if reservation.kind == Kind.HOUSE else Change.RESERVED
    return _add(session, reservation, change, with_mail=with_mail)


def _add(
    session: Session, reservation: Reservation, change: Change, *, with_mail: bool
) -> Reservation:
    session.add(reservation)
    session.flush()
    consequences.reservation_changed(session, reservation, change, with_mail=with_mail)
    return reservation


def take_from_house(session: Session, house: Reservation, seats: int) -> None:
    """Free `seats` of locked house seats, all or a part; whoever takes them writes after the flush."""
    if seats == house.seats:
        consequences.seats_freed(house.performance, consequences.end(house, By.STAFF))
        change = Change.CANCELLED
    else:
        house.seats -= seats
        consequences.seats_freed(house.performance, Places(seats))
        change = Change.REDUCED
    consequences.reservation_changed(session, house, change)
    session.flush()


def give_back_to_house(session: Session, house: Reservation, seats: int) -> None:
    """Keep `seats` back again that were given to somebody; the caller has found them free."""
    if house.state == State.CANCELLED:
        house.state, house.seats = State.PENDING, seats
        house.ended_at = house.ended_by = None
    else:
        house.seats += seats
    consequences.reservation_changed(session, house, Change.KEPT_BACK)


def change_house(
    session: Session, house: Reservation, note: str, seats: int, until: datetime
) -> None:
    """Change locked house seats: for whom, how many, until when. The caller has found more seats free."""
    consequences.seats_freed(house.performance, Places(house.seats - seats))
    house.name, house.seats, house.hold_expires_at = note, seats, until
    session.flush()
    consequences.reservation_changed(session, house, Change.KEPT_BACK)


def follow_curtain(parties: Iterable[Reservation], was: datetime, starts_at: datetime) -> None:
    """Let what staff hold until the curtain be held until the new one; nothing is held longer than that."""
    for reservation in parties:
        if reservation.kind != Kind.VISITOR and reservation.is_pending:
            until = reservation.hold_expires_at
            reservation.hold_expires_at = starts_at if until == was else min(until, starts_at)

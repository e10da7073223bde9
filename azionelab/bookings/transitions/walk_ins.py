"""Seats of walk-ins: taken, and corrected."""

from uuid import UUID, uuid4

from flask import current_app
from sqlalchemy.orm import Session

from azionelab.bookings.history import By
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.tickets.references import new_reference
from azionelab.bookings.transitions import consequences
from azionelab.bookings.transitions.consequences import Change
from azionelab.database import now
from azionelab.shows.facts.seating import Places
from azionelab.shows.models import Performance


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
    consequences.reservation_changed(session, reservation, Change.WALKED_IN)
    return reservation


def replace_walk_ins(
    session: Session, performance: Performance, before: Reservation, people: int
) -> Reservation | None:
    """Correct walk-ins whose number was wrong: `people` of them, or None at 0, in place of those `before`.

    Only the seats that are left over come free.
    """
    freed = consequences.end(before, By.STAFF)
    consequences.reservation_changed(session, before, Change.CANCELLED)
    session.flush()  # the key is free only then
    consequences.seats_freed(performance, freed - Places(people))
    return seat_walk_ins(session, performance.id, people, before.request_key) if people else None

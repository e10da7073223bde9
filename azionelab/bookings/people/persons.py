"""The bookings of one person: a mailbox or, where there is none, a name. Reads only."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import joinedload

from azionelab.bookings.models import Kind, Reservation
from azionelab.database import db
from azionelab.shows.models import Performance

# Bookings that are somebody's, with a name that is not erased.
OF_PEOPLE = (
    Reservation.erased_at.is_(None),
    Reservation.walk_in.is_(False),
    Reservation.kind != Kind.HOUSE,
)


def bookings_of(reservation: Reservation) -> Sequence[Reservation]:
    """All bookings of the person who made one, the next or latest performance first."""
    if reservation.email_key is not None:
        return bookings_of_mailbox(reservation.email_key)
    return _find(Reservation.email_key.is_(None) & (Reservation.name == reservation.name))


def bookings_of_mailbox(email_key: str) -> Sequence[Reservation]:
    """All bookings of a mailbox, in the same order; parts of a split party too, which have its address without its key."""
    found = _find(Reservation.email_key == email_key)
    parts = and_(
        Reservation.email_key.is_(None), Reservation.email.in_({one.email for one in found})
    )
    if not found or not (split := _find(parts)):
        return found
    return sorted(
        [*found, *split], key=lambda one: (one.performance.starts_at, one.id), reverse=True
    )


def _find(whose: ColumnElement[bool]) -> Sequence[Reservation]:
    return db.session.scalars(
        select(Reservation)
        .join(Reservation.performance)
        .where(whose, *OF_PEOPLE)
        .order_by(Performance.starts_at.desc(), Reservation.id)
        .options(
            joinedload(Reservation.performance).joinedload(Performance.show),
            joinedload(Reservation.performance).joinedload(Performance.venue),
        )
    ).all()

"""Counts the parties that a change concerns: of a performance, or of a show's coming performances."""

from sqlalchemy import ColumnElement, func, not_, select

from azionelab.bookings.models import LIVE, Reservation, lapsed
from azionelab.database import db, now
from azionelab.shows.models import Performance


def to_come(show_id: int) -> tuple[int, int]:
    """The numbers of a show's coming performances and of the parties that have booked them."""
    coming = (
        Performance.show_id == show_id,
        Performance.starts_at > now(),
        Performance.cancelled_at.is_(None),
    )
    performances = db.session.scalar(select(func.count(Performance.id)).where(*coming)) or 0
    return performances, _count_live(*coming)


def count_parties(performance: Performance) -> int:
    """How many parties would get a mail if the performance were cancelled or moved now."""
    return _count_live(Performance.id == performance.id, Reservation.email != "")


def _count_live(*which: ColumnElement[bool]) -> int:
    """Count live reservations, walk-ins excluded."""
    live = (
        select(func.count(Reservation.id))
        .join(Reservation.performance)
        .where(
            *which,
            Reservation.state.in_(LIVE),
            not_(lapsed(now())),
            not_(Reservation.walk_in),
        )
    )
    return db.session.scalar(live) or 0

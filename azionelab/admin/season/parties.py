"""How many parties hear of a change: of one performance, or of all of a show that are to come."""

from sqlalchemy import ColumnElement, func, not_, select

from azionelab.bookings.models import LIVE, Reservation, lapsed
from azionelab.database import db, now
from azionelab.shows.models import Performance


def to_come(show_id: int) -> tuple[int, int]:
    """How many evenings of a show are to come, and how many parties have booked them."""
    coming = (
        Performance.show_id == show_id,
        Performance.starts_at > now(),
        Performance.cancelled_at.is_(None),
    )
    evenings = db.session.scalar(select(func.count(Performance.id)).where(*coming)) or 0
    return evenings, _count_live(*coming)


def count_parties(performance: Performance) -> int:
    """How many parties would hear of a cancellation or of another time or place now."""
    return _count_live(Performance.id == performance.id, Reservation.erased_at.is_(None))


def _count_live(*which: ColumnElement[bool]) -> int:
    """How many live parties have booked the performances that are meant; walk-ins have not."""
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

"""Performances at the same venue that overlap in time."""

from collections.abc import Collection

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased, contains_eager

from azionelab.database import db
from azionelab.shows.models import Performance, Show


def find_overlaps(ids: Collection[int]) -> list[tuple[Performance, Performance]]:
    """Pairs of performances at one venue at overlapping times, at least one of each with an id in `ids`.

    Ignores cancelled performances. An overlap is only a warning: a foyer and a stage may be one venue.
    """
    one, other = aliased(Performance), aliased(Performance)
    show_of_one, show_of_other = aliased(Show), aliased(Show)
    pairs = (
        select(one, other)
        .join(other, and_(other.venue_id == one.venue_id, other.id != one.id))
        .join(show_of_one, one.show)
        .join(show_of_other, other.show)
        .options(
            contains_eager(one.show.of_type(show_of_one)),
            contains_eager(other.show.of_type(show_of_other)),
        )
        .where(
            one.id.in_(ids),
            or_(one.id < other.id, other.id.not_in(ids)),
            one.cancelled_at.is_(None),
            other.cancelled_at.is_(None),
            one.starts_at < other.starts_at + show_of_other.duration,
            other.starts_at < one.starts_at + show_of_one.duration,
        )
        .order_by(one.starts_at, one.id, other.starts_at)
    )
    return [(first, second) for first, second in db.session.execute(pairs)]

"""The performance of a request at the door, and those to choose from."""

from datetime import timedelta

from flask import abort
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.shows.programme import Listing, find_listing


def performances_near_now() -> list[Performance]:
    """The performances from a day ago to a week ahead, nearest first."""
    moment = now()
    near = db.session.scalars(
        select(Performance)
        .options(joinedload(Performance.show), joinedload(Performance.venue))
        .where(
            Performance.starts_at.between(moment - timedelta(days=1), moment + timedelta(days=7))
        )
    ).all()
    return sorted(near, key=lambda performance: abs(performance.starts_at - moment))


def get_performance(performance_id: int) -> Listing:
    """The performance as it stands now; 404 for an unknown one."""
    performance = find_listing(performance_id, now())
    if performance is None:
        abort(404)
    return performance

"""Copies of a show: alone, or with its run moved to another first day."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select

from azionelab.database import db, transaction
from azionelab.database.row_versions import record_author
from azionelab.shows.former_slugs import find_free_slug
from azionelab.shows.models import Performance, Show
from azionelab.shows.runs.evenings import BookingTimes
from azionelab.shows.runs.planning import Asked, NewShow


def new_copy(show: Show, title: str) -> NewShow:
    """A draft with the show's texts, facts and pictures, and a slug of its own."""
    return NewShow(
        title,
        find_free_slug(show.slug),
        show.summary,
        show.description,
        show.duration_minutes,
        copy_of=show.id,
    )


def copy_show(copy: NewShow, by: int | None) -> Show:
    """Add a copy without evenings; raises IntegrityError when its slug was taken meanwhile."""
    with transaction() as session:
        record_author(session, by)
        return copy.add(session)


def copy_run(show: Show, copy: NewShow, first_day: date) -> list[Asked]:
    """The show's evenings, moved by whole days so that the first is on `first_day`; cancelled ones are left out.

    Times of day, venues, seats, wheelchair places and limits stay, and so does the time from opening and closing of booking to the curtain.
    """
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    evenings = db.session.scalars(
        select(Performance)
        .where(Performance.show_id == show.id, Performance.cancelled_at.is_(None))
        .order_by(Performance.starts_at, Performance.id)
    ).all()
    walls = [one.starts_at.astimezone(zone).replace(tzinfo=None) for one in evenings]
    shift = timedelta(days=(first_day - walls[0].date()).days) if walls else timedelta()
    return [
        Asked(
            wall + shift,
            copy,
            one.venue_id,
            one.capacity,
            one.party_limit,
            BookingTimes(
                opens_days=max(1, (one.starts_at - one.booking_opens_at).days),
                closes_before=one.starts_at - one.booking_closes_at,
            ),
            wheelchair_places=one.wheelchair_places,
        )
        for one, wall in zip(evenings, walls, strict=True)
    ]

"""The coming season as rows for a table, and as an iCalendar file (RFC 5545)."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from icalendar import Calendar, Event
from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from azionelab.database import db
from azionelab.shows.models import Performance, Show

COLUMNS = (
    "show", "venue", "starts", "seats", "wheelchair_places", "party_limit", "minutes", "booking_opens", "booking_closes",
)  # fmt: skip


def season_rows(at: datetime) -> Iterator[Sequence[str | int | datetime | None]]:
    """The performances to come, without cancelled ones, in the columns that an import reads."""
    for one in _coming(at):
        yield (
            one.show.title,
            one.venue.name,
            one.starts_at,
            one.capacity,
            one.wheelchair_places,
            one.party_limit,
            one.show.duration_minutes,
            one.booking_opens_at,
            one.booking_closes_at,
        )


def season_calendar(at: datetime, site_name: str, host: str) -> bytes:
    """The performances to come as events; `host` ends their identities."""
    calendar = Calendar()
    calendar.add("prodid", f"-//{site_name}//AzioneLab//")
    calendar.add("version", "2.0")
    for one in _coming(at):
        event = Event()
        event.add("uid", f"performance-{one.id}@{host}")
        event.add("dtstamp", at)
        event.add("summary", one.show.title)
        event.add("location", ", ".join(filter(None, (one.venue.name, one.venue.address))))
        event.add("dtstart", one.starts_at)
        event.add("dtend", one.ends_at)
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


def _coming(at: datetime) -> Sequence[Performance]:
    return db.session.scalars(
        select(Performance)
        .join(Performance.show)
        .join(Performance.venue)
        .options(contains_eager(Performance.show), contains_eager(Performance.venue))
        .where(Performance.starts_at > at, Performance.cancelled_at.is_(None), Show.listed)
        .order_by(Performance.starts_at, Performance.id)
    ).all()

"""The season as a file that `load-season` reads: venues, shows with their facts, and the evenings to come.

Loaded into an empty database it gives the same rows. It leaves out bookings, pictures, holidays, archived shows, and past
or cancelled performances.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from azionelab.database import db
from azionelab.shows.facts.season_fields import show_fields, venue_fields
from azionelab.shows.local_time import AmbiguousTime, from_local
from azionelab.shows.models import Performance, Show, Venue

_HEAD = """\
# Written by `flask write-season`, to be read by `flask load-season` (seasons/example.toml explains the fields).
# Without bookings, pictures, holidays, archived shows, and past or cancelled performances.
"""
# Control characters but a line break and a tab, which a string may hold as they are; and what means something there.
_ESCAPES = {code: f"\\u{code:04x}" for code in (*range(9), *range(11, 32), 127)}
_ESCAPES |= {ord("\\"): "\\\\", ord('"'): '\\"'}


def write_season(at: datetime) -> str:
    """The file's text; times are in TIME_ZONE."""
    venues = db.session.scalars(select(Venue).order_by(Venue.id))
    shows = db.session.scalars(select(Show).where(~Show.is_archived).order_by(Show.id))
    entries = [
        *(_entry("venue", venue_fields(venue)) for venue in venues),
        *(_entry("show", show_fields(show)) for show in shows),
        *(_entry("performance", _performance_fields(one)) for one in _performances(at)),
    ]
    return "\n".join((_HEAD, *entries))


def _performances(at: datetime) -> Iterator[Performance]:
    yield from db.session.scalars(
        select(Performance)
        .join(Performance.show)
        .join(Performance.venue)
        .options(contains_eager(Performance.show), contains_eager(Performance.venue))
        .where(Performance.starts_at > at, Performance.cancelled_at.is_(None), ~Show.is_archived)
        .order_by(Performance.starts_at, Performance.id)
    )


def _performance_fields(one: Performance) -> dict[str, Any]:
    return {
        "show": one.show.slug,
        "venue": one.venue.name,
        "starts": one.starts_at,
        "capacity": one.capacity,
        "wheelchair_places": one.wheelchair_places or None,
        "party_limit": one.party_limit,
        "booking_opens": one.booking_opens_at,
        "booking_closes": one.booking_closes_at,
        "reentry": one.reentry or None,
    }


def _entry(table: str, fields: Mapping[str, Any]) -> str:
    lines = [
        f"{name} = {_value(value)}\n" for name, value in fields.items() if value not in (None, "")
    ]
    return f"[[{table}]]\n{''.join(lines)}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return _moment(value)
    if not isinstance(value, str):
        return repr(value)
    text = value.translate(_ESCAPES)
    # The line break after the opening quotes is no part of the text.
    return f'"""\n{text}"""' if "\n" in text else f'"{text}"'


def _moment(moment: datetime) -> str:
    """The theatre's own time; with the offset where the clocks show it twice, or it has seconds."""
    wall = moment.astimezone(current_app.config["AZIONELAB"].time_zone)
    if wall.second or wall.microsecond:
        return wall.isoformat()
    try:
        from_local(wall.replace(tzinfo=None), current_app.config["AZIONELAB"].time_zone)
    except AmbiguousTime:
        return wall.isoformat()
    return f'"{wall:%Y-%m-%d %H:%M}"'

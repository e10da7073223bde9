"""The programme: performances with their free seats and status, read in one statement."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, column, func, select, table

from azionelab.database import db, reading
from azionelab.languages import current_language
from azionelab.shows.facts.seating import Places
from azionelab.shows.facts.texts import Text, in_language
from azionelab.shows.limits import SLUG, performance_end
from azionelab.shows.models import Performance, Show, Texts, Venue
from azionelab.shows.performance_facts import PERFORMANCE_FACTS, PerformanceFacts
from azionelab.shows.window import Window, booking_window, is_last_minute

# A view (migration 0002): the seats of lapsed holds, which are free although `seats_held` counts them.
_lapsed = table(
    "lapsed_hold", column("performance_id"), column("seats"), column("wheelchair_places")
)


class Status(StrEnum):
    """Whether a visitor can book a performance, and why not."""

    OPEN = "open"
    SOLD_OUT = "sold_out"
    NOT_YET_OPEN = "not_yet_open"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    PAST = "past"  # it has begun, or is over


@dataclass(frozen=True, slots=True)
class Listing(PerformanceFacts):
    """A performance in the programme, on its page and at its door, as it stood at `read_at`.

    Of `seats_left` and `wheelchair_left` (at least 0) those of lapsed holds are free already.
    """

    id: int
    show_id: int
    show_slug: str
    show_title: str
    show_titles: Texts  # in other languages, as summaries
    show_summary: str
    show_summaries: Texts
    venue_id: int
    venue_name: str
    venue_address: str
    moved_from: datetime | None
    released_at: datetime | None
    reentry: bool
    version: int
    duration_minutes: int | None
    seats_left: int
    wheelchair_left: int
    read_at: datetime

    @property
    def title(self) -> Text:
        """The show's title for the reader of this page."""
        return in_language(self.show_titles, current_language(), self.show_title)

    @property
    def summary(self) -> Text:
        """The show's summary for the reader of this page."""
        return in_language(self.show_summaries, current_language(), self.show_summary)

    @property
    def window(self) -> Window:
        """Whether booking is open."""
        return booking_window(self, self.read_at)

    @property
    def status(self) -> Status:
        """Whether a visitor can book it."""
        if self.window is not Window.OPEN:
            return Status(self.window.value)
        return Status.OPEN if self.seats_left > 0 else Status.SOLD_OUT

    @property
    def is_last_minute(self) -> bool:
        """Whether who is near the theatre can still wait for its seats, though booking is closed."""
        return is_last_minute(self, self.read_at)

    @property
    def has_only_wheelchair_places(self) -> bool:
        """Whether it is sold out but for wheelchair places."""
        return self.status is Status.SOLD_OUT and self.wheelchair_left > 0

    @property
    def left(self) -> Places:
        """The places that can be booked."""
        return Places(self.seats_left, self.wheelchair_left)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.ends_at <= self.read_at

    @property
    def ends_at(self) -> datetime:
        """When it ends."""
        return performance_end(self.starts_at, self.duration_minutes)


def programme(at: datetime) -> list[Listing]:
    """The performances of published and listed shows that start after `at`, by start."""
    shown = Show.published, Show.listed, Performance.starts_at > at
    return _listings(_rows().where(*shown).order_by(*_IN_ORDER), at)


def list_performances(show: Show, at: datetime) -> list[Listing]:
    """The performances of one show that start after `at`, by start."""
    return _listings(
        _rows().where(Show.id == show.id, Performance.starts_at > at).order_by(*_IN_ORDER), at
    )


def past_performances(show: Show, at: datetime, most: int) -> list[Listing]:
    """The last performances of one show that began until `at`, the latest first."""
    begun = _rows().where(Show.id == show.id, Performance.starts_at <= at)
    latest = Performance.starts_at.desc(), Performance.id.desc()
    return _listings(begun.order_by(*latest).limit(most), at)


def find_listing(performance_id: int, at: datetime) -> Listing | None:
    """One performance, also a past or unpublished one; None when the id does not exist."""
    with reading() as connection:
        row = connection.execute(_one(), {"performance": performance_id}).first()
    return Listing(**row._mapping, read_at=at) if row else None


def find_published_show(slug: str) -> Show | None:
    """The published show with `slug`, which may be any string."""
    if not re.fullmatch(SLUG, slug):
        return None
    return db.session.scalar(select(Show).where(Show.slug == slug, Show.published))


_IN_ORDER = (Performance.starts_at, Performance.id)


@cache
def _one() -> Select[Any]:
    return _rows().where(Performance.id == bindparam("performance"))


# Built once: building it takes longer than PostgreSQL does.
@cache
def _rows() -> Select[Any]:
    columns: list[Any] = [
        *PERFORMANCE_FACTS,
        Performance.id,
        Show.id.label("show_id"),
        Show.slug.label("show_slug"),
        Show.title.label("show_title"),
        Show.titles.label("show_titles"),
        Show.summary.label("show_summary"),
        Show.summaries.label("show_summaries"),
        Venue.id.label("venue_id"),
        Venue.name.label("venue_name"),
        Venue.address.label("venue_address"),
        Performance.moved_from,
        Performance.released_at,
        Performance.reentry,
        Performance.version,
        Show.duration_minutes,
        (
            Performance.capacity
            - Performance.wheelchair_places
            - (Performance.seats_held - Performance.wheelchair_held)
            + func.coalesce(_lapsed.c.seats - _lapsed.c.wheelchair_places, 0)
        ).label("seats_left"),
        (
            Performance.wheelchair_places
            - Performance.wheelchair_held
            + func.coalesce(_lapsed.c.wheelchair_places, 0)
        ).label("wheelchair_left"),
    ]
    return (
        select(*columns)
        .join(Performance.show)
        .join(Performance.venue)
        .outerjoin(_lapsed, _lapsed.c.performance_id == Performance.id)
    )


def _listings(statement: Select[Any], at: datetime) -> list[Listing]:
    return [Listing(**row._mapping, read_at=at) for row in db.session.execute(statement)]

"""Lines of a file that are to become evenings, and the problems of those that cannot."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import select

from azionelab.database import db
from azionelab.shows.former_slugs import find_free_slug
from azionelab.shows.limits import CLOSES_BEFORE, MAX_LINE, MAX_MINUTES, MAX_PARTY, PARTY_LIMIT
from azionelab.shows.local_time import from_local
from azionelab.shows.models import MAX_CAPACITY, Show, Venue
from azionelab.shows.runs.evenings import BookingTimes
from azionelab.shows.runs.planning import Asked, NewShow, NewVenue
from azionelab.shows.runs.sentence import read_sentence
from azionelab.shows.runs.tokens import SentenceError
from azionelab.validation.text import has_visible_character, is_one_line

MAX_LINES = 3000  # of one file: all evenings that can be planned ahead, and more
_SECONDS = re.compile(r"(\d{1,2}:\d{2}):\d{2}\b")


class Wrong(StrEnum):
    """What is wrong with a line."""

    MISSING = "missing"
    DATE = "date"
    NUMBER = "number"
    TEXT = "text"  # too long, or with characters that cannot be shown
    ENDLESS = "endless"  # an event that repeats without end
    RECURS = "recurs"  # an event whose repetition cannot be read
    ALL_DAY = "all_day"
    SLUG = "slug"  # a title without a letter from a to z
    COLUMNS = "columns"  # the first line names no known columns
    UNREADABLE = "unreadable"
    TOO_MANY = "too_many"
    EMPTY = "empty"


@dataclass(frozen=True)
class Problem:
    """A problem of a line: the field, and what it holds."""

    line: int
    wrong: Wrong
    column: str = ""
    value: str = ""


@dataclass
class Line:
    """The texts of a line by column, or the moments that a calendar gave."""

    number: int
    texts: dict[str, str]
    wall: datetime | None = None
    minutes: int | None = None


@dataclass
class ReadFile:
    """What was read of a file."""

    asked: list[Asked] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    past: int = 0  # dates of repeating events that are over, and left out


class Reader:
    """Turns lines into evenings asked for. Shows and venues are known by their names, or new."""

    def __init__(self, zone: ZoneInfo, today: date, slug_of: Callable[[str], str]) -> None:
        self.found = ReadFile()
        self._zone, self._today, self._slug_of = zone, today, slug_of
        shows = db.session.scalars(select(Show).where(~Show.is_archived).order_by(Show.id.desc()))
        self._shows: dict[str, int | NewShow] = {}
        for show in shows:
            self._shows[show.title.casefold()] = show.id
            self._shows.setdefault(show.slug, show.id)
        venues = db.session.execute(select(Venue.name, Venue.id))
        self._venues: dict[str, int | NewVenue] = {row[0].casefold(): row[1] for row in venues}
        self._slugs: set[str] = set()

    def read(self, lines: Iterable[Line], step: Callable[[int], None] | None = None) -> ReadFile:
        """Read all lines; those with a problem are left out and named. `step` gets the number of each."""
        for line in lines:
            if step:
                step(line.number)
            if len(self.found.asked) >= MAX_LINES:
                self.found.problems.append(Problem(line.number, Wrong.TOO_MANY))
                break
            before = len(self.found.problems)
            asked = self._asked(line)
            if asked is not None and len(self.found.problems) == before:
                self.found.asked.append(asked)
        if not self.found.asked and not self.found.problems:
            self.found.problems.append(Problem(1, Wrong.EMPTY))
        return self.found

    def _asked(self, line: Line) -> Asked | None:
        title, place = self._name(line, "show"), self._name(line, "venue")
        wall = line.wall or self._wall(line, "starts")
        minutes = line.minutes or self._number(line, "minutes", 1, MAX_MINUTES)
        capacity = self._number(line, "seats", 0, MAX_CAPACITY)
        limit = self._number(line, "party_limit", 1, MAX_PARTY)
        wheelchair = self._number(line, "wheelchair_places", 0, MAX_CAPACITY)
        if not (title and place and wall):
            return None
        show = self._show(line, title, minutes)
        booking = self._booking(line, wall)
        if show is None:
            return None
        return Asked(
            wall,
            show,
            self._venue(place),
            capacity,
            limit or PARTY_LIMIT,
            booking,
            line.number,
            wheelchair or 0,
        )

    def _show(self, line: Line, title: str, minutes: int | None) -> int | NewShow | None:
        known = self._shows.get(title.casefold())
        if known is None:
            slug = self._slug_of(title)
            if not slug:
                self._add(line, Wrong.SLUG, "show", title)
                return None
            slug = find_free_slug(slug)
            stem, number = slug, 2
            while slug in self._slugs:
                slug, number = f"{stem}-{number}", number + 1
            self._slugs.add(slug)
            known = self._shows[title.casefold()] = NewShow(title, slug, duration_minutes=minutes)
        return known

    def _venue(self, name: str) -> int | NewVenue:
        return self._venues.setdefault(name.casefold(), NewVenue(name))

    def _booking(self, line: Line, wall: datetime) -> BookingTimes:
        opens = self._wall(line, "booking_opens", required=False)
        closes = self._wall(line, "booking_closes", required=False)
        try:
            opens_at = from_local(opens, self._zone) if opens else None
        except ValueError:
            self._add(line, Wrong.DATE, "booking_opens", line.texts["booking_opens"])
            return BookingTimes()
        return BookingTimes(opens_at, None, wall - closes if closes else CLOSES_BEFORE)

    def _name(self, line: Line, column: str) -> str:
        text = line.texts.get(column, "").strip()
        if not has_visible_character(text):
            self._add(line, Wrong.MISSING, column)
            return ""
        if len(text) > MAX_LINE or not is_one_line(text):
            self._add(line, Wrong.TEXT, column, text[:40])
            return ""
        return text

    def _wall(self, line: Line, column: str, *, required: bool = True) -> datetime | None:
        text = line.texts.get(column, "").strip()
        if not text:
            if required:
                self._add(line, Wrong.MISSING, column)
            return None
        try:
            run = read_sentence(_SECONDS.sub(r"\1", text.replace("T", " ")), self._today)
        except SentenceError:
            run = None
        if run is None or run.weekly or len(run.extra) != 1:
            self._add(line, Wrong.DATE, column, text[:40])
            return None
        return next(iter(run.extra))

    def _number(self, line: Line, column: str, low: int, high: int) -> int | None:
        text = line.texts.get(column, "").strip()
        if not text:
            return None
        if text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high:
            return int(text)
        self._add(line, Wrong.NUMBER, column, text[:40])
        return None

    def _add(self, line: Line, wrong: Wrong, column: str = "", value: str = "") -> None:
        self.found.problems.append(Problem(line.number, wrong, column, value))


def minutes_between(start: datetime, end: datetime) -> int | None:
    """The whole minutes of an event, if they can be a show's."""
    minutes = (end - start) // timedelta(minutes=1)
    return minutes if 1 <= minutes <= MAX_MINUTES else None

"""Reads CSV and iCalendar (RFC 5545) files into evenings asked for."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar

from azionelab.shows.exchange.lines import (
    MAX_LINES,
    Line,
    Problem,
    Reader,
    ReadFile,
    Wrong,
    minutes_between,
)
from azionelab.shows.exchange.recurrence import (
    Changes,
    EndlessRule,
    UnknownRule,
    list_dates,
    repeats,
)
from azionelab.shows.window import MAX_AHEAD_YEARS

# The column's name in our own files first, then what else is understood.
COLUMNS = {
    "show": ("show", "title", "spettacolo", "titolo"),
    "venue": ("venue", "place", "sala", "luogo"),
    "starts": ("starts", "curtain", "start", "inizio"),
    "date": ("date", "day", "data", "giorno"),
    "time": ("time", "ora", "orario"),
    "seats": ("seats", "capacity", "posti", "capienza"),
    "wheelchair_places": ("wheelchair_places", "wheelchair", "posti per sedia a rotelle"),
    "party_limit": ("party_limit", "maximum", "massimo"),
    "minutes": ("minutes", "duration", "minuti", "durata"),
    "booking_opens": ("booking_opens", "apertura prenotazioni"),
    "booking_closes": ("booking_closes", "chiusura prenotazioni"),
}
_READ = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")  # of an event
_MOST_DATES = 2 * MAX_LINES  # of one repeating event, those that are over included
_NAMES = {name: column for column, names in COLUMNS.items() for name in names}


def read_file(
    content: str,
    zone: ZoneInfo,
    today: date,
    slug_of: Callable[[str], str],
    step: Callable[[int], None] | None = None,
) -> ReadFile:
    """Read a CSV file with a line of column names, or an iCalendar file.

    `slug_of` makes a new show's slug; `step` gets the number of each line as it is read.
    """
    reader = Reader(zone, today, slug_of)
    content = content.removeprefix("\ufeff")
    try:
        if content.lstrip().upper().startswith("BEGIN:VCALENDAR"):
            return reader.read(_events(content, zone, today, reader.found), step)
        return reader.read(_csv_lines(content, reader.found), step)
    except _Unreadable as error:
        reader.found.problems.append(error.problem)
        return reader.found


class _Unreadable(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.wrong)
        self.problem = problem


def _csv_lines(content: str, found: ReadFile) -> Iterator[Line]:
    head = content.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    rows = csv.reader(StringIO(content, newline=""), delimiter=separator)
    names = [_NAMES.get(name.strip().lower(), "") for name in next(rows, [])]
    if not {"show", "venue"} <= set(names) or not {"starts", "date"} & set(names):
        raise _Unreadable(Problem(1, Wrong.COLUMNS, value=head.strip()[:80]))
    begins = rows.line_num + 1
    try:
        for row in rows:
            texts = {name: _unescaped(text) for name, text in zip(names, row, strict=False) if name}
            if any(text.strip() for text in row):
                if "starts" not in texts:
                    texts["starts"] = f"{texts.get('date', '')} {texts.get('time', '')}".strip()
                yield Line(begins, texts)
            begins = rows.line_num + 1
    except csv.Error as error:
        found.problems.append(Problem(begins, Wrong.UNREADABLE, value=str(error)[:80]))


def _unescaped(text: str) -> str:
    """A cell without the mark that keeps a spreadsheet from running it as a formula."""
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@") else text


def _events(content: str, zone: ZoneInfo, today: date, found: ReadFile) -> Iterator[Line]:
    legible = _legible(content, found)
    changes = Changes()
    for event, number in legible:
        with _named(number, found):
            changes.add(event, zone)
    for event, number in legible:
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        line = None
        with _named(number, found):
            line = _event(event, number, zone, found)
        if line is None:
            continue
        replaced = event.get("RECURRENCE-ID")
        if replaced is not None and "RANGE" in replaced.params:
            found.problems.append(Problem(number, Wrong.RECURS, value="RANGE"))
        elif not repeats(event):
            if replaced is not None and line.wall and line.wall.date() < today:
                found.past += 1
            else:
                yield line
        else:
            for wall in _dates(event, number, zone, today, found):
                if not changes.replace(event, wall):
                    yield replace(line, wall=wall.replace(second=0))


@contextmanager
def _named(number: int, found: ReadFile) -> Iterator[None]:
    """Name an event's line when its moments cannot be reckoned with: some with a zone and some without, or out of range."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        found.problems.append(Problem(number, Wrong.UNREADABLE, value=str(error)[:80]))


def _legible(content: str, found: ReadFile) -> list[tuple[Any, int]]:
    """The events of a calendar that can be read, with their lines."""
    lines = [
        number
        for number, text in enumerate(content.splitlines(), 1)
        if text.strip().upper() == "BEGIN:VEVENT"
    ]
    try:
        events = Calendar.from_ical(content).walk("VEVENT")
    except ValueError as error:
        raise _Unreadable(Problem(1, Wrong.UNREADABLE, value=str(error)[:80])) from None
    legible = []
    for event, number in zip(events, lines, strict=False):
        # icalendar keeps a property that it cannot read, and raises when it is used.
        if broken := [f"{name}: {why}" for name, why in event.errors if name in _READ]:
            found.problems.append(Problem(number, Wrong.UNREADABLE, value=broken[0][:80]))
        else:
            legible.append((event, number))
    return legible


def _dates(event: Any, number: int, zone: ZoneInfo, today: date, found: ReadFile) -> list[datetime]:
    last = today + timedelta(days=366 * (MAX_AHEAD_YEARS + 1))
    with _named(number, found):
        try:
            dates = list_dates(event, zone, last, _MOST_DATES)
            coming = [wall for wall in dates if wall.date() >= today]
            found.past += len(dates) - len(coming)
            return coming
        except EndlessRule:
            found.problems.append(Problem(number, Wrong.ENDLESS))
        except UnknownRule as error:
            found.problems.append(Problem(number, Wrong.RECURS, value=str(error)[:80]))
    return []


def _event(event: Any, number: int, zone: ZoneInfo, found: ReadFile) -> Line | None:
    texts = {"show": str(event.get("SUMMARY", "")), "venue": str(event.get("LOCATION", ""))}
    texts["venue"] = texts["venue"].partition("\n")[0].partition(", ")[0]
    start = getattr(event.get("DTSTART"), "dt", None)
    if start is None:
        found.problems.append(Problem(number, Wrong.MISSING, "starts"))
        return None
    if not isinstance(start, datetime):
        found.problems.append(Problem(number, Wrong.ALL_DAY, "starts", start.isoformat()))
        return None
    end = getattr(event.get("DTEND"), "dt", None)
    length = getattr(event.get("DURATION"), "dt", None)
    if length is not None:
        end = start + length
    minutes = minutes_between(start, end) if isinstance(end, datetime) else None
    wall = (start.astimezone(zone) if start.tzinfo else start).replace(tzinfo=None, second=0)
    return Line(number, texts, wall, minutes)

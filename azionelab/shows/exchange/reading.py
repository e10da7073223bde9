"""Reads CSV and iCalendar (RFC 5545) files into evenings asked for."""

import csv
from collections.abc import Callable, Iterator
from datetime import date, datetime
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar

from azionelab.shows.exchange.lines import (
    Line,
    Problem,
    Reader,
    ReadFile,
    Wrong,
    minutes_between,
)

# The column's name in our own files first, then what else is understood.
COLUMNS = {
    "show": ("show", "title", "spettacolo", "titolo"),
    "venue": ("venue", "place", "sala", "luogo"),
    "starts": ("starts", "curtain", "start", "inizio"),
    "date": ("date", "day", "data", "giorno"),
    "time": ("time", "ora", "orario"),
    "seats": ("seats", "capacity", "posti", "capienza"),
    "party_limit": ("party_limit", "maximum", "massimo"),
    "minutes": ("minutes", "duration", "minuti", "durata"),
    "booking_opens": ("booking_opens", "apertura prenotazioni"),
    "booking_closes": ("booking_closes", "chiusura prenotazioni"),
}
_NAMES = {name: column for column, names in COLUMNS.items() for name in names}


def read_file(content: str, zone: ZoneInfo, today: date, slug_of: Callable[[str], str]) -> ReadFile:
    """Read a CSV file with a line of column names, or an iCalendar file. `slug_of` makes a new show's slug."""
    reader = Reader(zone, today, slug_of)
    content = content.removeprefix("\ufeff")
    try:
        if content.lstrip().upper().startswith("BEGIN:VCALENDAR"):
            return reader.read(_events(content, zone, reader.found))
        return reader.read(_csv_lines(content, reader.found))
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


def _events(content: str, zone: ZoneInfo, found: ReadFile) -> Iterator[Line]:
    lines = [
        number
        for number, text in enumerate(content.splitlines(), 1)
        if text.strip().upper() == "BEGIN:VEVENT"
    ]
    try:
        events = Calendar.from_ical(content).walk("VEVENT")
    except ValueError as error:
        raise _Unreadable(Problem(1, Wrong.UNREADABLE, value=str(error)[:80])) from None
    for event, number in zip(events, lines, strict=False):
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        if event.get("RRULE") or event.get("RDATE"):
            found.problems.append(Problem(number, Wrong.RECURS))
            continue
        line = _event(event, number, zone, found)
        if line:
            yield line


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

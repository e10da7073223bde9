"""Reads a season's TOML file, with the line of each entry and field.

Problems are collected and reported together, each with its line and field.
"""

import re
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from azionelab.shows.limits import MAX_LINE, MAX_SLUG, SLUG
from azionelab.shows.local_time import AmbiguousTime, NoSuchTime, from_local
from azionelab.validation.text import has_visible_character, is_multiline_text, is_one_line

_TABLES = ("venue", "show", "performance")

_STRING = r""""(?:\\.|[^"\\\n])*" | '[^'\n]*' """
# Strings and comments match as a whole, so that their content is not taken for an entry. A line of a nested
# array looks like a header but ends with a comma.
_PARTS = re.compile(
    rf'''
      ^[ \t]* \[{{1,2}} [ \t]* (?P<table>[\w-]+ | {_STRING}) [ \t]* \]{{1,2}} [ \t]* (?=\#|$)
    | ^[ \t]* (?P<key>[\w-]+ | {_STRING}) [ \t]* =
    | """(?:\\.|[^\\])*?"{{3,5}} | \'\'\'.*?'{{3,5}} | {_STRING} | \#[^\n]*
    ''',
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_ABSOLUTE = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)")
_RELATIVE = re.compile(r"\+(\d{1,4}) days? (\d\d:\d\d)")
_BEFORE = re.compile(r"(\d{1,5}) (minute|hour|day)s? before")


class SeasonError(Exception):
    """A season that cannot be loaded; `problems` has one line per problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Problems:
    """The problems found so far."""

    def __init__(self) -> None:
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, what: str) -> None:
        """Add a problem of a line."""
        self._found.append((line, what))

    def raise_if_any(self) -> None:
        """Raise SeasonError with all problems, sorted by line."""
        if self._found:
            raise SeasonError([f"line {line}: {what}" for line, what in sorted(self._found)])


@dataclass(frozen=True)
class Clock:
    """The theatre's time zone, and the time that "+3 days" counts from."""

    zone: ZoneInfo
    at: datetime


@dataclass(frozen=True)
class _Position:
    """The lines of an entry's header and fields."""

    table: str
    line: int
    fields: dict[str, int] = field(default_factory=dict)


class Entry:
    """One entry of the file. Its methods record problems and return a harmless value instead."""

    def __init__(self, values: dict[str, Any], position: _Position, problems: Problems) -> None:
        self.line = position.line
        self._unread = dict(values)
        self._position = position
        self._problems = problems

    def add_problem(self, name: str, what: str) -> None:
        """Add a problem of a field."""
        self._problems.add(self._position.fields.get(name, self.line), f"{name}: {what}")

    def has(self, name: str) -> bool:
        """Whether the field is given and not read yet."""
        return name in self._unread

    def one_line(self, name: str, *, required: bool = False) -> str:
        """A text of one line; "" when the field is missing."""
        value = self._typed(name, MAX_LINE, required=required)
        if not is_one_line(value):
            self.add_problem(name, "contains line breaks or characters that cannot be shown")
        return value

    def text(self, name: str, limit: int, *, required: bool = False) -> str:
        """A text of at most `limit` characters; "" when it is missing or has no visible character."""
        value = self._typed(name, limit, required=required)
        if not is_multiline_text(value.replace("\r\n", "\n")):
            self.add_problem(name, "contains characters that cannot be shown")
        return value

    def _typed(self, name: str, limit: int, *, required: bool) -> str:
        value = self._unread.pop(name, "")
        if not isinstance(value, str):
            self.add_problem(name, 'is not a text in "quotes"')
            return ""
        if "\0" in value:
            self.add_problem(name, "contains characters that cannot be shown")
            return ""
        text = value.strip() if has_visible_character(value) else ""
        if required and not text:
            self.add_problem(name, "is missing")
        if len(text) > limit:
            self.add_problem(name, f"is longer than {limit} characters")
        return text

    def slug(self, name: str) -> str:
        """A slug, the last part of a page's URL."""
        value = self.text(name, MAX_SLUG, required=True)
        if value and not re.fullmatch(SLUG, value):
            self.add_problem(
                name, "may contain only lower-case letters, digits and hyphens, as in my-show"
            )
        return value

    def number(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number; required unless there is a `default`."""
        value = self._unread.pop(name, default)
        if value is None:
            self.add_problem(name, "is missing")
            return low
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.add_problem(name, f"is not a whole number from {low} to {high}")
        return low

    def degrees(self, name: str, most: int) -> float | None:
        """A coordinate from -`most` to `most`; None when it is missing."""
        value = self._unread.pop(name, None)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= most:
            return float(value)
        self.add_problem(name, f"is not a number of degrees from -{most} to {most}")
        return None

    def flag(self, name: str, *, default: bool) -> bool:
        """A boolean."""
        value = self._unread.pop(name, default)
        if not isinstance(value, bool):
            self.add_problem(name, "is neither true nor false")
        return value is True

    def reference(self, name: str, known: Collection[str]) -> str:
        """A name that must be among `known`, from this file or the database."""
        value = self.text(name, MAX_LINE, required=True)
        if value and value not in known:
            self.add_problem(name, f"{value!r} is neither in this file nor in the database")
        return value

    def moment(self, name: str, clock: Clock, curtain: datetime | None = None) -> datetime | None:
        """An aware datetime, with a `curtain` also as "2 hours before"; None when it is invalid."""
        if not self.has(name):
            self.add_problem(name, "is missing")
            return None
        value = self._unread.pop(name)
        try:
            return _moment(value, clock, curtain)
        except NoSuchTime:
            self.add_problem(name, "the clocks skip this time that night")
        except AmbiguousTime:
            self.add_problem(name, "the clocks show this time twice that night")
        except (ValueError, OverflowError):
            before = ' or "2 hours before"' if curtain else ""
            self.add_problem(name, f'is not like "2027-03-12 20:30" or "+3 days 20:30"{before}')
        return None

    def finish(self) -> None:
        """Report the fields that were not read: a mistyped name must not mean the default."""
        for name in self._unread:
            self.add_problem(name, "is not a field of this entry")


def read_entries(path: Path, problems: Problems) -> dict[str, list[Entry]]:
    """The entries by table, in the file's order; raises SeasonError when it is not readable TOML."""
    text = _read(path)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SeasonError([_syntax_problem(str(error), text)]) from error
    positions = list(_positions(text))
    entries: dict[str, list[Entry]] = {name: [] for name in _TABLES}
    for name, values in tables.items():
        found = [position for position in positions if position.table == name]
        if name not in _TABLES:
            line = found[0].line if found else 1
            problems.add(line, f"{name}: is not one of [[venue]], [[show]], [[performance]]")
        elif not isinstance(values, list) or len(found) != len(values):
            line = found[0].line if found else 1
            problems.add(line, f"{name}: write each entry under a line [[{name}]] of its own")
        else:
            entries[name] = [Entry(v, p, problems) for v, p in zip(values, found, strict=True)]
    if not tables:
        problems.add(1, "there is no [[venue]], [[show]] or [[performance]]")
    return entries


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SeasonError([f"the file cannot be read: {error.strerror}"]) from error
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SeasonError([f"line {line}: is not UTF-8: save the file as UTF-8"]) from error


def _syntax_problem(message: str, text: str) -> str:
    where = re.search(r" \(at line (\d+), column \d+\)", message)
    line = int(where[1]) if where else text.count("\n") + 1
    what = message.replace(where[0], "") if where else message
    return f"line {line}: is not TOML: {what}"


def _positions(text: str) -> Iterator[_Position]:
    """The entries' lines, which tomllib does not return."""
    entry, line, offset = None, 1, 0
    for part in _PARTS.finditer(text):
        line += text.count("\n", offset, part.start())
        offset = part.start()
        if part["table"]:
            if entry:
                yield entry
            entry = _Position(_name(part["table"]), line)
        elif part["key"] and entry:
            entry.fields.setdefault(_name(part["key"]), line)
    if entry:
        yield entry


def _name(written: str) -> str:
    """Parse a TOML key, which may be quoted."""
    return next(iter(tomllib.loads(f"{written} = 0")))


def _moment(value: object, clock: Clock, curtain: datetime | None) -> datetime:
    """Parse a date and time; raises ValueError, and what `from_local` raises."""
    if isinstance(value, datetime):
        return value if value.tzinfo else from_local(value, clock.zone)
    if not isinstance(value, str):
        raise ValueError
    if match := _ABSOLUTE.fullmatch(value):
        return from_local(datetime.fromisoformat(f"{match[1]}T{match[2]}"), clock.zone)
    if match := _RELATIVE.fullmatch(value):
        day = clock.at.astimezone(clock.zone).date() + timedelta(days=int(match[1]))
        return from_local(datetime.combine(day, time.fromisoformat(match[2])), clock.zone)
    if curtain is not None and (match := _BEFORE.fullmatch(value)):
        pause = timedelta(**{f"{match[2]}s": int(match[1])})
        if match[2] != "day":
            return curtain - pause
        # Days before at the same time of day, whatever the clocks did in between.
        return from_local(curtain.astimezone(clock.zone).replace(tzinfo=None) - pause, clock.zone)
    raise ValueError

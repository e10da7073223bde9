"""The season's file: TOML, its entries with their lines, and what may be wrong with a field.

What is wrong is collected and told all at once, each by its line and field.
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
# Strings and comments are taken whole, so that nothing inside of them is taken for an entry. A line of
# an array may look like a header, but for its comma.
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
    """A season that cannot be loaded: `problems` holds one line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Problems:
    """What was found wrong so far."""

    def __init__(self) -> None:
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, what: str) -> None:
        """Note what is wrong in a line."""
        self._found.append((line, what))

    def raise_if_any(self) -> None:
        """Raise SeasonError with all of them, in the order of the file."""
        if self._found:
            raise SeasonError([f"line {line}: {what}" for line, what in sorted(self._found)])


@dataclass(frozen=True)
class Clock:
    """The theatre's time zone, and the moment from which "+3 days" is counted."""

    zone: ZoneInfo
    at: datetime


@dataclass(frozen=True)
class _Position:
    """Where an entry stands: the lines of its header and of its fields."""

    table: str
    line: int
    fields: dict[str, int] = field(default_factory=dict)


class Entry:
    """One entry of the file. Its readers note what is wrong and go on with something harmless."""

    def __init__(self, values: dict[str, Any], position: _Position, problems: Problems) -> None:
        self.line = position.line
        self._unread = dict(values)
        self._position = position
        self._problems = problems

    def add_problem(self, name: str, what: str) -> None:
        """Note what is wrong with a field."""
        self._problems.add(self._position.fields.get(name, self.line), f"{name}: {what}")

    def has(self, name: str) -> bool:
        """Whether the field is given, and was not read yet."""
        return name in self._unread

    def one_line(self, name: str, *, required: bool = False) -> str:
        """A text of one line, "" when it is left out."""
        value = self._typed(name, MAX_LINE, required=required)
        if not is_one_line(value):
            self.add_problem(name, "holds line breaks or characters that cannot be shown")
        return value

    def text(self, name: str, limit: int, *, required: bool = False) -> str:
        """A text of at most `limit` characters, "" when it is left out or nothing is seen of it."""
        value = self._typed(name, limit, required=required)
        if not is_multiline_text(value.replace("\r\n", "\n")):
            self.add_problem(name, "holds characters that cannot be shown")
        return value

    def _typed(self, name: str, limit: int, *, required: bool) -> str:
        value = self._unread.pop(name, "")
        if not isinstance(value, str):
            self.add_problem(name, 'is not a text in "quotes"')
            return ""
        if "\0" in value:
            self.add_problem(name, "holds characters that cannot be shown")
            return ""
        text = value.strip() if has_visible_character(value) else ""
        if required and not text:
            self.add_problem(name, "is missing")
        if len(text) > limit:
            self.add_problem(name, f"is longer than {limit} characters")
        return text

    def slug(self, name: str) -> str:
        """The last part of a page's address."""
        value = self.text(name, MAX_SLUG, required=True)
        if value and not re.fullmatch(SLUG, value):
            self.add_problem(
                name, "is not made of small letters, digits and hyphens, as my-show is"
            )
        return value

    def number(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number; it must be given unless there is a `default`."""
        value = self._unread.pop(name, default)
        if value is None:
            self.add_problem(name, "is missing")
            return low
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.add_problem(name, f"is not a whole number from {low} to {high}")
        return low

    def flag(self, name: str, *, default: bool) -> bool:
        """true or false."""
        value = self._unread.pop(name, default)
        if not isinstance(value, bool):
            self.add_problem(name, "is neither true nor false")
        return value is True

    def reference(self, name: str, known: Collection[str]) -> str:
        """The name of something that is in this file or was loaded before."""
        value = self.text(name, MAX_LINE, required=True)
        if value and value not in known:
            self.add_problem(name, f"{value!r} is neither in this file nor in the database")
        return value

    def moment(self, name: str, clock: Clock, curtain: datetime | None = None) -> datetime | None:
        """A moment, aware; with a `curtain` also "2 hours before" it. None when it is none."""
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
        """Note the fields that nobody asked for: a mistyped name must not pass for a default."""
        for name in self._unread:
            self.add_problem(name, "is not a field of this entry")


def read_entries(path: Path, problems: Problems) -> dict[str, list[Entry]]:
    """The file's entries by table, in its order; raises SeasonError when it is no such file."""
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
            problems.add(line, f"{name}: is none of [[venue]], [[show]], [[performance]]")
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
    """Where the entries stand; tomllib, which read the same text, does not tell."""
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
    """What a name in the file means, without its quotes if it has some."""
    return next(iter(tomllib.loads(f"{written} = 0")))


def _moment(value: object, clock: Clock, curtain: datetime | None) -> datetime:
    """Raises ValueError for what is no moment, and what `from_local` raises."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return from_local(value, clock.zone)
    if not isinstance(value, str):
        raise ValueError
    if told := _ABSOLUTE.fullmatch(value):
        return from_local(datetime.fromisoformat(f"{told[1]}T{told[2]}"), clock.zone)
    if told := _RELATIVE.fullmatch(value):
        day = clock.at.astimezone(clock.zone).date() + timedelta(days=int(told[1]))
        return from_local(datetime.combine(day, time.fromisoformat(told[2])), clock.zone)
    if curtain is not None and (told := _BEFORE.fullmatch(value)):
        pause = timedelta(**{f"{told[2]}s": int(told[1])})
        if told[2] != "day":
            return curtain - pause
        # Days before at the same time of day, whatever the clocks did in between.
        return from_local(curtain.astimezone(clock.zone).replace(tzinfo=None) - pause, clock.zone)
    raise ValueError

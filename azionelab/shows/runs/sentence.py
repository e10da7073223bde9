"""Reads a run typed as a line, in English or Italian.

"Fri and Sat 20:30, Sun 16:00, from 3 to 19 October, except the 10th; 20:30 on 31 December"
"ven e sab 20:30, dom 16:00, dal 3 al 19 ottobre, tranne il 10; il 31 dicembre alle 20:30"

A date without its year is the next one. Everything has to be understood: an unknown word is an error.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time

from azionelab.shows.runs.dates import Day, NoSuchDay, nearest_year, next_date, settle
from azionelab.shows.runs.evenings import Run
from azionelab.shows.runs.tokens import Misread, SentenceError, Token, read_time, tokens
from azionelab.shows.runs.words import (
    AT,
    DAILY,
    EXCEPT,
    FILLER,
    FROM,
    MONTHS,
    PLUS,
    TO,
    WEEKDAYS,
)


@dataclass
class _Group:
    """Weekdays or dates with their times; `leads`: the times came first."""

    weekdays: list[int] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    times: list[time] = field(default_factory=list)
    leads: bool = False

    @property
    def has_days(self) -> bool:
        return bool(self.weekdays or self.days)


def read_sentence(text: str, today: date) -> Run:
    """The run that `text` describes, typed on the day `today`; raises SentenceError."""
    return _Reader(text).read(today)


def read_exceptions(text: str, first: date | None, last: date | None) -> frozenset[date]:
    """The days of a list such as "10, 12 October" or "the 10th", of a run from `first` to `last`.

    Raises SentenceError.
    """
    return _Reader(text).read_exceptions(first, last)


class _Reader:
    """Goes through the words once and collects groups, the period and its exceptions."""

    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._groups = [_Group()]
        self._leading: list[time] = []
        self._first: list[Day] = []
        self._last: list[Day] = []
        self._except: list[Day] = []
        self._free_weekdays: set[int] = set()
        self._mode = "open"

    def read(self, today: date) -> Run:
        for index, token in enumerate(self._tokens):
            self._take(index, token)
        self._end_segment()
        return self._run(today)

    def read_exceptions(self, first: date | None, last: date | None) -> frozenset[date]:
        for index, token in enumerate(self._tokens):
            self._mode = "except"
            if token.kind == "time" or (token.text in WEEKDAYS and not self._day_follows(index)):
                raise SentenceError(Misread.WORD, token.text)
            self._take(index, token)
        settle(self._except)
        try:
            return frozenset(_exception(day, first, last) for day in self._except)
        except NoSuchDay as wrong:
            raise SentenceError(_kind(wrong), wrong.text) from None

    def _take(self, index: int, token: Token) -> None:
        word = token.text
        if token.kind == "sign" and word == ";":
            self._end_segment()
        elif token.kind == "time" or (token.kind == "number" and self._is_hour(index)):
            self._take_time(word)
        elif token.kind in ("number", "slashed", "iso"):
            self._take_day(index, token)
        elif token.kind == "year" or word in MONTHS:
            self._require_day_before(index, word)
        elif word in WEEKDAYS or word in DAILY:
            self._take_weekday(index, word)
        elif word in FROM:
            if not self._weekday_follows(index):
                self._begin_period(word)
        elif word in TO:
            self._take_to(index)
        elif word in EXCEPT:
            self._mode = "except"
        elif word in PLUS:
            self._end_segment()
        elif word not in FILLER and word != ",":
            raise SentenceError(Misread.WORD, word)

    def _take_time(self, word: str) -> None:
        at = read_time(word)
        group = self._groups[-1]
        if self._mode == "except":
            self._end_segment()
        elif group.has_days and not group.leads and not (group.times and self._first):
            group.times.append(at)
            return
        self._leading.append(at)

    def _take_weekday(self, index: int, word: str) -> None:
        numbers = range(7) if word in DAILY else [WEEKDAYS[word]]
        if self._day_follows(index):
            return  # it belongs to the date
        if self._mode == "except":
            self._free_weekdays |= set(numbers)
            return
        weekdays = self._group().weekdays
        if self._mode == "range" and weekdays:
            numbers = [n % 7 for n in range(weekdays[-1] + 1, weekdays[-1] + 8)]
            numbers = numbers[: numbers.index(WEEKDAYS[word]) + 1]
        self._mode = "open"
        weekdays.extend(numbers)

    def _take_day(self, index: int, token: Token) -> None:
        day = self._read_day(index, token)
        if self._mode == "from":
            self._first.append(day)
        elif self._mode == "to":
            self._last.append(day)
            self._mode = "open"
        elif self._mode == "except":
            self._except.append(day)
        else:
            self._group().days.append(day)

    def _take_to(self, index: int) -> None:
        group = self._groups[-1]
        if self._weekday_follows(index):
            self._mode = "range" if group.weekdays else self._mode
        elif self._mode in ("from", "to"):
            self._mode = "to"
        elif group.days and self._mode == "open" and self._tokens[index - 1].kind != "time":
            self._begin_period(self._tokens[index].text)
            self._first.append(group.days.pop())
            self._mode = "to"

    def _begin_period(self, word: str) -> None:
        if self._first:
            raise SentenceError(Misread.TWO_PERIODS, word)
        self._mode = "from"

    def _group(self) -> _Group:
        """The group that the next day belongs to."""
        group = self._groups[-1]
        if self._leading or (group.times and not group.leads):
            group = _Group(times=self._leading, leads=bool(self._leading))
            self._leading = []
            self._groups.append(group)
        return group

    def _end_segment(self) -> None:
        if self._leading:
            for group in self._groups:
                if group.has_days and not group.times:
                    group.times = list(self._leading)
        self._leading = []
        self._groups.append(_Group())
        self._mode = "open"

    def _is_hour(self, index: int) -> bool:
        return index > 0 and self._tokens[index - 1].text in AT

    def _next(self, index: int) -> Token | None:
        following = (t for t in self._tokens[index + 1 :] if t.text not in FILLER - AT)
        return next(following, None)

    def _weekday_follows(self, index: int) -> bool:
        """Whether a weekday without a date comes next, as in "from Tue to Sun"."""
        following = (
            (i, t) for i, t in enumerate(self._tokens) if i > index and t.text not in FILLER | TO
        )
        i, token = next(following, (0, None))
        return token is not None and token.text in WEEKDAYS and not self._day_follows(i)

    def _day_follows(self, index: int) -> bool:
        token = self._next(index)
        return token is not None and token.kind in ("number", "slashed", "iso")

    def _read_day(self, index: int, token: Token) -> Day:
        weekday = WEEKDAYS.get(self._tokens[index - 1].text) if index else None
        if token.kind == "iso":
            parts = [int(part) for part in token.text.split("-")]
            return Day(parts[2], parts[1], parts[0], weekday)
        if token.kind == "slashed":
            number, month, *rest = map(int, token.text.split("/"))
            return Day(number, month, rest[0] if rest else None, weekday)
        number = int(re.sub(r"\D", "", token.text))
        after = [t for t in self._tokens[index + 1 : index + 5] if t.text not in ("of", "di")]
        words = [*after, Token("", ""), Token("", "")]
        found = MONTHS.get(words[0].text)
        year_token = words[1] if found else None
        year = int(year_token.text) if year_token and year_token.kind == "year" else None
        return Day(number, found, year, weekday)

    def _require_day_before(self, index: int, word: str) -> None:
        before = [t for t in self._tokens[:index] if t.text not in ("of", "di")][-1:]
        if not before or not (before[0].kind == "number" or before[0].text in MONTHS):
            raise SentenceError(Misread.WORD, word)

    def _run(self, today: date) -> Run:
        try:
            return self._settled(today)
        except NoSuchDay as wrong:
            raise SentenceError(_kind(wrong), wrong.text) from None

    def _settled(self, today: date) -> Run:
        for days in (self._first + self._last, self._except, *(g.days for g in self._groups)):
            settle(days)
        weekly: set[tuple[int, time]] = set()
        for group in self._groups:
            if group.has_days and not group.times:
                raise SentenceError(Misread.NO_TIME)
            free = self._free_weekdays
            weekly |= {(day, at) for day in group.weekdays if day not in free for at in group.times}
        first, last = self._period(today, needed=bool(weekly))
        extra = {
            datetime.combine(_on(day, today, first), at)
            for group in self._groups
            for day in group.days
            for at in group.times
        }
        if not weekly and not extra:
            raise SentenceError(Misread.NOTHING)
        exceptions = frozenset(_exception(day, first, last) for day in self._except)
        return Run(frozenset(weekly), first, last, exceptions, frozenset(extra))

    def _period(self, today: date, *, needed: bool) -> tuple[date | None, date | None]:
        if len(self._first) != 1 or len(self._last) != 1:
            if needed or self._first or self._last:
                raise SentenceError(Misread.NO_PERIOD)
            return None, None
        start, end = self._first[0], self._last[0]
        if start.month is None or end.month is None:
            raise SentenceError(Misread.WHICH_MONTH, str(start.number))
        if end.year is None and start.month == end.month and end.number < start.number:
            raise SentenceError(Misread.BACKWARDS)
        if start.year is None and end.year is not None:
            years = end.year - ((start.month, start.number) > (end.month, end.number))
            start = Day(start.number, start.month, years, start.weekday)
        first = next_date(start, today)
        last = next_date(end, first)
        if last < first:
            raise SentenceError(Misread.BACKWARDS)
        return first, last


def _kind(wrong: NoSuchDay) -> Misread:
    return Misread.WEEKDAY if wrong.weekday else Misread.DATE


def _on(day: Day, today: date, first: date | None) -> date:
    if day.month is None:
        raise SentenceError(Misread.WHICH_MONTH, str(day.number))
    return next_date(day, today) if first is None else nearest_year(day, first, today)


def _exception(day: Day, first: date | None, last: date | None) -> date:
    if first is None or last is None:
        raise SentenceError(Misread.NO_PERIOD)
    if day.month is not None:
        return next_date(day, first)
    return day.within(first, last)

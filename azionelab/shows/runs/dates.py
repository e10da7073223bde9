"""Dates as people type them: the year, and often the month, left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_YEARS = 8  # until the next 29 February, at most


class NoSuchDay(ValueError):
    """There is no such date; with `weekday`: it is another day of the week."""

    def __init__(self, text: str, *, weekday: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.weekday = weekday


@dataclass
class Day:
    """A typed day: its number, and what else was typed of it. `weekday`: 0 for Monday."""

    number: int
    month: int | None = None
    year: int | None = None
    weekday: int | None = None

    def __str__(self) -> str:
        return "/".join(str(part) for part in (self.number, self.month, self.year) if part)

    def within(self, first: date, last: date) -> date:
        """The one day with this number from `first` to `last`; raises NoSuchDay."""
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        found = [day for day in days if day.day == self.number]
        if len(found) != 1:
            raise NoSuchDay(str(self))
        return self._checked(found[0])

    def in_year(self, year: int) -> date | None:
        """The date in that year, if there is one."""
        try:
            return date(year, self.month or 0, self.number)
        except ValueError:
            return None

    def _checked(self, found: date) -> date:
        if self.weekday is not None and found.weekday() != self.weekday:
            raise NoSuchDay(f"{found:%d/%m/%Y}", weekday=True)
        return found


def settle(days: Sequence[Day]) -> None:
    """Give days without a month that of the next one: "10, 12 and 14 October"."""
    month = year = None
    for day in reversed(days):
        if day.month is None:
            day.month, day.year = month, day.year or year
        else:
            month, year = day.month, day.year


def next_date(day: Day, since: date) -> date:
    """The date in its year, else the first one from `since` on; raises NoSuchDay."""
    years = range(since.year, since.year + _YEARS) if day.year is None else [day.year]
    found = [one for one in map(day.in_year, years) if one]
    if day.year is None:
        found = [one for one in found if one >= since]
    if not found:
        raise NoSuchDay(str(day))
    return day._checked(found[0])


def nearest_year(day: Day, first: date, today: date) -> date:
    """The date in its year, else the one nearest to `first` that is not before `today`; raises NoSuchDay."""
    if day.year is not None:
        return next_date(day, today)
    years = range(first.year - 1, first.year + 2)
    found = [one for one in map(day.in_year, years) if one and one >= today]
    if not found:
        raise NoSuchDay(str(day))
    return day._checked(min(found, key=lambda one: abs(one - first)))

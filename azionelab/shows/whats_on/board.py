"""The programme's page: the shows of a list, or the days of a month, and what can be chosen."""

from calendar import Calendar
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from zoneinfo import ZoneInfo

from azionelab.shows.programme import Listing, Status
from azionelab.shows.whats_on.selection import Selection, month_of

Key = TypeVar("Key")
Row = TypeVar("Row")

SHOWS_PER_PAGE = 12
EVENINGS_PER_SHOW = 6  # in a list of several shows
EVENINGS_PER_PAGE = 48  # in a list of one show
_FEW = 3  # evenings, for who found none


@dataclass(frozen=True)
class Choices:
    """What the season has: its months, and shows and venues by name."""

    months: list[date]
    shows: dict[str, str]  # titles by slug
    venues: dict[int, str]


@dataclass(frozen=True)
class ShowRow:
    """A show of the list, its first evenings, and how many there are in all."""

    evenings: Sequence[Listing]
    count: int


@dataclass(frozen=True)
class Board:
    """The list: a page of shows, or of one show's evenings."""

    rows: Sequence[ShowRow]
    page: int
    pages: int


@dataclass(frozen=True)
class Day:
    """A day of the calendar; one before or after the month is not `inside`."""

    date: date
    inside: bool
    evenings: Sequence[Listing]


@dataclass(frozen=True)
class MonthSheet:
    """A month as whole weeks, Monday first, and the season's months before and after it."""

    first: date
    weeks: Sequence[Sequence[Day]]
    before: date | None
    after: date | None


def choices(season: Sequence[Listing], zone: ZoneInfo) -> Choices:
    """What can be chosen of a season."""
    return Choices(
        months=sorted({month_of(each, zone) for each in season}),
        shows=_by_name({each.show_slug: each.title.text for each in season}),
        venues=_by_name({each.venue_id: each.venue_name for each in season}),
    )


def board(chosen: Sequence[Listing], page: int) -> Board:
    """A page of the list. A page that does not exist is the last one."""
    shows: dict[int, list[Listing]] = defaultdict(list)
    for each in chosen:
        shows[each.show_id].append(each)
    if len(shows) == 1:
        pages = _count_pages(len(chosen), EVENINGS_PER_PAGE)
        page = min(page, pages)
        evenings = _cut(chosen, page, EVENINGS_PER_PAGE)
        return Board([ShowRow(evenings, len(evenings))], page, pages)
    pages = _count_pages(len(shows), SHOWS_PER_PAGE)
    page = min(page, pages)
    rows = [
        ShowRow(evenings[:EVENINGS_PER_SHOW], len(evenings))
        for evenings in _cut(list(shows.values()), page, SHOWS_PER_PAGE)
    ]
    return Board(rows, page, pages)


def next_bookable(season: Sequence[Listing]) -> Sequence[Listing]:
    """The next few evenings that can be booked, for a visitor who found none."""
    return [each for each in season if each.status is Status.OPEN][:_FEW]


def month_sheet(
    chosen: Sequence[Listing],
    selection: Selection,
    months: Sequence[date],
    today: date,
    zone: ZoneInfo,
) -> MonthSheet:
    """The calendar of the selected month; without one, of the first in which something is chosen."""
    first = selection.month or next((month_of(each, zone) for each in chosen), None)
    first = first or (months[0] if months else today.replace(day=1))
    on: dict[date, list[Listing]] = defaultdict(list)
    for each in chosen:
        on[each.starts_at.astimezone(zone).date()].append(each)

    def day(each: date) -> Day:
        inside = each.month == first.month
        return Day(each, inside, on[each] if inside else ())

    weeks = Calendar().monthdatescalendar(first.year, first.month)
    return MonthSheet(
        first=first,
        weeks=[[day(each) for each in week] for week in weeks],
        before=max((month for month in months if month < first), default=None),
        after=min((month for month in months if month > first), default=None),
    )


def _by_name(names: dict[Key, str]) -> dict[Key, str]:
    return dict(sorted(names.items(), key=lambda item: item[1].casefold()))


def _count_pages(number: int, size: int) -> int:
    return max(1, -(-number // size))


def _cut(rows: Sequence[Row], page: int, size: int) -> Sequence[Row]:
    return rows[(page - 1) * size : page * size]

"""Tables of the season report: their columns and rows, the same on the page, on paper and in files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import url_for
from flask_babel import gettext

from azionelab.admin.exports.tables import Cell
from azionelab.admin.figures.charts import lead_labels
from azionelab.admin.season_report.texts import format_number, name_of
from azionelab.reports.periods import Period, season_of, year_of
from azionelab.reports.season import Evening, Figures, SeasonFigures, group
from azionelab.web.dates import format_date

_AXIS = 20  # characters of a title under a chart


@dataclass(frozen=True)
class Column:
    """A figure: its heading, how it is read, and its unit. A `drawn` one is in the chart, in the colour of that name."""

    title: str
    read: Callable[[Figures], float | None]
    unit: str = ""
    digits: int = 0
    drawn: str = ""

    def text(self, figures: Figures) -> str:
        """The figure for people."""
        value = self.read(figures)
        if value is None:
            return "–"
        return f"{format_number(value, self.digits)}{self.unit}"

    def cell(self, figures: Figures) -> Cell:
        """The figure for a spreadsheet."""
        value = self.read(figures)
        return value if value is None or isinstance(value, int) else round(value, 1)


@dataclass(frozen=True)
class Line:
    """A row: what it is about, also in short for a chart's axis, and its figures."""

    label: str
    figures: Figures
    short: str = ""
    address: str | None = None


@dataclass(frozen=True)
class Table:
    """A breakdown of the figures; `axis` says what its rows are."""

    name: str
    title: str
    axis: str
    lines: Sequence[Line]


def columns(*, with_number: bool = True) -> list[Column]:
    """The figures of each row; without the number of performances where each row is one."""
    number = [Column(gettext("Performances"), lambda one: one.performances)] if with_number else []
    return [
        *number,
        Column(gettext("Seats offered"), lambda one: one.seats),
        Column(gettext("Seats booked"), lambda one: one.booked),
        Column(gettext("Said they come"), lambda one: one.coming),
        Column(gettext("Came"), lambda one: one.came if one.checked else None),
        Column(gettext("of these walk-ins"), lambda one: one.walk_ins if one.checked else None),
        Column(gettext("Fill"), lambda one: one.fill, "%", drawn="confirmed"),
        Column(gettext("Did not come"), lambda one: one.absent if one.checked else None),
        Column(gettext("No-shows"), lambda one: one.no_show_share, "%", drawn="away"),
        Column(gettext("Booked days before"), lambda one: one.lead_days, digits=1),
    ]


def season_tables(figures: SeasonFigures, zone: ZoneInfo) -> list[Table]:
    """The performances that were played, by show, weekday and month."""
    weekdays = sorted(
        group(figures.played, lambda each: each.starts_at.astimezone(zone).weekday()),
        key=lambda found: found[0].starts_at.astimezone(zone).weekday(),
    )
    months = group(figures.played, lambda each: f"{each.starts_at.astimezone(zone):%Y-%m}")
    return [
        Table(
            "shows",
            gettext("By show"),
            gettext("Show"),
            [
                Line(first.title, sums, _cut(first.title))
                for first, sums in group(figures.played, lambda each: each.show_id)
            ],
        ),
        Table(
            "weekdays",
            gettext("By weekday"),
            gettext("Weekday"),
            [
                Line(format_date(first.starts_at, "EEEE").capitalize(), sums)
                for first, sums in weekdays
            ],
        ),
        Table(
            "months",
            gettext("By month"),
            gettext("Month"),
            [
                Line(
                    format_date(first.starts_at, "LLLL y").capitalize(),
                    sums,
                    format_date(first.starts_at, "LLL yy"),
                )
                for first, sums in months
            ],
        ),
    ]


def years_table(figures: SeasonFigures, zone: ZoneInfo, *, by_season: bool) -> Table:
    """The performances that were played, by calendar year or by season, each with the address of its report."""

    def period(evening: Evening) -> Period:
        day = evening.starts_at.astimezone(zone).date()
        return season_of(day) if by_season else year_of(day)

    lines = []
    for first, sums in group(figures.played, period):
        its = period(first)
        address = url_for("admin_season_report.index", first=its.first, last=its.last)
        lines.append(Line(name_of(its), sums, address=address))
    if by_season:
        return Table("years", gettext("Season by season"), gettext("Season"), lines)
    return Table("years", gettext("Year by year"), gettext("Year"), lines)


def performances_table(figures: SeasonFigures) -> tuple[list[str], list[list[Cell]]]:
    """Every performance of a period, in order of time, for a spreadsheet."""
    shown = [*columns(with_number=False), _wheelchair_places()]
    head = [gettext("Curtain"), gettext("Show"), gettext("State")]
    head += [_heading(column) for column in shown]
    states = (
        (figures.played, gettext("played")),
        (figures.coming, gettext("to come")),
        (figures.cancelled, gettext("cancelled")),
    )
    rows: list[tuple[datetime, list[Cell]]] = [
        (
            each.starts_at,
            [each.starts_at, each.title, state, *(one.cell(each.figures) for one in shown)],
        )
        for evenings, state in states
        for each in evenings
    ]
    return head, [cells for _at, cells in sorted(rows, key=lambda row: row[0])]


def file_table(table: Table) -> tuple[list[str], list[list[Cell]]]:
    """A table for a spreadsheet."""
    shown = [*columns(), _wheelchair_places()]
    head = [table.axis, *(_heading(column) for column in shown)]
    return head, [[line.label, *(one.cell(line.figures) for one in shown)] for line in table.lines]


def lead_lines(seats: Sequence[int]) -> list[tuple[str, int, int]]:
    """How early people booked: each class with its seats, and their share in percent."""
    booked = sum(seats)
    return [
        (label, number, round(100 * number / booked) if booked else 0)
        for label, number in zip(lead_labels(), seats, strict=True)
    ]


def _wheelchair_places() -> Column:
    """For the spreadsheets: a house without such places needs no column on the page."""
    return Column(gettext("Wheelchair places taken"), lambda one: one.wheelchair_places)


def _heading(column: Column) -> str:
    return f"{column.title} ({column.unit})" if column.unit else column.title


def _cut(title: str) -> str:
    return title if len(title) <= _AXIS else f"{title[: _AXIS - 1]}…"

"""The season report on paper: each table with a bar in every row. Made on demand, never stored."""

from collections.abc import Sequence

from flask_babel import gettext

from azionelab.admin.figures.charts import lead_labels
from azionelab.admin.season_report.tables import Column, Line, Table, columns, lead_lines
from azionelab.admin.season_report.texts import (
    days_of,
    definitions,
    describe_rest,
    format_number,
    name_of,
)
from azionelab.bookings.tickets.pdf import PAGES, Sheet
from azionelab.database import now
from azionelab.reports.periods import Period
from azionelab.reports.season import Figures, SeasonFigures
from azionelab.theme.current import theatre_name
from azionelab.web.dates import format_datetime

# Millimetres on A4, across.
_PAPER = (297, 210)
_MARGIN = 12
_FOOT = 14
_LINE = 5.6
_LABEL_WIDTH = 56
_BAR_WIDTH = 42
_LEAD_WIDTH = 120
_BAR = 1.9
_HEAD_LINE = 3.2
_TILE = 13
# As on the page by day (static_frontend/src/styles/charts.css).
_COLOURS = {"confirmed": (122, 21, 39), "away": (141, 90, 43)}
_RULE = 190  # grey


def season_pdf(
    period: Period, figures: SeasonFigures, tables: Sequence[Table], lead_seats: Sequence[int]
) -> bytes:
    """The report of a period, in the current language."""
    title = gettext("Season report")
    paper = _Report(f"{title} {name_of(period)}", days_of(period))
    paper.add_summary(figures)
    for table in tables:
        paper.add_table(table, figures.total)
    paper.add_lead_times(lead_seats)
    paper.add_definitions()
    return paper.content()


def years_pdf(figures: SeasonFigures, table: Table) -> bytes:
    """All years or seasons side by side, in the current language."""
    paper = _Report(table.title, theatre_name())
    paper.add_table(table, figures.total)
    paper.add_notes(figures)
    paper.add_definitions()
    return paper.content()


class _Report(Sheet):
    """Each page has the title, so that pages can be separated."""

    def __init__(self, title: str, below: str) -> None:
        super().__init__(_PAPER, title)
        self._heading, self._below = title, below
        self._printed = now()
        self.set_margins(_MARGIN, _MARGIN)
        self.add_page()

    def header(self) -> None:
        self.use(15 if self.page_no() == 1 else 9, bold=True)
        self.write_lines(self._heading, 7)
        if self.page_no() == 1:
            self.use(10)
            self.write_lines(self._below, 5)
        self.ln(2)

    def footer(self) -> None:
        self.set_y(-_FOOT + 3)
        self.use(8)
        site = theatre_name()
        printed = gettext("Printed %(when)s", when=format_datetime(self._printed))
        self.put(f"{site} · {printed}", self.epw - 30, 5)
        # fpdf2 fills in the number of pages at the end, in the font of the last page.
        page = gettext("Page %(page)s of %(pages)s", page=self.page_no(), pages=PAGES)
        self.cell(30, 5, page, align="R")

    def add_summary(self, figures: SeasonFigures) -> None:
        """The figures of the whole period, then what they leave out."""
        shown = columns()
        width = self.epw / len(shown)
        top = self.y
        for place, column in enumerate(shown):
            left = _MARGIN + place * width
            self.use(7)
            for number, text in enumerate(list(self.lines(column.title, width - 2))[:2]):
                self.set_xy(left, top + number * _HEAD_LINE)
                self.put(text, width, _HEAD_LINE)
            self.use(12, bold=True)
            self.set_xy(left, top + 2 * _HEAD_LINE)
            self.put(column.text(figures.total), width, 6)
        self.set_xy(_MARGIN, top + _TILE)
        self.add_notes(figures)

    def add_notes(self, figures: SeasonFigures) -> None:
        """What the figures leave out."""
        self.use(9)
        for text in describe_rest(figures):
            self.write_lines(text, 4.4)
        self.ln(2)

    def add_table(self, table: Table, total: Figures) -> None:
        """A breakdown: its rows with a bar for the fill and one for the no-shows, then the sums."""
        shown = columns()
        # Room for the title, the headings and three rows, or the table begins on the next page.
        self._make_room(8 + 3 * _HEAD_LINE + 4 * _LINE)
        self._title(table.title)
        self._headings(table.axis, shown)
        for line in table.lines:
            if self._make_room(_LINE):
                self._headings(table.axis, shown)
            self._row(line, shown)
        self._make_room(_LINE)
        self._row(Line(gettext("All"), total), shown, bold=True)
        self.ln(5)

    def add_lead_times(self, seats: Sequence[int]) -> None:
        """How early people booked, with a bar for each class."""
        self._make_room(8 + (len(lead_labels()) + 1) * _LINE)
        self._title(gettext("How early people book"))
        shares = lead_lines(seats)
        most = max(share for _label, _number, share in shares) or 1
        for label, number, share in shares:
            self.use(8)
            self.put(label, _LABEL_WIDTH, _LINE)
            self.put(format_number(number), 20, _LINE, "R")
            self.put(f"{share}%", 14, _LINE, "R")
            self._bar(share / most * _LEAD_WIDTH, 1.5, _COLOURS["confirmed"])
            self._rule()
        self.ln(5)

    def add_definitions(self) -> None:
        """What each figure counts."""
        self._make_room(8 + 9 * 4)
        self._title(gettext("What is counted"))
        self.use(8)
        for name, meaning in definitions():
            for text in self.lines(f"{name}: {meaning}", self.epw):
                self._make_room(4)
                self.set_x(_MARGIN)
                self.put(text, self.epw, 4)
                self.ln(4)

    def _title(self, text: str) -> None:
        self.use(11, bold=True)
        self.write_lines(text, 6)
        self.ln(1)

    def _headings(self, axis: str, shown: Sequence[Column]) -> None:
        top, width = self.y, self._width(shown)
        self.use(6.5, bold=True)
        titles = [list(self.lines(column.title, width - 1.5))[:3] for column in shown]
        height = max(len(lines) for lines in titles) * _HEAD_LINE
        self.set_xy(_MARGIN, top + height - _HEAD_LINE)
        self.put(axis, _LABEL_WIDTH, _HEAD_LINE)
        for place, lines in enumerate(titles):
            for number, text in enumerate(reversed(lines), start=1):
                self.set_xy(
                    _MARGIN + _LABEL_WIDTH + place * width, top + height - number * _HEAD_LINE
                )
                self.put(text, width, _HEAD_LINE, "R")
        self._legend(shown, top + height)
        self.set_xy(_MARGIN, top + height + 0.5)
        self._rule(0)

    def _legend(self, shown: Sequence[Column], bottom: float) -> None:
        """Name the bars' colours above them."""
        drawn = [column for column in shown if column.drawn]
        for place, column in enumerate(reversed(drawn), start=1):
            self.set_xy(self.w - _MARGIN - _BAR_WIDTH, bottom - place * _HEAD_LINE)
            self._bar(_BAR, (_HEAD_LINE - _BAR) / 2, _COLOURS[column.drawn])
            self.set_x(self.x + _BAR + 5)
            self.put(column.title, _BAR_WIDTH, _HEAD_LINE)

    def _row(self, line: Line, shown: Sequence[Column], *, bold: bool = False) -> None:
        top, width = self.y, self._width(shown)
        self.use(8, bold=bold)
        self.put(self._short(line.label), _LABEL_WIDTH, _LINE)
        for column in shown:
            self.put(column.text(line.figures), width, _LINE, "R")
        drawn = [column for column in shown if column.drawn]
        for place, column in enumerate(drawn):
            share = (column.read(line.figures) or 0) / 100
            self._bar(share * (_BAR_WIDTH - 4), 0.7 + place * (_BAR + 0.3), _COLOURS[column.drawn])
        self.set_xy(_MARGIN, top)
        self._rule()

    def _bar(self, width: float, down: float, colour: tuple[int, int, int]) -> None:
        """Draw a bar to the right of what was written, `down` below the row's top."""
        if width > 0:
            self.set_fill_color(*colour)
            self.rect(self.x + 4, self.y + down, width, _BAR, style="F")

    def _rule(self, down: float = _LINE) -> None:
        """Draw a line below the row, and go on below it."""
        y = self.y + down
        self.set_draw_color(_RULE)
        self.line(_MARGIN, y, self.w - _MARGIN, y)
        self.set_draw_color(0)
        self.set_xy(_MARGIN, y)

    def _short(self, text: str) -> str:
        fits = self.fitting(text, _LABEL_WIDTH - 2)
        return text if fits == len(text) else f"{text[: fits - 1]}…"

    def _width(self, shown: Sequence[Column]) -> float:
        return (self.epw - _LABEL_WIDTH - _BAR_WIDTH) / len(shown)

    def _make_room(self, height: float) -> bool:
        """Begin a new page unless so much fits on this one; whether it did."""
        if self.y + height <= self.h - _FOOT:
            return False
        self.add_page()
        return True

"""The door list on paper, for the evening on which nothing else works. Made on demand, never stored."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext, ngettext
from fpdf import FPDF

from azionelab.bookings.models import State
from azionelab.bookings.paper import FONT, prepare, printable
from azionelab.checkin.evening import Guest
from azionelab.checkin.house import HouseCounts
from azionelab.database import now
from azionelab.dates import when
from azionelab.shows.models import Performance

# Millimetres on A4.
_MARGIN = 12
_FOOT = 14
_ROW = 8
_BOX = 4.2
_BOX_STEP = 5.6
_IN_A_LINE = 8  # boxes
_NAME_WIDTH = 72
_SEATS_WIDTH = 13
_REFERENCE_WIDTH = 27
_SHADE = 243  # of every other row, 255 is white
_WALK_IN_LINES = 6  # at least; as many as the page has room for


@dataclass(frozen=True)
class _Column:
    head: str
    width: float


def door_list_pdf(performance: Performance, counts: HouseCounts, guests: list[Guest]) -> bytes:
    """The parties of a performance by name, with a box to tick for each seat.

    In the current language and the theatre's time zone. Who is in already is ticked.
    """
    parties = sorted((guest for guest in guests if not guest.walk_in), key=_by_name)
    paper = _DoorList(performance, counts, len(parties))
    paper.add_page()
    for number, party in enumerate(parties):
        paper.add_party(party, shaded=number % 2 == 0)
    paper.add_walk_in_lines()
    return bytes(paper.output())


class _DoorList(FPDF):
    """Pages that say what evening they are of, so that they can be taken apart."""

    def __init__(self, performance: Performance, counts: HouseCounts, parties: int) -> None:
        super().__init__(format="A4")
        prepare(self, performance.show.title)
        self._performance = performance
        self._totals = _totals(counts, parties)
        self._printed = now()
        self._columns = self._make_columns()
        self.set_margins(_MARGIN, _MARGIN)

    def header(self) -> None:
        performance = self._performance
        self._write(15, performance.show.title, bold=True)
        self._write(10, f"{when(performance.starts_at)} · {performance.venue.name}")
        if performance.cancelled_at is not None:
            self._write(12, gettext("This performance is cancelled."), bold=True)
        if self.page_no() == 1:
            self.ln(1)
            self._write(9, self._totals)
        self.ln(1.5)
        self._font(8, bold=True)
        for column in self._columns:
            self.cell(column.width, 5, column.head)
        self.ln(5.5)
        self.line(_MARGIN, self.y, self.w - _MARGIN, self.y)

    def footer(self) -> None:
        self.set_y(-_FOOT + 3)
        self._font(8)
        printed = gettext("Printed %(when)s", when=when(self._printed))
        legend = gettext("A box for each seat; a cross: in already.")
        self.cell(self.epw - 30, 5, f"{printed} · {legend}")
        page = gettext("Page %(page)s of %(pages)s", page=self.page_no(), pages="{nb}")
        self.cell(30, 5, page, align="R")

    def add_party(self, party: Guest, *, shaded: bool) -> None:
        """A row: boxes, name, seats, reference, and what the door must know."""
        lines = -(-party.seats // _IN_A_LINE)
        self._make_room(height := _ROW + (lines - 1) * _BOX_STEP)
        top = self.y
        if shaded:
            self.set_fill_color(_SHADE)
            self.rect(_MARGIN, top, self.epw, height, style="F")
        self._boxes(party.seats, party.admitted)
        self._name(party.name)
        self._font(11, bold=True)
        self.cell(_SEATS_WIDTH, _ROW, str(party.seats))
        self._font(10)
        self.cell(_REFERENCE_WIDTH, _ROW, party.reference)
        self._font(8, bold=True)
        self.cell(self._columns[-1].width, _ROW, _note(party))
        self.set_xy(_MARGIN, top + height)

    def add_walk_in_lines(self) -> None:
        """Room to write down people without a booking: what is left of the page."""
        self._make_room(_WALK_IN_LINES * _ROW + 12)
        self.ln(4)
        self._write(11, gettext("Walk-ins: tick one box for each of them"), bold=True)
        while (top := self.y) + _ROW <= self.h - _FOOT:
            self._boxes(_IN_A_LINE, 0)
            self.line(self.x, top + _ROW - 1.5, self.w - _MARGIN, top + _ROW - 1.5)
            self.set_xy(_MARGIN, top + _ROW)

    def _make_columns(self) -> list[_Column]:
        boxes = _IN_A_LINE * _BOX_STEP + 2
        rest = self.w - 2 * _MARGIN - boxes - _NAME_WIDTH - _SEATS_WIDTH - _REFERENCE_WIDTH
        return [
            _Column(gettext("In"), boxes),
            _Column(gettext("Name"), _NAME_WIDTH),
            _Column(gettext("Seats"), _SEATS_WIDTH),
            _Column(gettext("Reference"), _REFERENCE_WIDTH),
            _Column("", rest),
        ]

    def _make_room(self, height: float) -> None:
        if self.y + height > self.h - _FOOT:
            self.add_page()

    def _boxes(self, seats: int, ticked: int) -> None:
        """Draw a box for each seat, and go on to the right of them."""
        left, top = self.x, self.y
        inset = (_ROW - _BOX) / 2
        for seat in range(seats):
            x = left + 1 + seat % _IN_A_LINE * _BOX_STEP
            y = top + inset + seat // _IN_A_LINE * _BOX_STEP
            self.rect(x, y, _BOX, _BOX)
            if seat < ticked:
                self.line(x, y, x + _BOX, y + _BOX)
                self.line(x, y + _BOX, x + _BOX, y)
        self.set_xy(left + self._columns[0].width, top)

    def _name(self, name: str) -> None:
        """Write a name within its column, smaller and in two lines when it is long."""
        left, top = self.x, self.y
        for size in (11, 9):
            self._font(size)
            shown = printable(self, name)
            if self.get_string_width(shown) <= _NAME_WIDTH - 2:
                self.cell(_NAME_WIDTH, _ROW, shown)
                return
        self._font(7)
        for number, line in enumerate(self._two_lines(name)):
            self.set_xy(left, top + 0.7 + number * 3.3)
            self.cell(_NAME_WIDTH, 3.3, printable(self, line))
        self.set_xy(left + _NAME_WIDTH, top)

    def _two_lines(self, name: str) -> Iterator[str]:
        """A long name's beginning and what follows, as much of it as there is room for."""
        first = self._fitting(name)
        yield name[:first]
        rest = name[first:].strip()
        second = self._fitting(rest)
        yield rest if second == len(rest) else rest[: second - 1] + "…"

    def _fitting(self, text: str) -> int:
        """How many characters fit into the column, up to a space if there is one near the end."""
        fits = len(text)
        while self.get_string_width(printable(self, text[:fits])) > _NAME_WIDTH - 2:
            fits -= 1
        if fits == len(text):
            return fits
        space = text.rfind(" ", 0, fits + 1)
        return space if space > fits // 2 else fits

    def _write(self, size: int, text: str, *, bold: bool = False) -> None:
        self._font(size, bold=bold)
        line = printable(self, text)
        self.multi_cell(0, size * 0.45, line, align="L", new_x="LMARGIN", new_y="NEXT")

    def _font(self, size: int, *, bold: bool = False) -> None:
        self.set_font(FONT, "B" if bold else "", size)


def _totals(counts: HouseCounts, parties: int) -> str:
    """What the house is like at this moment."""
    told = [
        ngettext("%(num)s party", "%(num)s parties", parties),
        gettext("%(num)s expected", num=counts.expected),
        gettext("%(num)s in", num=counts.inside),
        gettext("%(num)s to come", num=counts.to_come),
        gettext("%(num)s not confirmed", num=counts.pending),
        gettext("%(num)s released", num=counts.released),
        gettext("%(num)s walk-ins", num=counts.walk_ins),
        gettext("%(num)s free", num=counts.free),
    ]
    return " · ".join(told)


def _note(party: Guest) -> str:
    if party.state == State.PENDING:
        return gettext("not confirmed")
    if party.released:
        return gettext("released: %(num)s", num=party.released)
    return ""


def _by_name(party: Guest) -> tuple[str, str]:
    """Names in the order of an alphabet: without accents, case, and what is no letter before them."""
    plain = unicodedata.normalize("NFKD", party.name)
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    start = next((place for place, letter in enumerate(letters) if letter.isalnum()), 0)
    return letters[start:], party.reference

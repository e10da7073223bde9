"""The door list as a PDF, to print in case nothing else works. Made on demand, never stored."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext, ngettext
from fpdf.enums import TextDirection

from azionelab.bookings.models import State
from azionelab.bookings.tickets.pdf import PAGES, Sheet, runs
from azionelab.checkin.house.counts import HouseCounts
from azionelab.checkin.house.family_names import family_name
from azionelab.checkin.house.guests import Guest
from azionelab.checkin.house.name_matching import fold
from azionelab.checkin.texts.notices import describe_late_arrival
from azionelab.database import now
from azionelab.shows.facts.seating import describe_wheelchair_places
from azionelab.shows.models import Performance
from azionelab.web.dates import format_datetime

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
_NOTE_LINE = 3.8
_SHADE = 243  # of every other row, 255 is white
_WALK_IN_LINES = 6  # at least; as many as the page has room for


@dataclass(frozen=True)
class _Column:
    head: str
    width: float


def door_list_pdf(performance: Performance, counts: HouseCounts, guests: list[Guest]) -> bytes:
    """The parties of a performance by family name, with a box to tick for each seat.

    In the current language and the theatre's time zone. The boxes of admitted people are ticked.
    """
    parties = sorted((guest for guest in guests if not guest.walk_in), key=_by_name)
    paper = _DoorList(performance, counts, len(parties))
    paper.add_page()
    for number, party in enumerate(parties):
        paper.add_party(party, shaded=number % 2 == 0)
    paper.add_walk_in_lines()
    return paper.content()


class _DoorList(Sheet):
    """Each page names the performance, so that pages can be separated."""

    def __init__(self, performance: Performance, counts: HouseCounts, parties: int) -> None:
        title = gettext("Door list: %(what)s", what=performance.show.title)
        super().__init__("A4", f"{title}, {format_datetime(performance.starts_at)}")
        self._performance = performance
        self._totals = _totals(counts, parties)
        self._printed = now()
        self._columns = self._make_columns()
        self.set_margins(_MARGIN, _MARGIN)

    def header(self) -> None:
        performance = self._performance
        self._write(15, performance.show.title, bold=True)
        self._write(10, f"{format_datetime(performance.starts_at)} · {performance.venue.name}")
        if performance.cancelled_at is not None:
            self._write(12, gettext("This performance is cancelled."), bold=True)
        if self.page_no() == 1:
            self.ln(1)
            self._write(9, self._totals)
        self.ln(1.5)
        self.use(8, bold=True)
        for column in self._columns:
            self.put(column.head, column.width, 5)
        self.ln(5.5)
        self.line(_MARGIN, self.y, self.w - _MARGIN, self.y)

    def footer(self) -> None:
        self.set_y(-_FOOT + 3)
        self.use(8)
        printed = gettext("Printed %(when)s", when=format_datetime(self._printed))
        legend = gettext("One box per seat; a cross means already in.")
        self.put(f"{printed} · {legend}", self.epw - 30, 5)
        # fpdf2 fills in the number of pages at the end, in the font of the last page.
        page = gettext("Page %(page)s of %(pages)s", page=self.page_no(), pages=PAGES)
        self.cell(30, 5, page, align="R")

    def add_party(self, party: Guest, *, shaded: bool) -> None:
        """A row: boxes, name, seats, reference, status, and the notes below."""
        lines = -(-party.seats // _IN_A_LINE)
        self.use(9)
        note = list(self.lines(_remarks(party), self._columns_from(1)))
        height = max(_ROW + (lines - 1) * _BOX_STEP, _ROW + len(note) * _NOTE_LINE)
        self._make_room(height)
        top = self.y
        if shaded:
            self.set_fill_color(_SHADE)
            self.rect(_MARGIN, top, self.epw, height, style="F")
        self._boxes(party.seats, party.admitted)
        self._name(party.name)
        self.use(11, bold=True)
        self.put(str(party.seats), _SEATS_WIDTH, _ROW)
        self.use(10)
        self.put(party.reference, _REFERENCE_WIDTH, _ROW)
        self.use(8, bold=True)
        self.put(_status(party), self._columns[-1].width, _ROW)
        self._write_note(note, top + _ROW - 1)
        self.set_xy(_MARGIN, top + height)

    def add_walk_in_lines(self) -> None:
        """Empty lines for walk-ins on the rest of the page."""
        self._make_room(_WALK_IN_LINES * _ROW + 12)
        self.ln(4)
        self._write(11, gettext("Walk-ins: tick one box per person"), bold=True)
        while (top := self.y) + _ROW <= self.h - _FOOT:
            self._boxes(_IN_A_LINE, 0)
            self.line(self.x, top + _ROW - 1.5, self.w - _MARGIN, top + _ROW - 1.5)
            self.set_xy(_MARGIN, top + _ROW)

    def _make_columns(self) -> list[_Column]:
        boxes = _IN_A_LINE * _BOX_STEP + 2
        rest = self.w - 2 * _MARGIN - boxes - _NAME_WIDTH - _SEATS_WIDTH - _REFERENCE_WIDTH
        return [
            _Column(gettext("In"), boxes),
            _Column(gettext("Name (sorted by surname)"), _NAME_WIDTH),
            _Column(gettext("Seats"), _SEATS_WIDTH),
            _Column(gettext("Reference"), _REFERENCE_WIDTH),
            _Column("", rest),
        ]

    def _columns_from(self, first: int) -> float:
        """The total width of the columns from `first` on."""
        return sum(column.width for column in self._columns[first:])

    def _write_note(self, lines: list[str], top: float) -> None:
        """Write the notes below the party's name."""
        self.use(9)
        for number, line in enumerate(lines):
            self.set_xy(_MARGIN + self._columns[0].width, top + number * _NOTE_LINE)
            self.put(line, self._columns_from(1), _NOTE_LINE)

    def _make_room(self, height: float) -> None:
        if self.y + height > self.h - _FOOT:
            self.add_page()

    def _boxes(self, seats: int, ticked: int) -> None:
        """Draw a box for each seat; the position moves to the next column."""
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
        """Write a name within its column; long names get a smaller font, then two lines."""
        left, top = self.x, self.y
        for size in (11, 9):
            self.use(size)
            if self.width_of(name) <= _NAME_WIDTH - 6:
                self._put_name(name, size)
                self.set_xy(left + _NAME_WIDTH, top)
                return
        self.use(7)
        for number, line in enumerate(self._two_lines(name)):
            self.set_xy(left, top + 0.7 + number * 3.3)
            self.put(line, _NAME_WIDTH, 3.3)
        self.set_xy(left + _NAME_WIDTH, top)

    def _put_name(self, name: str, size: int) -> None:
        """Write the name with the family name in bold: the list is sorted by it."""
        family = family_name(name)
        given = name.removesuffix(family)
        right_to_left = any(run.direction == TextDirection.RTL for run in runs(name))
        if given == name or right_to_left:
            self.put(name, _NAME_WIDTH, _ROW)
            return
        self.put(given, self.width_of(given), _ROW)
        self.use(size, bold=True)
        self.put(family, _NAME_WIDTH, _ROW)

    def _two_lines(self, name: str) -> Iterator[str]:
        """Split a long name into two lines, the second one cut to fit."""
        first = self._until_space(name)
        yield name[:first]
        rest = name[first:].strip()
        second = self.fitting(rest, _NAME_WIDTH - 2)
        yield rest if second == len(rest) else rest[: second - 1] + "…"

    def _until_space(self, text: str) -> int:
        """How many characters fit into the column; breaks at a space in its second half."""
        fits = self.fitting(text, _NAME_WIDTH - 2)
        space = text.rfind(" ", 0, fits + 1)
        return space if space > fits // 2 and fits < len(text) else fits

    def _write(self, size: int, text: str, *, bold: bool = False) -> None:
        self.use(size, bold=bold)
        self.write_lines(text, size * 0.45)


def _totals(counts: HouseCounts, parties: int) -> str:
    """The counts at the time of printing, in one line."""
    texts = [
        ngettext("%(num)s party", "%(num)s parties", parties),
        gettext("%(num)s expected", num=counts.expected),
        gettext("%(num)s in", num=counts.inside),
        gettext("%(num)s to come", num=counts.to_come),
        gettext("%(num)s not confirmed", num=counts.pending),
        gettext("%(num)s released", num=counts.released),
        ngettext("%(num)s walk-in", "%(num)s walk-ins", counts.walk_ins),
        gettext("%(num)s free", num=counts.free),
    ]
    return " · ".join(texts)


def _status(party: Guest) -> str:
    if party.state == State.PENDING:
        return gettext("not confirmed")
    texts = []
    if party.released:
        texts.append(gettext("released: %(num)s", num=party.released))
    if party.outside:
        texts.append(gettext("out: %(num)s", num=party.outside))
    return ", ".join(texts)


def _remarks(party: Guest) -> str:
    """The notes below a party: if it is late, its wheelchair places, and the staff's note."""
    remarks = [party.note] if party.note else []
    if party.wheelchair_places:
        remarks.insert(0, describe_wheelchair_places(party.wheelchair_places))
    if party.awaited_at is not None:
        remarks.insert(0, describe_late_arrival(party.awaited_at))
    return " · ".join(remarks)


def _by_name(party: Guest) -> tuple[str, str, str]:
    return fold(family_name(party.name)), fold(party.name), party.reference

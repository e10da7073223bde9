"""The ticket as a PDF: a sheet of A4 to print, whose upper part is the ticket, and a page for a phone's screen.

The PDF library is half of all loaded code: only files.py imports this, when a sheet is asked for.
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from fpdf.bidi import auto_detect_base_direction

from azionelab.bookings.tickets.curtain import Curtain
from azionelab.bookings.tickets.fonts import BODONI, FIGTREE
from azionelab.bookings.tickets.pdf import Sheet

_A4 = (210, 297)  # millimetres, as all lengths here
_PHONE = (90, 190)
_MARGIN = 15
_GREY, _BLACK = (90, 90, 90), (0, 0, 0)
_BAND = 4  # the curtain's height
_LOGO = (60, 10)  # at most so wide and high; the curtain is higher by a margin
_LOGO_MARGIN = 3
_LINE = 0.5  # millimetres of a line's height for each point of its letters
_TITLE_SIZES = ((30, 26), (80, 18), (1_000, 11))  # up to so many characters, points
_QR_ON_PAPER = 58
_ROOM_FOR_MORE = 15  # what a heading and some lines below it take


@dataclass(frozen=True)
class TicketText:
    """The words of a ticket in one language. `void` says why it is not valid any more, "" for one that is."""

    document: str
    site: str
    title: str
    when: str
    venue: str
    address: str
    seats: str
    reference: str
    labels: tuple[str, str, str, str]  # When, Where, Seats, Reference
    code: str
    hints: tuple[str, ...]
    way: tuple[tuple[str, str], ...] = ()  # what helps to get there, each under its heading
    void: str = ""


def paper_ticket(text: TicketText, curtain: Curtain, qr: bytes | None) -> bytes:
    """The ticket to print: the facts on the left, the code on the right, and below what one does with it."""
    page = Sheet(_A4, text.document)
    page.add_page()
    edge = page.w - _MARGIN
    hem = _draw_curtain(page, curtain, text.site, _MARGIN)
    top = hem + 6
    facts = _Column(page, _MARGIN + 8, 96, top)
    facts.write(text.site, 11, color=_GREY, below=3)
    facts.write(text.title, _title_size(text.title), face=_titles(curtain), bold=True, below=4)
    when, where, seats, reference = text.labels
    facts.add(when, text.when)
    facts.add(where, text.venue, text.address)
    facts.add(seats, text.seats)
    stub = _Column(page, edge - 8 - _QR_ON_PAPER, _QR_ON_PAPER, top, "C")
    if qr is not None:
        page.image(BytesIO(qr), x=stub.x, y=top, w=_QR_ON_PAPER, alt_text=text.code)
        stub.y += _QR_ON_PAPER + 1
    stub.write(text.void, 16, bold=True, below=4)
    stub.write(reference, 9, color=_GREY)
    stub.write(text.reference, 18, bold=True)
    bottom = max(facts.y, stub.y) + 6
    page.set_draw_color(*_GREY)
    page.set_line_width(0.3)
    page.rect(_MARGIN, _MARGIN, edge - _MARGIN, bottom - _MARGIN)
    page.set_dash_pattern(dash=2, gap=2)
    page.line(stub.x - 6, hem, stub.x - 6, bottom)
    hints = _Column(page, _MARGIN, edge - _MARGIN, bottom + 8)
    for hint in text.hints:
        hints.write(hint, 11, below=2)
    hints.bottom = page.h - _MARGIN
    for heading, told in text.way:
        hints.y += 3
        if hints.y < hints.bottom - _ROOM_FOR_MORE:
            hints.write(heading, 14, face=_titles(curtain), bold=True, below=1)
            hints.write(told, 11)
    return page.content()


def phone_ticket(text: TicketText, curtain: Curtain, qr: bytes | None) -> bytes:
    """The ticket as one page of a phone's width. The code comes first: it stays there whatever the title's length."""
    page = Sheet(_PHONE, text.document)
    page.add_page()
    hem = _draw_curtain(page, curtain, text.site, 0)
    column = _Column(page, 8, page.w - 16, hem + 4, "C")
    column.write(text.site, 10, color=_GREY, below=1)
    if qr is not None:
        page.image(BytesIO(qr), x=column.x, y=column.y, w=column.width, alt_text=text.code)
        column.y += column.width + 1
    column.write(text.void, 16, bold=True, below=4)
    column.write(text.reference, 18, bold=True, below=3)
    size = min(16, _title_size(text.title) - 2)
    column.write(text.title, size, face=_titles(curtain), bold=True, below=3)
    column.write(text.when, 12, bold=True, below=1)
    column.write(text.seats, 12, bold=True, below=1)
    column.write(text.venue, 12, below=1)
    column.write(text.address, 10, color=_GREY)
    return page.content()


def _draw_curtain(page: Sheet, curtain: Curtain, name: str, margin: float) -> float:
    """Draw the curtain across, `margin` from the edges, with its logo in the middle; where it ends."""
    page.set_fill_color(curtain.colour)
    height = _LOGO[1] + 2 * _LOGO_MARGIN if curtain.logo else _BAND
    page.rect(margin, margin, page.w - 2 * margin, height, "F")
    if curtain.logo:
        width, high = _LOGO
        page.image(
            BytesIO(curtain.logo),
            x=(page.w - width) / 2,
            y=margin + _LOGO_MARGIN,
            w=width,
            h=high,
            keep_aspect_ratio=True,
            alt_text=name,
        )
    return margin + height


@dataclass
class _Column:
    """A column of paragraphs; the next one begins at `y`."""

    page: Sheet
    x: float
    width: float
    y: float
    align: str = "L"
    bottom: float = _A4[1]  # a text that would go below is cut short

    def write(
        self,
        text: str,
        size: int,
        *,
        face: Path = FIGTREE,
        bold: bool = False,
        color: tuple[int, int, int] = _BLACK,
        below: float = 0,
    ) -> None:
        """Write a paragraph of `size` points with a space below it; an empty one takes none."""
        if not text:
            return
        page = self.page
        page.use(size, bold=bold, face=face)
        page.set_text_color(*color)
        base = auto_detect_base_direction(text)
        lines = list(page.lines(text, self.width))
        room = max(1, int((self.bottom - self.y) / (size * _LINE)))
        if len(lines) > room:
            lines[room - 1 :] = [lines[room - 1] + " …"]
        for line in lines:
            page.set_xy(self.x, self.y)
            page.put(line, self.width, size * _LINE, self.align, base)
            self.y += size * _LINE
        self.y += below

    def add(self, label: str, value: str, more: str = "") -> None:
        """Write a fact under its label."""
        self.write(label, 9, color=_GREY)
        self.write(value, 13, bold=True)
        self.write(more, 11)
        self.y += 3


def _titles(curtain: Curtain) -> Path:
    return BODONI if curtain.playbill else FIGTREE


def _title_size(title: str) -> int:
    return next(size for most, size in _TITLE_SIZES if len(title) <= most)

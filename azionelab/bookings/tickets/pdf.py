"""PDF sheets on which text of any script is set correctly.

Right to left where it is so, letters joined and marks in their place (HarfBuzz, through fpdf2), in
whatever font has them. fpdf2 puts the pieces of one line in their logical order and chooses fonts by
the character; here a line is cut into runs of one direction and one font, in visual order (UAX #9).
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from flask_babel import get_locale
from fpdf import FPDF
from fpdf.bidi import BidiParagraph, auto_detect_base_direction
from fpdf.enums import TextDirection
from fpdf.fonts import TTFFont
from fpdf.line_break import Fragment
from fpdf.prefs import ViewerPreferences
from fpdf.unicode_script import UnicodeScript, get_unicode_script

from azionelab.bookings.tickets.fonts import DEJAVU, bold_of, characters_of, font_for
from azionelab.theme.current import theatre_name

PAGES = "\x02pages\x03"
_NO_GLYPH = "\N{WHITE SQUARE}"
_JOINERS = "\u200c\u200d"  # they shape what stands around them
_UNSEEN = ("Cc", "Cf", "Zl", "Zp")  # controls; some could turn the order of what follows
_SPACES = re.compile(r"\s+")
_RIGHT_TO_LEFT = ("R", "AL", "AN")
_MARKS = ("Mn", "Me", "Mc")  # they only change what they follow
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAGS = range(0x1F1E6, 0x1F200)  # two letters make one
_WIDE = ("W", "F")  # a line may break beside these
_ANY_SCRIPT = (UnicodeScript.COMMON, UnicodeScript.UNKNOWN, UnicodeScript.INHERITED)


class Run(NamedTuple):
    """A piece of a line in its logical order: one font, script and direction."""

    text: str
    font: Path
    direction: TextDirection


class Sheet(FPDF):
    """A document in the current language, with a title, on which any text can be set."""

    def __init__(self, paper: Any, title: str) -> None:
        super().__init__(format=paper)
        self.set_lang(str(get_locale()))
        self.set_title(title)
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.set_author(theatre_name())
        self.set_auto_page_break(False)
        self.c_margin = 0
        # Stands for the number of pages: no text that somebody typed holds it (`_clusters`).
        self.alias_nb_pages(PAGES)
        self._size, self._bold, self._face = 10.0, False, DEJAVU[""]
        # For this document only: they are made of people's names.
        self._known_runs: dict[tuple[str, TextDirection | None, Path], list[Run]] = {}

    def use(self, size: float, *, bold: bool = False, face: Path = DEJAVU[""]) -> None:
        """Use `size` points from here on, of a `face` for the characters that it has."""
        self._size, self._bold, self._face = size, bold, face

    def width_of(self, text: str) -> float:
        """The width of a text in one line, in millimetres."""
        return sum(self._measure(run) for run in self._runs(text, None))

    def put(
        self,
        text: str,
        width: float,
        height: float,
        align: str = "L",
        base: TextDirection | None = None,
    ) -> None:
        """Write one line into a cell from here, and go on to the right of it."""
        left, top = self.x, self.y
        room = width - self.width_of(text)
        self.x = left + {"L": 0.0, "C": room / 2, "R": room}[align]
        for run in self._runs(text, base):
            self.cell(self._measure(run), height, run.text, new_x="RIGHT", new_y="TOP")
        self.set_xy(left + width, top)

    def write_lines(self, text: str, height: float, align: str = "L") -> None:
        """Write a paragraph between the margins, each line `height` millimetres high."""
        base = auto_detect_base_direction(text)
        for line in self.lines(text, self.epw):
            self.set_x(self.l_margin)
            self.put(line, self.epw, height, align, base)
            self.ln(height)

    def content(self) -> bytes:
        """The finished document."""
        content = bytes(self.output())
        for font in self.fonts.values():
            if isinstance(font, TTFFont):  # fpdf2 leaves those with coloured glyphs open
                font.ttfont.close()
        return content

    def lines(self, text: str, width: float) -> Iterator[str]:
        """The lines of a text, none wider than `width`."""
        line = ""
        for piece in _pieces(text):
            if line and self.width_of((line + piece).strip()) > width:
                yield line.strip()
                line = ""
            line = (line + piece).lstrip()
            while self.width_of(line) > width:
                fits = self.fitting(line, width)
                yield line[:fits]
                line = line[fits:]
        if line.strip():
            yield line.strip()

    def fitting(self, text: str, width: float) -> int:
        """How many characters of a text fit into a width, at least one."""
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (
                (middle, high) if self.width_of(text[:middle]) <= width else (low, middle - 1)
            )
        return low

    def _runs(self, text: str, base: TextDirection | None) -> list[Run]:
        key = text, base, self._face
        if key not in self._known_runs:
            self._known_runs[key] = runs(text, base, self._face)
        return self._known_runs[key]

    def _measure(self, run: Run) -> float:
        """The run's width; from here on, fpdf2 writes in its font and direction."""
        family, style = _family(run.font), "B" if self._bold else ""
        if family + style not in self.fonts:
            self.add_font(family, style, bold_of(run.font) if self._bold else run.font)
        self.set_font(family, style, self._size)
        self.set_text_shaping(True, direction=run.direction)
        return self.get_string_width(run.text)

    def _preload_bidirectional_text(self, text: str, markdown: bool) -> Sequence[Fragment]:
        # A run is in order already; fpdf2 would cut it once more, at marks that belong to any script.
        if not self.text_shaping or PAGES in text:
            return super()._preload_bidirectional_text(text, markdown)
        direction = self.text_shaping["direction"]
        self.text_shaping["paragraph_direction"] = direction
        self.text_shaping["fragment_direction"] = direction
        return (Fragment(text, self._get_current_graphics_state(), self.k),)


def runs(text: str, base: TextDirection | None = None, face: Path = DEJAVU[""]) -> list[Run]:
    """The pieces of one line from left to right, with glyphs that exist.

    What no font has becomes a square: fpdf2 would leave it out and write it into the log, and a name
    does not belong there. `base` is the paragraph's direction, by its first letter if not given; `face` the font for
    the characters that it has.
    """
    shown, fonts = "", []
    for cluster in _clusters(text):
        written, font = _writable(cluster, face)
        shown += written
        fonts += [font] * len(written)
    scripts = list(_scripts(shown))
    found = []
    placed = [(place, level, fonts[place], scripts[place]) for place, level in _order(shown, base)]
    for (level, font, _script), group in groupby(placed, key=lambda character: character[1:]):
        piece = "".join(shown[place] for place, *_ in group)
        direction = TextDirection.RTL if level % 2 else TextDirection.LTR
        found.append(Run(piece[::-1] if level % 2 else piece, font, direction))
    return found


def _order(text: str, base: TextDirection | None) -> list[tuple[int, int]]:
    """The positions of a line's characters from left to right, each with its level (UAX #9)."""
    if base != TextDirection.RTL and not any(
        unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text
    ):
        return [(place, 0) for place in range(len(text))]  # a good deal faster
    paragraph = BidiParagraph(text, base, preserve_bn_chars=True)
    in_order = paragraph.get_reordered_characters()
    return [(character.character_index, character.embedding_level) for character in in_order]


def _writable(cluster: str, face: Path) -> tuple[str, Path]:
    """The cluster and its font; without its marks, or as a square, when there is no font for it."""
    if font := font_for(cluster, face):
        return cluster, font
    if font := font_for(cluster[0], face):
        has = characters_of(font)
        return "".join(character for character in cluster if ord(character) in has), font
    return _NO_GLYPH, DEJAVU[""]


def _clusters(text: str) -> Iterator[str]:
    """Characters with the marks, joiners and emoji that belong to them."""
    cluster = ""
    for character in unicodedata.normalize("NFC", _SPACES.sub(" ", text)):
        category = unicodedata.category(character)
        if category in _UNSEEN and character not in _JOINERS:
            continue
        if cluster and not _goes_on(cluster, character, category):
            yield cluster
            cluster = ""
        if cluster or not (category in _MARKS or character in _JOINERS):
            cluster += character
    if cluster:
        yield cluster.rstrip(_JOINERS)


def _goes_on(cluster: str, character: str, category: str) -> bool:
    joined = cluster[-1] == "\u200d" and category == "So"
    flag = len(cluster) == 1 and ord(cluster) in _FLAGS and ord(character) in _FLAGS
    tone = ord(character) in _SKIN_TONES and unicodedata.category(cluster[0]) == "So"
    return category in _MARKS or character in _JOINERS or joined or flag or tone


def _scripts(text: str) -> Iterator[UnicodeScript]:
    """Each character's script; a common character has the script of the one before it."""
    current = UnicodeScript.COMMON
    for character in text:
        script = get_unicode_script(character)
        current = current if script in _ANY_SCRIPT else script
        yield current


def _pieces(text: str) -> Iterator[str]:
    """The pieces that a line may be broken between, each with the space before it."""
    for number, word in enumerate(" ".join(text.split()).split(" ")):
        piece = " " if number else ""
        for cluster in _clusters(word):
            wide = unicodedata.east_asian_width(cluster[0]) in _WIDE
            if wide and piece.strip():
                yield piece
                piece = ""
            piece += cluster
            if wide:
                yield piece
                piece = ""
        if piece:
            yield piece


def _family(font: Path) -> str:
    return font.stem.casefold()

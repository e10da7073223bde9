"""What is printed: sheets in the theatre's font, and which texts that font can write."""

import unicodedata
from pathlib import Path

from flask_babel import get_locale
from fpdf import FPDF
from fpdf.bidi import BidiParagraph

FONT = "DejaVu"  # most of the world's alphabets: a title may be in any
_FONTS = Path(__file__).resolve().parent / "fonts"
_NO_GLYPH = "\N{WHITE SQUARE}"
_UNSEEN = ("Cc", "Cf")  # controls and joiners; some could turn the order of what follows
_MARKS = ("Mn", "Me")  # they only change what they follow
_RIGHT_TO_LEFT = ("R", "AL", "AN")


def prepare(paper: FPDF, title: str) -> None:
    """Give an empty document its font, its title, and the current language."""
    paper.set_lang(str(get_locale()))
    paper.set_title(title)
    paper.add_font(FONT, fname=_FONTS / "DejaVuSans.ttf")
    paper.add_font(FONT, "B", fname=_FONTS / "DejaVuSans-Bold.ttf")
    paper.set_auto_page_break(False)


def printable(paper: FPDF, text: str) -> str:
    """`text` in one line, as it is read, of glyphs that the font in use has.

    What it has not becomes a square: fpdf2 would write it into the log, and a name does not belong
    there. Right-to-left text is put into the order in which it stands on paper.
    """
    glyphs = paper.current_font.cmap  # type: ignore[union-attr]  # ours are no built-in fonts
    shown = ""
    for character in unicodedata.normalize("NFC", " ".join(text.split())):
        category = unicodedata.category(character)
        if category in _UNSEEN:
            continue
        if ord(character) in glyphs:
            shown += character
        elif category not in _MARKS:
            shown += _NO_GLYPH
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in shown):
        return BidiParagraph(text=shown).get_reordered_string()
    return shown

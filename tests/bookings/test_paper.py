"""Any text on paper: in its order, joined, in a font that has it, or visibly not."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_babel import force_locale
from fpdf.enums import TextDirection
from PIL import Image, ImageChops, ImageOps
from pypdf import PdfReader

from azionelab.bookings.tickets import fonts
from azionelab.bookings.tickets.pdf import Sheet, runs

pytestmark = pytest.mark.usefixtures("in_app")

SCRIPTS = {
    "Arabic": "مسرحية الليلة",
    "Hebrew": "שלום עליכם",
    "Hindi": "हिन्दी रंगमंच",
    "Thai": "โรงละครน้ำ",
    "Chinese": "樱桃园",
    "Japanese": "桜の園",
    "Korean": "벚꽃",
    "emoji": "🎭🌸👍🏽🇮🇹",
    "Tamil": "தமிழ்",
    "Persian": "نمی‌خواهم",
}


@pytest.fixture
def no_other_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine on which no font is installed."""
    monkeypatch.setattr(fonts, "_installed", dict)
    fonts.font_for.cache_clear()
    yield
    fonts.font_for.cache_clear()


def shown(text: str) -> list[str]:
    return [run.text for run in runs(text)]


def a_sheet() -> Sheet:
    with force_locale("en"):
        sheet = Sheet((120, 20), "A title")
    sheet.set_margin(2)
    sheet.add_page()
    sheet.use(20)
    return sheet


def picture(sheet: Sheet, folder: Path) -> Image.Image:
    """The first page as a printer would have it."""
    paper = folder / "sheet.pdf"
    paper.write_bytes(sheet.content())
    subprocess.run(["pdftoppm", "-r", "60", "-gray", "-singlefile", paper, paper], check=True)
    with Image.open(f"{paper}.pgm") as image:
        return image.convert("L")


def written(text: str, folder: Path) -> Image.Image:
    sheet = a_sheet()
    sheet.put(text, 100, 12)
    return picture(sheet, folder)


def ink(image: Image.Image) -> tuple[int, int, int, int] | None:
    return ImageOps.invert(image).getbbox()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Zoë  Nguyen\n", ["Zoë Nguyen "]),
        ("Zoe\u0308", ["Zoë"]),
        ("שלום", ["שלום"]),
        ("Ada (שלום) x", ["Ada (", "שלום", ") ", "x"]),
        ("Ada שלום 123 (x) end", ["Ada ", "123", "שלום ", " (", "x) end"]),  # UAX #9, N1 and L2
        ("שלום 2031 (Ada)", [")", "Ada", " (", "2031", "שלום "]),
        ("a\u202eb\u200d", ["ab"]),  # nothing turns round what follows
        ("\u0301", []),
        ("", []),
    ],
)
def test_a_line_is_cut_into_pieces_from_left_to_right(text: str, pieces: list[str]) -> None:
    """Each piece in its own logical order: HarfBuzz turns it, and its brackets."""
    assert shown(text) == pieces


@pytest.mark.usefixtures("no_other_fonts")
@pytest.mark.parametrize(
    ("text", "squares"),
    [
        ("张伟 Zhang", "□□ Zhang"),
        ("🌸\u200d Sakura", "□ Sakura"),
        ("हिन्दी", "□□□"),
        ("👩‍👩‍👧", "□"),
    ],
)
def test_what_no_font_has_is_seen_to_be_missing(text: str, squares: str) -> None:
    assert "".join(shown(text)) == squares
    assert not {run.font for run in runs(text)} - {fonts.DEJAVU[""]}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_what_a_font_of_the_machine_has_is_printed(text: str, tmp_path: Path) -> None:
    assert "□" not in "".join(shown(text)), (
        "install the fonts (Debian: `apt-get install fonts-noto-core fonts-noto-color-emoji"
        " fonts-wqy-microhei`)"
    )
    sheet = a_sheet()
    width = sheet.width_of(text)
    sheet.put(text, 100, 12)
    box = ink(picture(sheet, tmp_path))
    assert box is not None
    # At 60 dots an inch: the ink is as wide as what was measured, so nothing is left out.
    assert (box[2] - box[0]) / 60 * 25.4 == pytest.approx(width, abs=2)


def test_hebrew_stands_from_right_to_left(tmp_path: Path) -> None:
    one_by_one = a_sheet()
    for letter in reversed("שלום"):
        one_by_one.put(letter, one_by_one.width_of(letter), 12)
    expected = picture(one_by_one, tmp_path)
    assert ImageChops.difference(written("שלום", tmp_path), expected).getbbox() is None
    backwards = written("םולש", tmp_path)
    assert ImageChops.difference(backwards, expected).getbbox() is not None


@pytest.mark.parametrize("word", ["سلام", "क्षत्रिय", "👩‍👩‍👧"])
def test_letters_join(word: str) -> None:
    sheet = a_sheet()
    apart = sum(sheet.width_of(letter) for letter in word if letter != "\u200d")
    assert sheet.width_of(word) < apart * 0.95
    sheet.content()


def test_marks_of_any_script_do_not_part_what_they_stand_on() -> None:
    (run,) = runs("مُحَمَّد")
    assert run.direction == TextDirection.RTL


@pytest.mark.parametrize("text", ["word " * 60, "桜の園" * 60, "ไทย" * 60, "A" * 200, "שלום " * 60])
def test_a_long_text_is_broken_into_lines(text: str) -> None:
    sheet = a_sheet()
    sheet.use(10)
    lines = list(sheet.lines(text, sheet.epw))
    sheet.content()
    assert len(lines) > 1
    assert all(sheet.width_of(line) <= sheet.epw for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_document_says_what_it_is(tmp_path: Path) -> None:
    written("Ada", tmp_path)
    read = PdfReader(tmp_path / "sheet.pdf")
    assert read.metadata is not None
    assert (read.metadata.title, read.metadata.author) == ("A title", "AzioneLab")
    assert read.root_object["/Lang"] == "en"
    assert read.root_object["/ViewerPreferences"]["/DisplayDocTitle"]

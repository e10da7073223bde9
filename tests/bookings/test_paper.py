"""What can be printed of a text."""

import pytest
from flask_babel import force_locale
from fpdf import FPDF

from azionelab.bookings.paper import FONT, prepare, printable

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë  Nguyen\n", "Zoë Nguyen"),
        ("Zoe\u0308", "Zoë"),
        ("שלום", "םולש"),  # in the order of paper, from the left
        ("Ada (שלום)", "Ada (םולש)"),
        ("张伟 Zhang", "□□ Zhang"),
        ("🌸\u200d Sakura", "□ Sakura"),
        ("a\u202eb\u200d", "ab"),  # nothing turns round what follows
        ("", ""),
    ],
)
def test_texts_are_printed_as_they_are_read(text: str, shown: str) -> None:
    paper = FPDF()
    with force_locale("en"):
        prepare(paper, "A title")
    paper.set_font(FONT, "", 10)
    printed = printable(paper, text)
    paper.output()  # closes the fonts
    assert printed == shown

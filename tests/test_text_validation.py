"""Validation of typed text, in every place where it is typed."""

import pytest

from azionelab.bookings.pages.visitor_input import clean_name
from azionelab.validation.email_addresses import parse_sender_address
from azionelab.validation.text import is_multiline_text, is_one_line, remove_bidi_controls

TURNING = [*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u206a\u206f\ufff9"]
# Joiners of Persian and Hindi, a family's emoji, marks that say on which side a full stop belongs.
HARMLESS = [
    "زینت\u200cنور",
    "क्\u200dष",
    "👩\u200d👩\u200d👧",
    "\u200fאבי.",
    "Ada\u200e!",
    "\u061cعلي",
]


@pytest.mark.parametrize("turning", TURNING)
def test_bidi_controls_are_refused(turning: str) -> None:
    assert not is_one_line(f"Ada{turning}issoR")
    assert remove_bidi_controls(f"Ada{turning}issoR") == "AdaissoR"
    with pytest.raises(ValueError, match="cannot be displayed"):
        clean_name(f"Ada{turning}issoR")
    with pytest.raises(ValueError, match="address"):
        parse_sender_address(f"Ada{turning}issoR <ada@example.org>")


@pytest.mark.parametrize("wrong", [*TURNING, "\0", "\x1b", "\x85", "\u2028", "\r"])
def test_each_line_of_a_text_is_checked(wrong: str) -> None:
    assert is_multiline_text("Ada\n\n\tRossi")
    assert not is_multiline_text(f"Ada\n{wrong}issoR")


@pytest.mark.parametrize("text", HARMLESS)
def test_joiners_and_marks_are_kept(text: str) -> None:
    assert is_one_line(text)
    assert clean_name(text) == remove_bidi_controls(text) == text


def test_bidi_isolates_around_a_name_are_stripped() -> None:
    assert clean_name(" \u2068Ada  Rossi\u2069 ") == "Ada Rossi"
    assert clean_name("\u202a \u2068אבי\u2069\u202c") == "אבי"

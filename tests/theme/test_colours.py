"""Contrast, the nearest colour that can be read, and the tones of an accent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azionelab.theme.colours import (
    CONTRAST,
    DARK_GROUNDS,
    LIGHT_GROUNDS,
    ON_ACCENT,
    SHIPPED_ACCENT,
    contrast,
    is_readable,
    nearest_readable,
    palettes,
)
from azionelab.theme.stylesheet import file_name, find_stylesheet

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#ffffff", "#000000", 21), ("#777777", "#ffffff", 4.48), ("#0000ff", "#ffffff", 8.59)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(other, one) == contrast(one, other)
    assert contrast(one, one) == 1


@given(COLOURS)
def test_the_nearest_colour_can_be_read_and_one_that_can_stays(accent: str) -> None:
    nearest = nearest_readable(accent)
    assert is_readable(nearest)
    assert (nearest == accent) == is_readable(accent)
    for ground in (*LIGHT_GROUNDS, ON_ACCENT):
        assert contrast(nearest, ground) >= CONTRAST


@given(COLOURS)
def test_every_tone_of_an_accent_can_be_read_where_it_stands(accent: str) -> None:
    light, dark = palettes(nearest_readable(accent))
    for palette, grounds in ((light, LIGHT_GROUNDS), (dark, DARK_GROUNDS)):
        assert all(contrast(palette.link, ground) >= CONTRAST for ground in grounds)
        for ground in (palette.action, palette.action_deep, palette.curtain, palette.fold):
            assert contrast(ON_ACCENT, ground) >= CONTRAST


def test_the_nearest_colour_is_not_simply_black() -> None:
    orange = nearest_readable("#ff8800")
    assert contrast(orange, LIGHT_GROUNDS[0]) < CONTRAST + 0.2
    red, green, blue = (int(orange[place : place + 2], 16) for place in (1, 3, 5))
    assert red > green > blue


def test_a_stylesheet_has_one_address_and_others_have_none() -> None:
    name = file_name("#14532d")
    assert "--link:#14532d" in (find_stylesheet(name) or "")
    assert file_name(SHIPPED_ACCENT) == file_name("") == ""
    for wrong in ("14532d-000000000000.css", "ffff00-" + name[7:], "zzzzzz-1.css", "../x.css", ""):
        assert find_stylesheet(wrong) is None

"""The accent colour: whether it can be read, the nearest that can, and the tones that pages are made of.

Contrast is that of WCAG 2.2 (1.4.3, 4.5:1). Tones differ in OKLCH's lightness, which keeps the hue; a tone that sRGB
cannot show loses chroma. Colours are `#rrggbb`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import atan2, cos, hypot, sin

CONTRAST = 4.5
SHIPPED_ACCENT = "#7a1527"
# Grounds of static_frontend/src/styles/colours.css, and what is written on the accent.
LIGHT_GROUNDS = ("#f8f2e7", "#fffaf2")
DARK_GROUNDS = ("#15100e", "#211916")
ON_ACCENT = "#fff6e8"
_STEPS = 400  # of lightness
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Palette:
    """The tones of a scheme, as the custom properties of colours.css name them."""

    link: str
    action: str
    action_deep: str
    curtain: str
    fold: str


def is_colour(text: str) -> bool:
    """Whether a text is a colour as it is stored: `#rrggbb` in lower case."""
    return bool(_COLOUR.fullmatch(text))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def is_readable(accent: str) -> bool:
    """Whether links of this colour on light grounds, and light text on it, have the contrast.

    On dark grounds a lighter tone of it takes its place, which always exists.
    """
    return _reads_on(accent, (*LIGHT_GROUNDS, ON_ACCENT))


def nearest_readable(accent: str) -> str:
    """The colour of the same hue whose lightness is nearest and that can be read; itself if it can."""
    return _nearest(accent, (*LIGHT_GROUNDS, ON_ACCENT))


@cache
def palettes(accent: str) -> tuple[Palette, Palette]:
    """The tones of an accent that can be read: for the light and for the dark scheme."""
    light = Palette(
        link=accent,
        action=accent,
        action_deep=_with_lightness(accent, _lightness(accent) - 0.08),
        curtain=_with_lightness(accent, min(_lightness(accent), 0.35)),
        fold=_with_lightness(accent, min(_lightness(accent), 0.35) - 0.09),
    )
    dark_action = _nearest(_with_lightness(accent, 0.48), (ON_ACCENT,))
    dark = Palette(
        link=_nearest(_with_lightness(accent, 0.78), DARK_GROUNDS),
        action=dark_action,
        action_deep=_with_lightness(dark_action, _lightness(dark_action) - 0.06),
        curtain=_with_lightness(accent, 0.31),
        fold=_with_lightness(accent, 0.23),
    )
    return light, dark


def _reads_on(colour: str, grounds: Sequence[str]) -> bool:
    return all(contrast(colour, ground) >= CONTRAST for ground in grounds)


def _nearest(colour: str, grounds: Sequence[str]) -> str:
    if _reads_on(colour, grounds):
        return colour
    start = _lightness(colour)
    tones = sorted(range(_STEPS + 1), key=lambda step: abs(step / _STEPS - start))
    return next(
        tone
        for tone in (_with_lightness(colour, step / _STEPS) for step in tones)
        if _reads_on(tone, grounds)
    )


def _luminance(colour: str) -> float:
    red, green, blue = map(_linear, _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _lightness(colour: str) -> float:
    return _oklab(colour)[0]


def _with_lightness(colour: str, lightness: float) -> str:
    """The colour with another lightness, and as much of its chroma as sRGB can show."""
    _, a, b = _oklab(colour)
    chroma, hue = hypot(a, b), atan2(b, a)
    lightness = min(max(lightness, 0), 1)
    low, high = 0.0, chroma
    shown = _from_oklab(lightness, chroma * cos(hue), chroma * sin(hue))
    if not _in_gamut(shown):
        for _ in range(20):
            middle = (low + high) / 2
            if _in_gamut(_from_oklab(lightness, middle * cos(hue), middle * sin(hue))):
                low = middle
            else:
                high = middle
        shown = _from_oklab(lightness, low * cos(hue), low * sin(hue))
    return "#" + "".join(f"{round(255 * _gamma(min(max(part, 0), 1))):02x}" for part in shown)


def _in_gamut(linear: _Rgb) -> bool:
    return all(-1e-4 <= part <= 1 + 1e-4 for part in linear)


def _rgb(colour: str) -> _Rgb:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _gamma(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)


def _oklab(colour: str) -> _Rgb:
    # Björn Ottosson, "A perceptual color space for image processing" (2020).
    red, green, blue = map(_linear, _rgb(colour))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _from_oklab(lightness: float, a: float, b: float) -> _Rgb:
    """Linear sRGB, perhaps beyond what it can show."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )

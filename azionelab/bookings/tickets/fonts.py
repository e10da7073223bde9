"""Finds a font for a text: those that are part of the application, else an installed one.

Noto from Debian is in the image (docker/backend/Dockerfile). Elsewhere none is required: a character without a
glyph is shown as a square (`pdf.Sheet`).
"""

import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont, TTLibError

_OURS = Path(__file__).resolve().parent / "fonts"
DEJAVU = {"": _OURS / "DejaVuSans.ttf", "B": _OURS / "DejaVuSans-Bold.ttf"}
# The faces of visitors' pages, for Latin letters. There is one weight of Bodoni, for titles.
FIGTREE = _OURS / "Figtree-Regular.ttf"
BODONI = _OURS / "BodoniModa-SemiBold.ttf"
_BOLD = {DEJAVU[""]: DEJAVU["B"], FIGTREE: _OURS / "Figtree-Bold.ttf", BODONI: BODONI}
# Where fontconfig looks on Linux, then macOS.
_DIRECTORIES = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/Library/Fonts",
)
# For scripts without a font of their own: file names without suffix, the best first.
_FOR_MANY = (
    "NotoColorEmoji",
    "NotoSans-Regular",
    "wqy-microhei",
    "NotoSansCJK-Regular",
    "DroidSansFallbackFull",
    "NotoSansSymbols-Regular",
    "NotoSansSymbols2-Regular",
    "NotoSansMath-Regular",
    "Symbola_hint",
)


@cache
def font_for(cluster: str, first: Path = DEJAVU[""]) -> Path | None:
    """The regular font that has each character of a cluster (a letter and its marks): `first` if it has."""
    wanted = {ord(character) for character in cluster}
    fonts = (first, *_candidates(cluster[0]))
    return next((font for font in fonts if wanted <= characters_of(font)), None)


def bold_of(font: Path) -> Path:
    """The bold font of the same family, or the same one when there is none."""
    if font in _BOLD:
        return _BOLD[font]
    return _installed().get(font.stem.replace("-Regular", "-Bold").casefold(), font)


@cache
def characters_of(font: Path) -> frozenset[int]:
    """The code points that a font has glyphs for; empty when it cannot be read."""
    try:
        with TTFont(font, fontNumber=0, lazy=True) as read:
            return frozenset(read.getBestCmap() or ())
    except (OSError, TTLibError):
        return frozenset()


def _candidates(character: str) -> Iterator[Path]:
    yield DEJAVU[""]
    # "OLD ITALIC LETTER A" is in NotoSansOldItalic, "THAI CHARACTER KO KAI" in NotoSansThai.
    words = unicodedata.name(character, "").split(" ")
    scripts = ["".join(words[:count]) for count in (1, 2, 3)]
    own = [f"Noto{style}{script}-Regular" for script in scripts for style in ("Sans", "Serif")]
    for name in (*own, *_FOR_MANY):
        if font := _installed().get(name.casefold()):
            yield font


@cache
def _installed() -> dict[str, Path]:
    """The installed fonts by file name without suffix, in lower case."""
    found: dict[str, Path] = {}
    for directory in _DIRECTORIES:
        for font in sorted(Path(directory).expanduser().rglob("*.[to]t[fc]")):
            found.setdefault(font.stem.casefold(), font)
    return found

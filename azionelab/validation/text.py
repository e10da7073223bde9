"""Validation of typed text: control characters, bidi controls, visible characters."""

import re
import unicodedata

# Invisible although their Unicode category is letter or symbol: Hangul fillers, Braille's empty cell.
_BLANK = "\u115f\u1160\u3164\uffa0\u2800"

# Embeddings, overrides and isolates reorder the text around them (Unicode UAX 9); the deprecated format
# characters and interlinear annotations change it in other ways. No name needs them. Direction marks and the
# joiners of Persian, Hindi and emoji are allowed.
_BIDI_CONTROLS = "".join(
    map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x2070), *range(0xFFF9, 0xFFFC)))
)

_BIDI_CONTROL = re.compile(f"[{_BIDI_CONTROLS}]")


def is_one_line(text: str) -> bool:
    """Whether a text has no line breaks, control characters or bidi controls."""
    return not any(
        unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in _BIDI_CONTROLS for c in text
    )


def is_multiline_text(text: str) -> bool:
    """The same for each line of a multi-line text; tabs are allowed."""
    return all(is_one_line(line) for line in text.replace("\t", " ").split("\n"))


def strip_edges(text: str) -> str:
    """Strip spaces and bidi controls from both ends: phones paste names inside isolates."""
    return text.strip(" " + _BIDI_CONTROLS)


def remove_bidi_controls(text: str) -> str:
    """Remove all bidi controls."""
    return _BIDI_CONTROL.sub("", text)


def first_visible_character(text: str) -> str:
    """The first visible character; "" when there is none."""
    return next((character for character in text if _is_visible(character)), "")


def has_visible_character(text: str) -> bool:
    """Whether a text is more than spaces and zero-width characters."""
    return any(_is_visible(character) for character in text)


def _is_visible(character: str) -> bool:
    # Not visible alone: combining marks (M), separators (Z), control and format characters (C).
    return unicodedata.category(character)[0] in "LNPS" and character not in _BLANK


def paragraphs(text: str) -> list[list[str]]:
    """Split a text at its empty lines; each paragraph is a list of lines."""
    divided: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.strip():
            divided[-1].append(line.strip())
        elif divided[-1]:
            divided.append([])
    return [lines for lines in divided if lines]

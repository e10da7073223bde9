"""Texts that people typed: what may be in a line, as a name, a label or a password, and in several."""

import re
import unicodedata

# Letters and a symbol by their category, and yet nothing is seen of them: Hangul fillers, Braille's
# empty cell.
_BLANK = "\u115f\u1160\u3164\uffa0\u2800"

# Embeddings, overrides and isolates turn the order of what stands around them (Unicode's UAX 9); the
# deprecated shapes and the interlinear annotations change it in other ways. Nobody's name needs them:
# the direction marks, and the joiners of Persian, Hindi and emoji, are not among them.
_DIRECTIONS = "".join(
    map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x2070), *range(0xFFF9, 0xFFFC)))
)

_TURNING = re.compile(f"[{_DIRECTIONS}]")


def is_one_line(text: str) -> bool:
    """Whether a text has no line breaks, no control characters, and nothing that turns its neighbours."""
    return not any(
        unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in _DIRECTIONS for c in text
    )


def is_multiline_text(text: str) -> bool:
    """Whether a text of several lines has none of that within its lines, but for tabs."""
    return all(is_one_line(line) for line in text.replace("\t", " ").split("\n"))


def strip_edges(text: str) -> str:
    """The text without the spaces and directions around it: phones paste names within isolates."""
    return text.strip(" " + _DIRECTIONS)


def remove_bidi_controls(text: str) -> str:
    """The text as it stands, with nothing that turns its neighbours."""
    return _TURNING.sub("", text)


def first_visible_character(text: str) -> str:
    """The first character of which something is seen; "" when there is none."""
    return next((character for character in text if _is_seen(character)), "")


def has_visible_character(text: str) -> bool:
    """Whether something is to be seen in a text: spaces and zero-width characters alone name nothing."""
    return any(_is_seen(character) for character in text)


def _is_seen(character: str) -> bool:
    # Marks alone (M) sit on nothing; spaces (Z) and what only steers others (C) cannot be read either.
    return unicodedata.category(character)[0] in "LNPS" and character not in _BLANK

"""Texts of one line: names, labels, passwords."""

import unicodedata

# Letters and a symbol by their category, and yet nothing is seen of them: Hangul fillers, Braille's
# empty cell.
_BLANK = "\u115f\u1160\u3164\uffa0\u2800"


def is_one_line(text: str) -> bool:
    """Whether a text has neither line breaks nor control characters, which cannot be kept."""
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)


def is_seen(text: str) -> bool:
    """Whether something is to be seen in a text: spaces and zero-width characters alone name nothing."""
    return any(_is_seen(character) for character in text)


def _is_seen(character: str) -> bool:
    # Marks alone (M) sit on nothing; spaces (Z) and what only steers others (C) cannot be read either.
    return unicodedata.category(character)[0] in "LNPS" and character not in _BLANK

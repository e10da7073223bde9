"""Texts of one line: names, labels, passwords."""

import unicodedata


def is_one_line(text: str) -> bool:
    """Whether a text has neither line breaks nor control characters, which cannot be kept."""
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)

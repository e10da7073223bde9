"""Whether somebody is called as was typed at the door.

A phone without a network finds people by the same rule (static_frontend/src/door/names.ts); both are
tested with the table tests/checkin/names.json.
"""

import re
from unicodedata import category, normalize

# Letters that are no other letter with a mark on it, and what is typed for want of them.
_LETTERS = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h",
        "ı": "i", "ς": "σ",
    }
)  # fmt: skip
_APOSTROPHES = re.compile("['`´‘’‛ʹʻʼʽʾʿ′＇]")
_GAPS = re.compile(r"[\s‐‑‒–—-]+")


def fold(text: str) -> str:
    """A name as it is compared: without case, accents and apostrophes, one space between its words."""
    bare = "".join(sign for sign in normalize("NFD", text) if category(sign)[0] != "M")
    letters = _APOSTROPHES.sub("", bare.lower()).translate(_LETTERS)
    return _GAPS.sub(" ", letters).strip()


def is_called(name: str, wanted: str) -> bool:
    """Whether each word of `wanted` is somewhere in `name`, both of them folded."""
    return all(word in name for word in wanted.split(" "))

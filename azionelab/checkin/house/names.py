"""Whether somebody is called as was typed, at the door or in the back office.

A phone without a network finds people by the same rule (static_frontend/src/door/names.ts), and the
database by `called`; all are tested with the table tests/checkin/names.json.
"""

import re
import sys
from functools import cache
from unicodedata import category, normalize

from sqlalchemy import ColumnElement, and_, false, func, literal_column, or_
from sqlalchemy.orm import InstrumentedAttribute

# Letters that are no other letter with a mark on it, and what is typed for want of them.
_LETTERS = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h",
        "ı": "i", "ς": "σ",
    }
)  # fmt: skip
# The second way to write some letters, beside leaving their marks out.
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}
_BOTH_CASES = str.maketrans(_UMLAUTS | {sign.upper(): two for sign, two in _UMLAUTS.items()})
_CAPITALS, _SMALL = "ẞÆŒØŁĐÐÞĦ", "ßæœøłđðþħ"
_APOSTROPHE_SIGNS = "'`´‘’‛ʹʻʼʽʾʿ′＇"
_APOSTROPHES = re.compile(f"[{_APOSTROPHE_SIGNS}]")
_GAPS = re.compile(r"[\s‐‑‒–—-]+")


def fold(text: str) -> str:
    """A name as it is compared: without case, accents and apostrophes, one space between its words."""
    return _GAPS.sub(" ", _APOSTROPHES.sub("", plain_letters(text))).strip()


def plain_letters(text: str) -> str:
    """A text in small letters without their accents: "lodz, strasse" for "Łódź, Straße"."""
    bare = "".join(sign for sign in normalize("NFD", text) if category(sign)[0] != "M")
    return bare.lower().translate(_LETTERS)


def spellings(text: str) -> list[str]:
    """A name folded in each way in which it is typed: "jurgen" and "juergen" for "Jürgen"."""
    return list(dict.fromkeys((fold(text), fold(normalize("NFC", text).translate(_BOTH_CASES)))))


def is_called(name: str, wanted: list[str]) -> bool:
    """Whether in one of the spellings `wanted` each word is somewhere in one of `name`."""
    known = " ".join(spellings(name))
    return any(all(word in known for word in one.split(" ")) for one in wanted)


def called(name: InstrumentedAttribute[str], typed: str) -> ColumnElement[bool]:
    """The condition that `is_called` asks, for the database; nobody is called by no letter.

    It reads each row: names are kept for RETENTION_DAYS only, so that these are some ten thousand.
    """
    nfc: ColumnElement[str] = func.normalize(name, literal_column("NFC"))
    for sign, two in _BOTH_CASES.items():
        nfc = func.replace(nfc, chr(sign), two)
    known = _folded(name).concat(" ").concat(_folded(nfc))
    return or_(
        false(),
        *(
            and_(*(known.contains(word, autoescape=True) for word in one.split(" ")))
            for one in spellings(typed)
            if one
        ),
    )


def _folded(name: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[str]:
    """As `fold`, but for the gaps between words, which make no difference to what a word is in."""
    parted = func.normalize(name, literal_column("NFD"))
    bare = func.regexp_replace(parted, _marks(), "", "g")
    # In the database's own locale: with "C" the capitals of Greek and Cyrillic stay as they are. The
    # Latin ones below are made small in any.
    letters: ColumnElement[str] = func.lower(
        func.translate(bare, _CAPITALS + _APOSTROPHE_SIGNS, _SMALL)
    )
    for sign, plain in _LETTERS.items():
        letters = func.replace(letters, chr(sign), plain)
    return letters


@cache
def _marks() -> str:
    """A regular expression for PostgreSQL: the signs that `fold` leaves out."""
    found = [code for code in range(sys.maxunicode + 1) if category(chr(code))[0] == "M"]
    known = set(found)
    starts = [code for code in found if code - 1 not in known]
    ends = [code for code in found if code + 1 not in known]
    spans = (f"\\U{one:08x}-\\U{other:08x}" for one, other in zip(starts, ends, strict=True))
    return f"[{''.join(spans)}]"

"""Matching of names against typed queries, for the door and the back office.

The rule exists three times: here, as an SQL condition (`name_matches_sql`), and in the door app
(static_frontend/src/door/rules/name-matching.ts). All are tested with the table tests/checkin/names.json.
"""

import re
import sys
from functools import cache
from unicodedata import category, normalize

from sqlalchemy import ColumnElement, and_, false, func, literal_column, or_
from sqlalchemy.orm import InstrumentedAttribute

# Letters that do not decompose into a letter and a mark, and how people type them.
_LETTERS = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h",
        "ı": "i", "ς": "σ",
    }
)  # fmt: skip
# Alternative spellings of letters, besides dropping their marks.
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}
_BOTH_CASES = str.maketrans(_UMLAUTS | {sign.upper(): two for sign, two in _UMLAUTS.items()})
_CAPITALS, _SMALL = "ẞÆŒØŁĐÐÞĦ", "ßæœøłđðþħ"
_APOSTROPHE_SIGNS = "'`´‘’‛ʹʻʼʽʾʿ′＇"
_APOSTROPHES = re.compile(f"[{_APOSTROPHE_SIGNS}]")
_GAPS = re.compile(r"[\s‐‑‒–—-]+")


def fold(text: str) -> str:
    """Normalise a name for comparison: no case, accents or apostrophes, one space between words."""
    return _GAPS.sub(" ", _APOSTROPHES.sub("", plain_letters(text))).strip()


def plain_letters(text: str) -> str:
    """Lower-case letters without accents: "lodz, strasse" for "Łódź, Straße"."""
    if text.isascii():
        return text.lower()
    bare = "".join(sign for sign in normalize("NFD", text) if category(sign)[0] != "M")
    return bare.lower().translate(_LETTERS)


def spellings(text: str) -> list[str]:
    """A name folded in each of its usual spellings: "jurgen" and "juergen" for "Jürgen"."""
    return list(dict.fromkeys((fold(text), fold(normalize("NFC", text).translate(_BOTH_CASES)))))


def matches_name(name: str, wanted: list[str]) -> bool:
    """Whether for one of the spellings `wanted` all of its words occur in the spellings of `name`."""
    known = " ".join(spellings(name))
    return any(all(word in known for word in one.split(" ")) for one in wanted)


def name_matches_sql(name: InstrumentedAttribute[str], typed: str) -> ColumnElement[bool]:
    """`matches_name` as an SQL condition; false for a query without letters.

    It reads every row, some ten thousand: names are kept for RETENTION_DAYS only.
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
    """`fold` in SQL, without normalising the spaces: they make no difference to `contains`."""
    parted = func.normalize(name, literal_column("NFD"))
    bare = func.regexp_replace(parted, _marks(), "", "g")
    # lower() depends on the database's locale: with "C" Greek and Cyrillic capitals stay. Those in _CAPITALS are
    # translated in any locale.
    letters: ColumnElement[str] = func.lower(
        func.translate(bare, _CAPITALS + _APOSTROPHE_SIGNS, _SMALL)
    )
    for sign, plain in _LETTERS.items():
        letters = func.replace(letters, chr(sign), plain)
    return letters


@cache
def _marks() -> str:
    """A PostgreSQL regular expression for the combining marks that `fold` removes."""
    found = [code for code in range(sys.maxunicode + 1) if category(chr(code))[0] == "M"]
    known = set(found)
    starts = [code for code in found if code - 1 not in known]
    ends = [code for code in found if code + 1 not in known]
    spans = (f"\\U{one:08x}-\\U{other:08x}" for one, other in zip(starts, ends, strict=True))
    return f"[{''.join(spans)}]"

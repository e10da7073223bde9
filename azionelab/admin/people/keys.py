"""What the index of people has to hold for a text to be found: those of the migration people_search, for queries. No database.

A key is three letters in a row of a folded word, with two spaces before the word and one behind it.
"""

import re

from azionelab.checkin.house.name_matching import spellings

MIN_TOLERANT = 4  # letters of a word in which one may be wrong
_SIGNS = '-.,;:@_+/\\()[]{}<>|=~^$&"!?*#%'
_GAPS = re.compile(rf"[{re.escape(_SIGNS)}\s]+")
_ASCII_GAPS = str.maketrans(dict.fromkeys(_SIGNS, " ") | dict.fromkeys("'`"))


def words_of(text: str) -> list[str]:
    """The folded words of a text, in all its spellings."""
    if text.isascii():  # has one spelling; thousands of rows are compared
        return text.lower().translate(_ASCII_GAPS).split()
    return list(dict.fromkeys(" ".join(map(_parted, spellings(text))).split()))


def exact_keys(typed: str) -> list[set[str]]:
    """The keys of rows that have all words of a text, for each of its spellings.

    A word is found in the middle of another one from three letters on; a shorter one only begins it.
    """
    found = [
        {key for word in words for key in _keys_within(word)}
        for words in (_parted(one).split() for one in spellings(typed))
        if words
    ]
    return [keys for place, keys in enumerate(found) if keys not in found[:place]]


def near_keys(typed: str) -> list[set[str]]:
    """The keys of rows that may have the words with one typing error in one of them; NearWords has the last word."""
    words = _parted(spellings(typed)[0]).split()
    return [
        needed.union(*(_keys_within(other) for other in words if other is not word))
        for word in words
        if len(word) >= MIN_TOLERANT
        for needed in _left_by_an_error(word)
    ]


class NearWords:
    """Compares words with a text that has perhaps one typing error. It remembers words, which recur in rows."""

    def __init__(self, typed: str) -> None:
        self._typed = _parted(spellings(typed)[0]).split()
        self._errors: dict[str, list[int] | None] = {}

    def match(self, known: list[str]) -> bool:
        """Whether all typed words are in `known` words, one of them perhaps with one error."""
        least: list[int] | None = None
        for word in known:
            try:
                errors = self._errors[word]
            except KeyError:
                errors = self._errors[word] = self._count(word)
            if errors is not None:
                least = errors if least is None else list(map(min, least, errors))
        return least is not None and sum(least) <= 1

    def _count(self, word: str) -> list[int] | None:
        """The errors with which a word has each typed one, 2 for too many; None when it has none of them."""
        errors = [self._count_one(word, typed) for typed in self._typed]
        return errors if min(errors, default=2) < 2 else None

    def _count_one(self, word: str, typed: str) -> int:
        if typed in word:
            return 0
        return 1 if len(typed) >= MIN_TOLERANT and _differs_by_one(typed, word) else 2


def _parted(folded: str) -> str:
    return _GAPS.sub(" ", folded).strip()


def _keys_within(word: str) -> set[str]:
    if len(word) < 3:
        return _keys(f"  {word}")
    return _keys(word)


def _keys(text: str) -> set[str]:
    return {text[place : place + 3] for place in range(len(text) - 2)}


def _left_by_an_error(word: str) -> list[set[str]]:
    """What keys a word keeps when a letter is another one, missing, or one too many; and those of swapped letters."""
    padded = f"  {word} "
    left = []
    for place in range(2, len(padded) - 1):
        # Keys that do not touch the place: those before it and those behind it.
        left.append(_keys(padded[:place]) | _keys(padded[place + 1 :]))
        if place + 2 < len(padded):
            swapped = padded[:place] + padded[place + 1] + padded[place] + padded[place + 2 :]
            left.append(_keys(swapped))
    return [keys for place, keys in enumerate(left) if keys and keys not in left[:place]]


def _differs_by_one(one: str, other: str) -> bool:
    """Whether a letter is another one, missing or one too many, or two neighbours are swapped."""
    if abs(len(one) - len(other)) > 1:
        return False
    begin = 0
    while begin < min(len(one), len(other)) and one[begin] == other[begin]:
        begin += 1
    rest, others = one[begin:], other[begin:]
    return (
        rest[1:] == others[1:]
        or rest[1:] == others
        or rest == others[1:]
        or (rest[:2] == others[:2][::-1] and rest[2:] == others[2:])
    )

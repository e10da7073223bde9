"""Guess the family name in a name, to sort lists by it."""

from nameparser import HumanName
from nameparser.config import CONSTANTS

# Words that are more than a name: titles, particles, suffixes.
_SPECIAL = frozenset(
    word
    for words in (
        CONSTANTS.titles,
        CONSTANTS.prefixes,
        CONSTANTS.conjunctions,
        CONSTANTS.suffix_acronyms,
        CONSTANTS.suffix_not_acronyms,
    )
    for word in words
)


def family_name(name: str) -> str:
    """The family name with its particles ("De Luca", "van Beethoven").

    It is the last word, or what stands before a comma ("Rossi, Ada"). A family name typed first without a comma
    cannot be recognised: such a name sorts by the given name. For single words and groups it is the first word
    of letters, or else the whole name.
    """
    # Most names are two plain words; the parser takes some hundred times as long to say the same.
    words = name.split()
    if len(words) == 2 and all(word.isalpha() and word.lower() not in _SPECIAL for word in words):
        return words[1]
    read = HumanName(name)
    for part in (read.last, read.first):
        if any(map(str.isalpha, part)) and not any(map(str.isdigit, part)):
            return str(part)
    return name

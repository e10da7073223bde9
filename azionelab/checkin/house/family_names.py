"""Guess the family name in a name, to sort lists by it."""

from nameparser import HumanName


def family_name(name: str) -> str:
    """The family name with its particles ("De Luca", "van Beethoven").

    It is the last word, or what stands before a comma ("Rossi, Ada"). A family name typed first without a comma
    cannot be recognised: such a name sorts by the given name. For single words and groups it is the first word
    of letters, or else the whole name.
    """
    read = HumanName(name)
    for part in (read.last, read.first):
        if any(map(str.isalpha, part)) and not any(map(str.isdigit, part)):
            return str(part)
    return name

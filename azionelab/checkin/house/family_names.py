"""Where a name is looked up in a list: by its family name, as far as one can tell from what was typed."""

from nameparser import HumanName


def family_name(name: str) -> str:
    """The family name in a name, with its particles ("De Luca", "van Beethoven").

    The last word, unless there is a comma ("Rossi, Ada"). Who typed the family name first, without
    one, is found by the given name: nothing tells them apart. Of groups and single words the first
    word that is a word; the whole when there is none.
    """
    read = HumanName(name)
    for part in (read.last, read.first):
        if any(map(str.isalpha, part)) and not any(map(str.isdigit, part)):
            return str(part)
    return name

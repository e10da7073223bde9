"""Words that depend on a number: chosen here, or sent to the app in every form that its language has."""

from collections.abc import Callable
from functools import cache
from typing import Any

from babel import Locale
from flask_babel import get_locale

# Words with {places} for facts; or several of them, by the plural's name, chosen by the fact `num`.
Words = str | dict[str, str]


def many(write: Callable[[int], str]) -> dict[str, str]:
    """The forms of a number, by what Unicode calls them in this language (CLDR)."""
    return {name: write(_Num(number)) for name, number in _examples(_locale())}


@cache
def _examples(locale: Locale) -> tuple[tuple[str, int], ...]:
    """A number for each of the language's forms that whole numbers can take, and always one for "other".

    Two digits show all the rules of tens and hundreds; some languages have a form of millions.
    """
    found: dict[str, int] = {}
    for number in (*range(200), 1000, 1_000_000):
        found.setdefault(str(locale.plural_form(number)), number)
    # Some languages keep it for fractions. A browser of other years may ask for it all the same.
    found.setdefault("other", 100)
    return tuple(found.items())


def _plural(number: int) -> str:
    return str(_locale().plural_form(number))


def _locale() -> Locale:
    return get_locale() or Locale("en")


class _Num(int):
    """A number that chooses a form, and writes its place and not itself."""

    def __str__(self) -> str:
        return "{num}"


def fill(words: Words, **facts: Any) -> str:
    """The words with their facts; `num` chooses among the forms of a number."""
    if isinstance(words, dict):
        words = words.get(_plural(facts["num"]), words["other"])
    return words.format(**facts)

"""Plural forms: the server chooses one, or sends all of them to the app."""

from collections.abc import Callable
from functools import cache
from typing import Any

from babel import Locale
from flask_babel import get_locale

# A text with {placeholders}, or one such text for each plural category (CLDR); `num` chooses among them.
Text = str | dict[str, str]


def plural_forms(write: Callable[[int], str]) -> dict[str, str]:
    """The text in each plural category that the current language has (CLDR)."""
    return {name: write(_PlaceholderNumber(number)) for name, number in _examples(_locale())}


@cache
def _examples(locale: Locale) -> tuple[tuple[str, int], ...]:
    """An example number for each plural category of whole numbers, and always one for "other".

    Numbers below 200 reach all rules on tens and hundreds; some languages have a category for millions.
    """
    found: dict[str, int] = {}
    for number in (*range(200), 1000, 1_000_000):
        found.setdefault(str(locale.plural_form(number)), number)
    # Some languages use "other" for fractions only, but a browser with other CLDR data may choose it.
    found.setdefault("other", 100)
    return tuple(found.items())


def _plural_category(number: int) -> str:
    return str(_locale().plural_form(number))


def _locale() -> Locale:
    return get_locale() or Locale("en")


class _PlaceholderNumber(int):
    """A number that selects a plural form but prints as the placeholder {num}."""

    def __str__(self) -> str:
        return "{num}"


def format_text(text: Text, **facts: Any) -> str:
    """Fill the placeholders in; `num` chooses the plural form."""
    if isinstance(text, dict):
        text = text.get(_plural_category(facts["num"]), text["other"])
    return text.format(**facts)

"""A show's texts in a reader's language, its credits and quotes, read from what staff typed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app
from flask_babel import ngettext

from azionelab.languages import language_tag
from azionelab.shows.models import Show

# Languages that a show may be spoken or surtitled in; "zxx" is ISO 639's code for no words at all.
SPOKEN = (
    "it",
    "en",
    "fr",
    "de",
    "es",
    "pt",
    "nl",
    "pl",
    "ro",
    "sq",
    "uk",
    "ru",
    "ar",
    "zh",
    "nap",
    "scn",
    "vec",
    "zxx",
)
NO_WORDS = "zxx"
_SOURCE = re.compile(r"\s*(?:[—–-]+|--)\s*(?P<source>.+)")


@dataclass(frozen=True)
class Text:
    """A text and the tag of the language that it is in, as HTML names it."""

    text: str
    language: str


@dataclass(frozen=True)
class Credit:
    """A line of the credits; `role` is "" where a line has no colon."""

    role: str
    name: str


@dataclass(frozen=True)
class Quote:
    """What the press said."""

    text: str
    source: str


class QuoteWithoutSource(Exception):
    """A quote's last line does not name its source. `quote` is its beginning."""

    def __init__(self, quote: str) -> None:
        super().__init__(quote)
        self.quote = quote


def default_language() -> str:
    """The language of a show's own title, summary and description."""
    language: str = current_app.config["AZIONELAB"].default_locale
    return language


def in_language(texts: Mapping[str, str], language: str, own: str = "") -> Text:
    """The text in a language, or else the site's, or else another; `own` is the site's where a column holds it."""
    site = default_language()
    known = {**texts, site: own} if own else texts
    wanted = (language, site, *sorted(known))
    found = next((code for code in wanted if known.get(code)), language)
    return Text(known.get(found, ""), language_tag(found))


def read_credits(typed: str) -> list[Credit]:
    """Lines "role: name". A line without a colon is a name, or whole sentence, of its own."""
    lines = [line.strip() for line in typed.splitlines() if line.strip()]
    found = []
    for line in lines:
        role, colon, name = line.partition(":")
        is_credit = bool(colon and role.strip() and name.strip())
        found.append(Credit(role.strip(), name.strip()) if is_credit else Credit("", line))
    return found


def read_quotes(typed: str) -> list[Quote]:
    """Quotes, each a paragraph whose last line is "— source". Raises QuoteWithoutSource."""
    found = []
    for block in re.split(r"\n\s*\n", typed.strip()):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        if not lines:
            continue
        source = _SOURCE.fullmatch(lines[-1])
        if source is None or len(lines) < 2:
            raise QuoteWithoutSource(lines[0])
        quote = " ".join(lines[:-1]).strip('“”"«» ')
        found.append(Quote(quote, source["source"].strip()))
    return found


def shown_quotes(typed: str) -> list[Quote]:
    """The quotes for a page: none where they cannot be read, as when another program wrote them."""
    try:
        return read_quotes(typed)
    except QuoteWithoutSource:
        return []


def doors_open(show: Show) -> str:
    """How long before the curtain the doors open, in words; "" if the theatre does not say it."""
    if not show.doors_minutes:
        return ""
    return ngettext(
        "%(num)s minute before the beginning",
        "%(num)s minutes before the beginning",
        show.doors_minutes,
    )

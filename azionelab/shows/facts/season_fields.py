"""The facts of a [[show]] in a season's file. A field in several languages has one for each: `title_en`, `credits_it`.

Pictures are not in the file: they are uploaded in the back office.
"""

from typing import Any

from azionelab.languages import LOCALES
from azionelab.shows.facts.texts import (
    NO_WORDS,
    SPOKEN,
    QuoteWithoutSource,
    default_language,
    read_quotes,
)
from azionelab.shows.limits import MAX_MINUTES, MAX_TEXT
from azionelab.shows.models import MAX_AGE
from azionelab.shows.season_file import Entry

FLAGS = ("wheelchair", "companion", "hearing_loop", "strobe", "loud_noise", "haze")


def read_show_facts(entry: Entry) -> dict[str, Any]:
    """The facts as columns of Show; problems are added to the entry's."""
    others = [code for code in LOCALES if code != default_language()]
    facts: dict[str, Any] = {name: entry.flag(name, default=False) for name in FLAGS}
    facts["titles"] = _each(others, lambda code: entry.one_line(f"title_{code}"))
    facts["summaries"] = _each(others, lambda code: entry.one_line(f"summary_{code}"))
    facts["descriptions"] = _each(others, lambda code: entry.text(f"description_{code}", MAX_TEXT))
    for name in ("credits", "access_notes"):
        facts[name] = _each(LOCALES, lambda code, name=name: entry.text(f"{name}_{code}", MAX_TEXT))
    for name in ("spoken_language", "surtitles"):
        known = SPOKEN if name == "spoken_language" else SPOKEN[: SPOKEN.index(NO_WORDS)]
        facts[name] = entry.one_line(name)
        if facts[name] and facts[name] not in known:
            entry.add_problem(name, f"is not one of {', '.join(known)}")
    for name, low, high in (("age_from", 0, MAX_AGE), ("doors_minutes", 1, MAX_MINUTES)):
        facts[name] = entry.number(name, low, high) if entry.has(name) else None
    facts["press"] = entry.text("press", MAX_TEXT)
    try:
        read_quotes(facts["press"])
    except QuoteWithoutSource as error:
        entry.add_problem(
            "press", f"who said {error.quote!r}? Write a last line such as — la Repubblica"
        )
    return facts


def _each(codes: Any, read: Any) -> dict[str, str]:
    texts = {code: read(code) for code in codes}
    return {code: text for code, text in texts.items() if text}

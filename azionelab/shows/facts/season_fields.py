"""The facts of a [[show]] and a [[venue]] in a season's file, read and written.

A field in several languages has one for each: `title_en`, `credits_it`.

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
from azionelab.shows.models import MAX_AGE, MAX_CAPACITY, Show, Texts, Venue
from azionelab.shows.season_file import Entry
from azionelab.validation.hours import read_hours, write_hours

_FLAGS = ("wheelchair", "companion", "hearing_loop", "strobe", "loud_noise", "haze")


def read_show_facts(entry: Entry) -> dict[str, Any]:
    """The facts as columns of Show; problems are added to the entry's."""
    others = [code for code in LOCALES if code != default_language()]
    facts: dict[str, Any] = {name: entry.flag(name, default=False) for name in _FLAGS}
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
    facts["listed"] = entry.flag("listed", default=True)
    facts["reminders"] = entry.one_line("reminders")
    try:
        facts["reminders"] = facts["reminders"] and write_hours(read_hours(facts["reminders"]))
    except ValueError:
        entry.add_problem("reminders", 'is not like "48, 3" (hours before the curtain) or "none"')
    facts["press"] = entry.text("press", MAX_TEXT)
    try:
        read_quotes(facts["press"])
    except QuoteWithoutSource as error:
        entry.add_problem(
            "press", f"who said {error.quote!r}? Write a last line such as — la Repubblica"
        )
    return facts


def read_venue_facts(entry: Entry) -> dict[str, Any]:
    """The facts as columns of Venue; problems are added to the entry's."""
    usual = (
        entry.number("default_capacity", 0, MAX_CAPACITY) if entry.has("default_capacity") else None
    )
    place = {
        "latitude": entry.degrees("latitude", 90),
        "longitude": entry.degrees("longitude", 180),
    }
    if len({value is None for value in place.values()}) == 2:
        entry.add_problem("latitude", "give both coordinates, or none")
    directions = _each(LOCALES, lambda code: entry.text(f"directions_{code}", MAX_TEXT))
    return {"default_capacity": usual, "directions": directions, **place}


def show_fields(show: Show) -> dict[str, Any]:
    """The fields of a show's entry; None or "" for one that may be left out."""
    return {
        "slug": show.slug,
        "title": show.title,
        "summary": show.summary,
        "description": show.description,
        "duration_minutes": show.duration_minutes,
        "published": show.published,
        "listed": None if show.listed else False,
        **_named("title", show.titles),
        **_named("summary", show.summaries),
        **_named("description", show.descriptions),
        **_named("credits", show.credits),
        **_named("access_notes", show.access_notes),
        "press": show.press,
        "age_from": show.age_from,
        "doors_minutes": show.doors_minutes,
        "spoken_language": show.spoken_language,
        "surtitles": show.surtitles,
        **{name: getattr(show, name) or None for name in _FLAGS},
        "reminders": show.reminders,
    }


def venue_fields(venue: Venue) -> dict[str, Any]:
    """The fields of a venue's entry; None or "" for one that may be left out."""
    return {
        "name": venue.name,
        "address": venue.address,
        "default_capacity": venue.default_capacity,
        **_named("directions", venue.directions),
        "latitude": venue.latitude,
        "longitude": venue.longitude,
    }


def _named(name: str, texts: Texts) -> Texts:
    return {f"{name}_{code}": text for code, text in texts.items()}


def _each(codes: Any, read: Any) -> dict[str, str]:
    texts = {code: read(code) for code in codes}
    return {code: text for code, text in texts.items() if text}

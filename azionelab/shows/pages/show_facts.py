"""What a show's page says of the show, in the reader's language."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from babel import Locale
from flask_babel import get_locale, gettext, ngettext
from sqlalchemy import select

from azionelab.database import db
from azionelab.languages import current_language, language_tag
from azionelab.media.models import Picture
from azionelab.media.pictures import pictures_of
from azionelab.shows.facts.formatting import plain
from azionelab.shows.facts.places import map_link
from azionelab.shows.facts.texts import (
    NO_WORDS,
    Credit,
    Quote,
    Text,
    default_language,
    doors_open,
    in_language,
    read_credits,
    shown_quotes,
)
from azionelab.shows.models import Performance, Show, Venue

# The roles, in any language, whose names are those of performers.
_CAST = {
    "con",
    "cast",
    "interpreti",
    "in scena",
    "with",
    "performers",
    "actors",
    "attori",
    "attrici",
}


@dataclass(frozen=True)
class Place:
    """A venue, and how to get there; `map_url` is "" without an address."""

    name: str
    address: str
    directions: Text
    map_url: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True)
class ShowFacts:
    """A show for its page. Texts name their language, which is not always the page's."""

    title: Text
    summary: Text
    description: Text
    facts: list[tuple[str, str]]
    credits: list[Credit]
    credits_language: str
    access: list[str]
    warnings: list[str]
    access_notes: Text
    quotes: list[Quote]
    quotes_language: str
    pictures: list[Picture]
    places: list[Place]

    @property
    def poster(self) -> Picture | None:
        """The first picture."""
        return self.pictures[0] if self.pictures else None

    @property
    def description_for_machines(self) -> str:
        """The summary, or else the description without its formatting."""
        return self.summary.text or plain(self.description.text)[:300]

    @property
    def performers(self) -> list[str]:
        """The names in the lines of the cast."""
        lines = [line.name for line in self.credits if line.role.casefold() in _CAST]
        return [name.strip() for line in lines for name in line.split(",") if name.strip()]


def read_facts(show: Show, at: datetime) -> ShowFacts:
    """The show's facts; places are those of performances that start after `at`."""
    language = current_language()
    credits_text = in_language(show.credits, language)
    return ShowFacts(
        title=in_language(show.titles, language, show.title),
        summary=in_language(show.summaries, language, show.summary),
        description=in_language(show.descriptions, language, show.description),
        facts=_facts(show),
        credits=read_credits(credits_text.text),
        credits_language=credits_text.language,
        access=_told(show, _ACCESS),
        warnings=_told(show, _WARNINGS),
        access_notes=in_language(show.access_notes, language),
        quotes=shown_quotes(show.press),
        quotes_language=language_tag(default_language()),
        pictures=list(pictures_of(show.id)),
        places=_places(show, at, language),
    )


def _facts(show: Show) -> list[tuple[str, str]]:
    found = []
    if show.duration_minutes:
        length = ngettext("About %(num)s minute", "About %(num)s minutes", show.duration_minutes)
        found.append((gettext("Duration"), length))
    if show.age_from is not None:
        ages = ngettext("From %(num)s year", "From %(num)s years", show.age_from)
        found.append((gettext("Age"), ages if show.age_from else gettext("For all ages")))
    if show.spoken_language:
        no_words = show.spoken_language == NO_WORDS
        spoken = gettext("No words") if no_words else _language_name(show.spoken_language)
        found.append((gettext("Language"), spoken))
    if show.surtitles:
        found.append((gettext("Surtitles"), _language_name(show.surtitles)))
    if doors := doors_open(show):
        found.append((gettext("Doors open"), doors))
    return found


# Each a column of Show and what it means, in the order of the page.
_ACCESS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("wheelchair", lambda: gettext("There are places for wheelchairs.")),
    ("companion", lambda: gettext("Whoever accompanies somebody has a seat beside them.")),
    ("hearing_loop", lambda: gettext("There is a hearing loop.")),
)
_WARNINGS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("strobe", lambda: gettext("Strobe or flashing light is used.")),
    ("loud_noise", lambda: gettext("There are loud noises.")),
    ("haze", lambda: gettext("Haze or smoke is used.")),
)


def _told(show: Show, known: tuple[tuple[str, Callable[[], str]], ...]) -> list[str]:
    return [describe() for name, describe in known if getattr(show, name)]


def _places(show: Show, at: datetime, language: str) -> list[Place]:
    played = select(Performance.venue_id).where(
        Performance.show_id == show.id, Performance.starts_at > at
    )
    venues = db.session.scalars(select(Venue).where(Venue.id.in_(played)).order_by(Venue.name))
    return [
        Place(
            venue.name,
            venue.address,
            in_language(venue.directions, language),
            map_link(venue.name, venue.address, venue.latitude, venue.longitude),
            venue.latitude,
            venue.longitude,
        )
        for venue in venues
    ]


def _language_name(code: str) -> str:
    name = (get_locale() or Locale("en")).languages.get(code, code)
    return str(name[0].upper() + name[1:])

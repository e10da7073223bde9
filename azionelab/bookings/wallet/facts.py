"""What a pass says, in each of the site's languages.

A pass may be shown and passed on, as the other forms of the ticket: it has neither the visitor's name nor address, nor
the token of their own page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from flask_babel import force_locale, gettext

from azionelab.bookings.models import Reservation
from azionelab.bookings.tickets.curtain import Curtain, read_curtain
from azionelab.bookings.tickets.files import ticket_url, why_void
from azionelab.languages import LOCALES, current_language
from azionelab.shows.facts.texts import in_language
from azionelab.theme.current import theatre_name

Texts = dict[str, str]  # by language


@dataclass(frozen=True)
class PassFacts:
    """The facts of a ticket. `code` is what its QR holds, and `void` why it is not valid any more; one is empty."""

    theatre: str
    curtain: Curtain
    title: Texts
    starts_at: datetime
    ends_at: datetime  # both in the theatre's time zone
    venue: str
    address: str
    seats: Texts
    reference: str
    code: str
    void: Texts
    hint: Texts


def read_pass_facts(reservation: Reservation) -> PassFacts:
    """The facts of a reservation that has or had a ticket."""
    performance = reservation.performance
    zone = current_app.config["AZIONELAB"].time_zone
    show, valid = performance.show, reservation.has_ticket
    return PassFacts(
        theatre=theatre_name(),
        curtain=read_curtain(),
        title=in_languages(lambda: in_language(show.titles, current_language(), show.title).text),
        starts_at=performance.starts_at.astimezone(zone),
        ends_at=performance.ends_at.astimezone(zone),
        venue=performance.venue.name,
        address=performance.venue.address,
        seats=in_languages(lambda: reservation.places.words),
        reference=reservation.reference,
        code=ticket_url(reservation) if valid else "",
        void={} if valid else in_languages(lambda: why_void(reservation)),
        hint=in_languages(
            lambda: gettext(
                "A pass does not change by itself. After a change, add it again from your booking."
            )
        ),
    )


def in_languages(make: Callable[[], str]) -> Texts:
    """What `make` says in each of the site's languages."""
    texts = {}
    for language in LOCALES:
        with force_locale(language):
            texts[language] = make()
    return texts

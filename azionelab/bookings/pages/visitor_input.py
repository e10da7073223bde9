"""Checks a visitor's name and address, for the form and the API."""

import unicodedata
from collections.abc import Mapping

from flask import current_app
from flask_babel import gettext
from marshmallow import ValidationError

from azionelab.bookings.models import MAX_EMAIL, MAX_NAME
from azionelab.shows.limits import MAX_PARTY
from azionelab.validation.email_addresses import is_in_domains, normalize_address
from azionelab.validation.text import has_visible_character, is_one_line, strip_edges
from azionelab.web.rate_limits import visitor_network


def check_wheelchair_places(entries: Mapping[str, int]) -> None:
    """Refuse more wheelchair places than `seats` in the entries of a program; marshmallow's ValidationError."""
    if entries.get("wheelchair_places", 0) > entries.get("seats", MAX_PARTY):
        told = gettext("There cannot be more wheelchair places than seats.")
        raise ValidationError(told, "wheelchair_places")


def clean_name(typed: str) -> str:
    """The name with normalized spaces; ValueError with a text for the visitor.

    Any script, direction and emoji is accepted. Refused are names without a visible character (spaces,
    zero-width characters), with control characters (a NUL cannot be stored, a line break would end up in mail
    headers), and with characters that change the direction of the text around them.
    """
    given = strip_edges(unicodedata.normalize("NFC", typed))
    name = " ".join(word for word in given.split(" ") if word)
    if not has_visible_character(name):
        raise ValueError(gettext("Please enter your name."))
    if len(name) > MAX_NAME:
        raise ValueError(gettext("Please use at most %(limit)s characters.", limit=MAX_NAME))
    if not is_one_line(name):
        raise ValueError(gettext("The name contains characters that cannot be displayed."))
    return name


def clean_email(typed: str) -> str:
    """The address in its normal form; ValueError with a text for the visitor.

    Only the syntax is checked: the owner's confirmation shows whether the mailbox exists.
    """
    address = typed.strip()
    if not address:
        raise ValueError(gettext("Please enter your e-mail address."))
    if len(address) > MAX_EMAIL:
        raise ValueError(gettext("Please use at most %(limit)s characters.", limit=MAX_EMAIL))
    try:
        return normalize_address(address)
    except ValueError as error:
        raise ValueError(gettext("This is not a valid e-mail address.")) from error


def clean_visitor_email(typed: str) -> str:
    """As `clean_email`, of the address that a visitor gives: none of DISPOSABLE_DOMAINS, but by the box office."""
    address = clean_email(typed)
    disposable: frozenset[str] = current_app.config["AZIONELAB"].disposable_domains
    if disposable and visitor_network() is not None and is_in_domains(address, disposable):
        raise ValueError(
            gettext(
                "This is an address of a throw-away mailbox, where your ticket could get lost. Please use another"
                " address, or call the box office."
            )
        )
    return address

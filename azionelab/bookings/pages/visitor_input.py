"""What a visitor types about themselves, checked in one place for the form and the API."""

import unicodedata

from flask_babel import gettext

from azionelab.bookings.models import MAX_EMAIL, MAX_NAME
from azionelab.validation.email_addresses import normalize_address
from azionelab.validation.text import has_visible_character, is_one_line, strip_edges


def clean_name(typed: str) -> str:
    """The name with its spaces put in order; ValueError says in words why it cannot be one.

    Any script, direction and emoji is a name. One of which nothing is seen (spaces, zero-width
    characters) is none, and neither is one with control characters, since a NUL cannot be stored
    and a line break would end up in mail headers; nor is one that turns the text around it.
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
    """The address in its normal form; ValueError says in words that it is none.

    Only the form is checked: whether the mailbox exists shows when its owner confirms.
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

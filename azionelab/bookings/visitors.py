"""What a visitor types about themselves, checked in one place for the form and the API."""

import unicodedata

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext

from azionelab.bookings.models import MAX_EMAIL, MAX_NAME


def clean_name(typed: str) -> str:
    """The name with its spaces put in order; ValueError says in words why it cannot be one.

    Any script, direction and emoji is a name; control characters are not, since a NUL cannot be
    stored and a line break would end up in mail headers.
    """
    name = " ".join(word for word in unicodedata.normalize("NFC", typed).split(" ") if word)
    if not name:
        raise ValueError(gettext("Please tell us your name."))
    if len(name) > MAX_NAME:
        raise ValueError(gettext("At most %(limit)s characters, please.", limit=MAX_NAME))
    if not is_one_line(name):
        raise ValueError(gettext("The name holds characters that cannot be shown."))
    return name


def clean_email(typed: str) -> str:
    """The address in its normal form; ValueError says in words that it is none.

    Only the form is checked: whether the mailbox exists shows when its owner confirms.
    """
    address = typed.strip()
    if not address:
        raise ValueError(gettext("Please tell us your e-mail address."))
    if len(address) > MAX_EMAIL:
        raise ValueError(gettext("At most %(limit)s characters, please.", limit=MAX_EMAIL))
    try:
        return validate_email(address, check_deliverability=False, allow_smtputf8=False).normalized
    except (EmailNotValidError, UnicodeError) as error:
        raise ValueError(gettext("This is not a complete e-mail address.")) from error


def is_one_line(text: str) -> bool:
    """Whether a text has neither line breaks nor control characters, which cannot be kept."""
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)

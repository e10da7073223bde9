"""What visitors agree to when they leave a name and an address.

Each reservation keeps which text it was (GDPR, article 7.1: consent has to be shown). A text that has been on a page is
never changed: another wording gets a version of its own, and the older ones stay here.
"""

from enum import StrEnum

from flask_babel import lazy_gettext as _


class Consent(StrEnum):
    """A version of a text, as it is stored."""

    BOOKING = "booking 1"
    WAITLIST = "waitlist 1"


TEXTS = {
    Consent.BOOKING: _(
        "I agree that the theatre may store my name and e-mail address for this booking."
    ),
    Consent.WAITLIST: _(
        "I agree that the theatre may store my name and e-mail address for the waitlist."
    ),
}


def text_of(consent: str | None) -> str | None:
    """The text of a stored version; None when there is none, as of a booking by the box office."""
    return str(TEXTS[Consent(consent)]) if consent else None

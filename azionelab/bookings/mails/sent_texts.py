"""What a mail said when it was sent: kept without the visitor's name and private links, shown to staff."""

from collections.abc import Iterable

from azionelab.bookings.models import Reservation
from azionelab.bookings.reminders.unsubscribing import unsubscribe_tokens
from azionelab.bookings.visitor_links import link_tokens
from azionelab.mail.message import KeptText, Message
from azionelab.mail.models import SentText

HIDDEN = "•••••"  # in place of what makes a link private
_NAME = "\ufffc"  # in place of the name: the "object replacement character", which nobody types


def keep(reservation: Reservation, message: Message, token: str = "") -> KeptText:
    """The subject and the plain text of a message, without the private parts.

    `token` is one of its link that is no link of the booking.
    """
    tokens = [
        *link_tokens(reservation),
        *unsubscribe_tokens(reservation),
        *([token] if token else []),
    ]
    return KeptText(
        _hide(reservation, message.subject, tokens), _hide(reservation, message.text, tokens)
    )


def read_kept(reservation: Reservation, kept: SentText | KeptText) -> KeptText:
    """A kept text with the name of the reservation as it is now."""
    return KeptText(
        kept.subject.replace(_NAME, reservation.name), kept.text.replace(_NAME, reservation.name)
    )


def _hide(reservation: Reservation, text: str, tokens: Iterable[str]) -> str:
    text = text.replace(_NAME, "")
    for token in tokens:
        text = text.replace(token, HIDDEN)
    return text.replace(reservation.name, _NAME) if reservation.name else text

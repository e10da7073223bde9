"""The text of a mail about a booking: which one it gets, the theatre's own or the shipped one, filled in."""

import logging
from collections.abc import Mapping
from typing import Any

from azionelab.bookings.history import By
from azionelab.bookings.mails.templates.composing import MessageText, compose
from azionelab.bookings.mails.templates.fields import find_faults
from azionelab.bookings.mails.templates.models import TemplateName, TemplateText
from azionelab.bookings.mails.templates.shipped import shipped_text
from azionelab.bookings.mails.templates.values import awaits_confirmation, values_for
from azionelab.bookings.models import Reservation, State
from azionelab.mail.models import MailKind

logger = logging.getLogger(__name__)

_OWN_WAY = (
    MailKind.MESSAGE,
    MailKind.REMINDER,
    MailKind.QUESTION,
    MailKind.NEAR,
    MailKind.MY_BOOKINGS,
    MailKind.HAND_OVER,
)
# The theatre's own texts in one language (templates/stored.py reads them).
OwnTexts = Mapping[TemplateName, TemplateText]


def text_for(
    kind: MailKind,
    reservation: Reservation,
    own: OwnTexts,
    changed: Mapping[str, Any] | None = None,
) -> MessageText:
    """The text of a mail in the current language, as it is true at the time of sending.

    A mail may be sent hours late when the mail server was down. Its text follows what happened to the
    booking since then. `changed` is what staff changed (changes.py).
    """
    name = template_for(kind, reservation, changed)
    return compose(_choose(name, own), values_for(name, reservation, changed))


def effective_kind(kind: MailKind, reservation: Reservation) -> MailKind:
    """The kind of text that a mail gets now: a cancelled performance or booking replaces all others."""
    if kind in _OWN_WAY:
        return kind  # nothing else replaces it: what is needless is not sent
    if reservation.only_waited and reservation.performance.cancelled_at is None:
        if kind is MailKind.MOVED:
            return kind
        return MailKind.LAPSED if reservation.has_let_offer_lapse else MailKind.WAITLIST
    if kind is not MailKind.CANCELLED and reservation.performance.cancelled_at is not None:
        return MailKind.PERFORMANCE_CANCELLED
    if kind is MailKind.CANCELLED and reservation.state == State.CONFIRMED:
        return MailKind.TICKET  # staff took the cancellation back meanwhile
    return MailKind.CANCELLED if reservation.state == State.CANCELLED else kind


def template_for(  # noqa: PLR0911, PLR0912 (one each)
    kind: MailKind, reservation: Reservation, changed: Mapping[str, Any] | None
) -> TemplateName:
    """Which text a mail gets now."""
    confirmed = reservation.state == State.CONFIRMED
    awaits = awaits_confirmation(reservation)
    match effective_kind(kind, reservation):
        case MailKind.PERFORMANCE_CANCELLED if reservation.only_waited:
            return TemplateName.WAITLIST_CANCELLED
        case MailKind.PERFORMANCE_CANCELLED:
            return TemplateName.PERFORMANCE_CANCELLED
        case MailKind.MOVED if reservation.only_waited:
            return TemplateName.WAITLIST_MOVED
        case MailKind.WAITLIST if reservation.waiting_since is None:
            return TemplateName.WAITLIST_JOIN
        case MailKind.WAITLIST if reservation.only_waited:
            return TemplateName.WAITLIST_PLACE
        case MailKind.LAPSED if reservation.has_let_offer_lapse:
            return TemplateName.WAITLIST_LAPSED
        case MailKind.NEAR if reservation.is_waiting:
            return TemplateName.WAITLIST_NEAR
        case MailKind.WAITLIST | MailKind.OFFER | MailKind.LAPSED if awaits:
            return TemplateName.OFFER
        case MailKind.CONFIRM if awaits:
            return TemplateName.CONFIRM
        case MailKind.EXISTING if awaits or confirmed:
            return TemplateName.EXISTING
        case MailKind.MOVED if confirmed:
            return TemplateName.MOVED
        case MailKind.MOVED if awaits:
            return TemplateName.MOVED_UNCONFIRMED
        case MailKind.REMINDER if confirmed:
            return TemplateName.REMINDER
        case MailKind.QUESTION if confirmed:
            return TemplateName.QUESTION
        case MailKind.MY_BOOKINGS:
            return TemplateName.MY_BOOKINGS
        case MailKind.HAND_OVER:
            return TemplateName.FOR_FRIEND
        case (
            MailKind.CONFIRM
            | MailKind.EXISTING
            | MailKind.MOVED
            | MailKind.WAITLIST
            | MailKind.OFFER
            | MailKind.REMINDER
            | MailKind.QUESTION
            | MailKind.LAPSED
            | MailKind.NEAR
        ):
            return TemplateName.BOOKING
        case MailKind.TICKET if confirmed:
            return TemplateName.TICKET
        case MailKind.CHANGED if confirmed:
            return TemplateName.CHANGED
        case _ if reservation.ended_by == By.NO_ANSWER:
            return TemplateName.NOT_ANSWERED
        case _ if (changed or {}).get("merged_into"):
            return TemplateName.MERGED
        case _ if (changed or {}).get("handed_over"):
            return TemplateName.HANDED_OVER
        case _:
            return TemplateName.CANCELLED


def _choose(name: TemplateName, own: OwnTexts) -> TemplateText:
    """The theatre's own text; the shipped one when there is none, or when it has faults and would mislead."""
    text = own.get(name)
    if text is None:
        return shipped_text(name)
    if find_faults(name, text):
        logger.error("the theatre's own mail text %s has faults: the shipped one is used", name)
        return shipped_text(name)
    return text

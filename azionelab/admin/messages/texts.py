"""Texts about messages to audiences: whom they are for, how far they are, what is wrong with a field."""

from collections.abc import Sequence

from babel import Locale
from flask_babel import get_locale, gettext, ngettext
from flask_babel import lazy_gettext as _

from azionelab.bookings.audience.models import AudienceMessage, MessageState, Whom
from azionelab.bookings.audience.progress import MessageProgress, is_done
from azionelab.database import now
from azionelab.mail.fields import FieldFaults

AUDIENCES: dict[str, str] = {
    Whom.CONFIRMED: _("confirmed bookings"),
    Whom.UNCONFIRMED: _("bookings not confirmed yet"),
    Whom.BOOKED: _("everybody who has booked: confirmed or not yet"),
    Whom.CAME: _("parties of which somebody came"),
    Whom.ABSENT: _("confirmed parties of which nobody came, once the curtain has risen"),
}
FIELDS: dict[str, str] = {
    "name": _("the visitor's name; “guest” until the booking is confirmed"),
    "show": _("the show's title"),
    "date": _("the date, with the weekday"),
    "time": _("the curtain time"),
    "venue": _("the venue's name"),
    "reference": _("the booking reference"),
    "seats": _("the number of seats: “2 seats”"),
    "booking_page": _(
        "the private link to the booking's page, where it can be confirmed or cancelled"
    ),
}


def describe_state(message: AudienceMessage, progress: MessageProgress) -> str:
    """Where a message is, in a word or two."""
    if is_done(message, progress):
        return gettext("sent")
    match MessageState(message.state):
        case MessageState.DRAFT:
            return gettext("draft")
        case MessageState.PAUSED:
            return gettext("paused")
        case MessageState.STOPPED:
            return gettext("stopped")
        case MessageState.SENDING:
            waits = message.starts_at is not None and message.starts_at > now()
            return gettext("starts in a moment") if waits else gettext("being sent")


def describe_faults(faults: FieldFaults, known: Sequence[str]) -> list[str]:
    """What is wrong with the fields of a text, and which ones there are."""
    errors = []
    if faults.unknown:
        errors.append(
            ngettext(
                "There is no field %(names)s. You can use: %(known)s.",
                "There are no fields %(names)s. You can use: %(known)s.",
                len(faults.unknown),
                names=_in_braces(faults.unknown),
                known=_in_braces(known),
            )
        )
    if faults.missing:
        errors.append(
            ngettext(
                "The field %(names)s is missing: without it the mail does not do what it is for.",
                "The fields %(names)s are missing: without them the mail does not do what it is for.",
                len(faults.missing),
                names=_in_braces(faults.missing),
            )
        )
    if faults.has_single_brace:
        errors.append(
            gettext(
                "A curly bracket has no partner. Fields are written like this: %(field)s.",
                field="{show}",
            )
        )
    return errors


def name_language(language: str) -> str:
    """The name of a language, in the current one."""
    return str(Locale.parse(language).get_language_name(str(get_locale())))


def _in_braces(names: Sequence[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)

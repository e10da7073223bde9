"""The text of a message for one recipient: its language, its fields, its plain and its HTML form."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import render_template
from flask_babel import force_locale, gettext, ngettext

from azionelab.bookings.audience.models import AudienceMessage
from azionelab.bookings.mails.templates.values import proven_name
from azionelab.bookings.models import Reservation
from azionelab.bookings.reminders.unsubscribing import unsubscribe_url
from azionelab.bookings.visitor_links import make_link_token
from azionelab.database import now
from azionelab.languages import LOCALES
from azionelab.mail.fields import fill
from azionelab.mail.models import MailKind
from azionelab.web.dates import format_day, format_time
from azionelab.web.site_urls import site_url

FIELDS = ("name", "show", "date", "time", "venue", "reference", "seats", "booking_page")
HIDDEN = "•••••"  # in place of a private link's token


@dataclass(frozen=True)
class WrittenMessage:
    """A message as one recipient gets it. `link` is the recipient's private booking page.

    `unsubscribe` ends messages to them; it is "" in a message that is only looked at.
    """

    subject: str
    text: str
    html: str
    link: str
    unsubscribe: str


def write_message(
    message: AudienceMessage, reservation: Reservation, *, link: str | None = None
) -> WrittenMessage:
    """Write the message for a recipient, in their language if there is a text in it.

    `link` is put in place of the recipient's private page, which staff may not open.
    """
    is_sent = link is None
    link = link or booking_page(reservation)
    language, text = text_for(message, reservation.locale)
    with force_locale(language):
        values = field_values(reservation, link)
        unsubscribe = unsubscribe_url(MailKind.MESSAGE, reservation) if is_sent else ""
        subject = fill(text["subject"], values)
        context = {
            "subject": subject,
            "body": fill(text["body"], values),
            "unsubscribe": unsubscribe,
            "reservation": reservation,
            "performance": reservation.performance,
        }
        return WrittenMessage(
            subject=subject,
            text=render_template("mail/audience.txt", **context),
            html=render_template("mail/audience.html", **context),
            link=link,
            unsubscribe=unsubscribe,
        )


def booking_page(reservation: Reservation) -> str:
    """The address of a party's private page: where it confirms, if it has to do so yet."""
    token = make_link_token(reservation)
    return site_url(_endpoint(reservation), token=token, language=reservation.locale)


def hidden_booking_page(reservation: Reservation) -> str:
    """The same without what makes it private."""
    address = site_url(_endpoint(reservation), token="hidden", language=reservation.locale)  # noqa: S106
    return address.replace("hidden", HIDDEN)


def text_for(message: AudienceMessage, locale: str) -> tuple[str, Mapping[str, str]]:
    """The language and text for somebody who reads `locale`; another language if there is none in it."""
    texts: Mapping[str, Mapping[str, str]] = message.texts
    language = locale if locale in texts else next(each for each in LOCALES if each in texts)
    return language, texts[language]


def field_values(reservation: Reservation, link: str) -> dict[str, str]:
    """The fields' values for a recipient, in the current language."""
    performance = reservation.performance
    return {
        "name": proven_name(reservation) or gettext("guest"),
        "show": performance.show.title,
        "date": format_day(performance.starts_at),
        "time": format_time(performance.starts_at),
        "venue": performance.venue.name,
        "reference": reservation.reference,
        "seats": ngettext("%(num)s seat", "%(num)s seats", reservation.seats),
        "booking_page": link,
    }


def _endpoint(reservation: Reservation) -> str:
    waits = reservation.is_pending and not reservation.is_lapsed(now())
    return "bookings.confirm" if waits else "bookings.booking"

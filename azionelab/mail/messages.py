"""From a mail's row to the message: recipient, subject, text, HTML, the ticket's QR."""

import unicodedata
from dataclasses import dataclass

from flask import render_template
from flask_babel import force_locale

from azionelab.bookings.models import Reservation, State
from azionelab.bookings.tickets.files import event_ics, event_method, place, qr_png
from azionelab.mail.models import Kind, Mail
from azionelab.mail.words import words_for
from azionelab.tokens import Purpose, make_token
from azionelab.web.site_urls import site_host, site_url

# What makes an entry that somebody saved in their calendar wrong.
_CHANGES = (Kind.MOVED, Kind.CHANGED, Kind.CANCELLED, Kind.PERFORMANCE_CANCELLED)


@dataclass(frozen=True)
class Picture:
    """A PNG that the HTML refers to by `cid:` and its Content-ID."""

    content_id: str
    filename: str
    content: bytes


@dataclass(frozen=True)
class CalendarFile:
    """An iCalendar file, and its METHOD: whether it puts an event into the calendar or takes it out."""

    method: str
    filename: str
    content: bytes


@dataclass(frozen=True)
class Message:
    """A message ready to go. `link` is where its button leads: as secret as the mailbox itself."""

    recipient: str
    subject: str
    text: str
    html: str
    link: str
    pictures: tuple[Picture, ...] = ()
    recipient_name: str = ""
    calendar: CalendarFile | None = None


def render(mail: Mail) -> Message:
    """The message in the visitor's language, made anew from the reservation each time."""
    reservation = mail.reservation
    with force_locale(reservation.locale):
        kind = Kind(mail.kind)
        words = words_for(kind, reservation)
        calendar = _calendar(reservation) if kind in _CHANGES else None
        name = _proven_name(reservation)
        content_id = _qr_content_id(mail)
        context = {
            "words": words,
            "reservation": reservation,
            "performance": reservation.performance,
            "place": place(reservation.performance.venue),
            "ticket_urls": _ticket_urls(reservation),
            "name": name,
            # A name of another direction stays by itself; mail programs do not know <bdi>.
            "isolated_name": f"\u2068{name}\u2069",
            "qr": content_id,
            "with_calendar": calendar is not None,
        }
        return Message(
            recipient=reservation.email,
            subject=_one_line(words.subject),
            text=render_template("mail/message.txt", **context),
            html=render_template("mail/message.html", **context),
            link=words.link,
            pictures=_pictures(reservation, content_id) if words.with_ticket else (),
            recipient_name=_one_line(name),
            calendar=calendar,
        )


def message_id(sending: str) -> str:
    """The Message-ID (RFC 5322) of one sending, the same at each of its tries.

    A mailbox knows by it what came twice by accident. What is sent again on purpose must arrive, and
    some servers drop an ID that they have seen: another sending, another ID.
    """
    return f"<{sending}@{_id_host()}>"


def _qr_content_id(mail: Mail) -> str:
    """Another one in each mail (RFC 2392): some clients keep a picture by it, for other mails too."""
    return f"qr.{mail.id}@{_id_host()}"


def _id_host() -> str:
    """The site's host as the right side of a Message-ID or Content-ID (RFC 5322, 3.6.4)."""
    host = site_host()
    return f"[IPv6:{host}]" if ":" in host else host


def _proven_name(reservation: Reservation) -> str:
    # Anybody can type any "name" with anybody's address: until the mailbox's owner confirmed, it is
    # a stranger's text, which must not reach them as ours.
    return reservation.name if reservation.state == State.CONFIRMED else ""


def _pictures(reservation: Reservation, content_id: str) -> tuple[Picture, ...]:
    picture = Picture(content_id, f"{reservation.reference}.png", qr_png(reservation))
    return (picture,)


def _ticket_urls(reservation: Reservation) -> dict[str, str]:
    token = make_token(Purpose.VISITOR, reservation.id)
    return {kind: site_url(f"bookings.{kind}", token=token) for kind in ("pdf", "ics")}


def _calendar(reservation: Reservation) -> CalendarFile | None:
    """The evening's entry as it is now, for who has had a ticket and so may have saved it."""
    if reservation.confirmed_at is None:
        return None
    content = event_ics(reservation)
    return CalendarFile(event_method(reservation), f"{reservation.reference}.ics", content)


def _one_line(text: str) -> str:
    """A header's value: a title with a line break in it must not begin another header."""
    spaced = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return " ".join(spaced.split())

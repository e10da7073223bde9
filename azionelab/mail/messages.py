"""From a mail's row to the message: recipient, subject, text, HTML, the ticket's QR."""

import unicodedata
from dataclasses import dataclass

from flask import render_template
from flask_babel import force_locale
from markupsafe import Markup

from azionelab.bookings.models import Reservation, State
from azionelab.bookings.tickets import qr_png
from azionelab.mail.models import Kind, Mail
from azionelab.mail.words import words_for
from azionelab.site import site_host


@dataclass(frozen=True)
class Picture:
    """A PNG that the HTML refers to by `cid:` and its Content-ID."""

    content_id: str
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


def render(mail: Mail) -> Message:
    """The message in the visitor's language, made anew from the reservation each time."""
    reservation = mail.reservation
    with force_locale(reservation.locale):
        words = words_for(Kind(mail.kind), reservation)
        name = _proven_name(reservation)
        content_id = _qr_content_id(mail)
        context = {
            "words": words,
            "reservation": reservation,
            "performance": reservation.performance,
            "name": name,
            "name_html": Markup("<bdi>{}</bdi>").format(name),
            "qr": content_id,
        }
        return Message(
            recipient=reservation.email,
            subject=_one_line(words.subject),
            text=render_template("mail/message.txt", **context),
            html=render_template("mail/message.html", **context),
            link=words.link,
            pictures=_pictures(reservation, content_id) if words.with_ticket else (),
            recipient_name=_one_line(name),
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


def _one_line(text: str) -> str:
    """A header's value: a title with a line break in it must not begin another header."""
    spaced = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return " ".join(spaced.split())

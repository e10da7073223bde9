"""Builds the message of a mail from its booking: recipient, subject, text, HTML, the ticket's QR."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import render_template
from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from azionelab.bookings.audience.models import AudienceMessage
from azionelab.bookings.audience.texts import write_message
from azionelab.bookings.audience.writing import needless_for
from azionelab.bookings.hand_over.mail import friend_link
from azionelab.bookings.mails.address_links import LINK_LIFE
from azionelab.bookings.mails.markup import booking_markup
from azionelab.bookings.mails.my_bookings import MY_BOOKINGS
from azionelab.bookings.mails.sent_texts import keep, read_kept
from azionelab.bookings.mails.superseded import (
    ENDED,
    OUTDATED,
    SUPERSEDED,
    UNSUBSCRIBED,
    is_outdated,
    is_superseded,
)
from azionelab.bookings.mails.templates.composing import MessageText
from azionelab.bookings.mails.templates.models import About
from azionelab.bookings.mails.templates.stored import read_own_texts
from azionelab.bookings.mails.templates.values import proven_name
from azionelab.bookings.mails.texts import OwnTexts, template_for, text_for
from azionelab.bookings.models import Reservation
from azionelab.bookings.reminders.answers import has_answered
from azionelab.bookings.reminders.confirming import answer_by
from azionelab.bookings.reminders.unsubscribing import KINDS, is_unsubscribed, unsubscribe_url
from azionelab.bookings.tickets.files import event_ics, event_method, place, qr_png
from azionelab.bookings.visitor_links import make_link_token
from azionelab.bookings.wallet.offers import offers_passes
from azionelab.database import db, now, transaction
from azionelab.mail.message import CalendarFile, Draft, KeptText, Message, Picture, id_host
from azionelab.mail.models import Delivery, Mail, MailKind, SentText
from azionelab.shows.models import Performance
from azionelab.web.site_urls import site_url

# A calendar entry that the visitor saved before these is out of date.
_CHANGES = (MailKind.MOVED, MailKind.CHANGED, MailKind.CANCELLED, MailKind.PERFORMANCE_CANCELLED)


def read_draft(mail_id: UUID) -> Draft | None:
    """Read what is to be sent for a mail, for `mail.delivery.deliver`; None when the mail was deleted."""
    performance = joinedload(Mail.reservation).joinedload(Reservation.performance)
    with transaction() as session:
        mail = session.scalars(
            select(Mail)
            .where(Mail.id == mail_id)
            .options(
                performance.joinedload(Performance.show),
                performance.joinedload(Performance.venue),
                joinedload(Mail.message),
                joinedload(Mail.hand_over),
            )
            .execution_options(populate_existing=True)
        ).one_or_none()
        if mail is None:
            return None
        superseded = is_superseded(session, mail)
        read = _Read.of(session, mail)
    # Off the session: building the message can fetch nothing, so no connection comes back into use.
    db.session.expunge_all()
    reservation: Reservation = mail.reservation
    needless = SUPERSEDED if superseded else None
    if needless is None and read.unsubscribed:
        needless = UNSUBSCRIBED
    is_answered = mail.kind == MailKind.QUESTION and read.answered
    if needless is None and (is_answered or is_outdated(mail, reservation, now())):
        needless = OUTDATED
    if needless is None and read.ended:
        needless = ENDED
    if needless is None and reservation.erasure_requested_at is not None:
        needless = ""
    if mail.message is not None and needless is None:
        needless = needless_for(mail.message, reservation)
    return Draft(mail.recipient, lambda: render(mail, read), needless)


@dataclass(frozen=True)
class _Read:
    """What a message is made of beside its booking: the theatre's own texts, and what the party has answered.

    `bookings` are those that "My bookings" lists; `ended` says that such a link or a friend's would lead to nothing.
    """

    own: OwnTexts
    answered: bool
    unsubscribed: bool
    bookings: Sequence[Reservation] = ()
    ended: bool = False

    @classmethod
    def of(cls, session: Session, mail: Mail) -> "_Read":
        reservation: Reservation = mail.reservation
        is_asked = mail.kind in (MailKind.REMINDER, MailKind.QUESTION)
        bookings: Sequence[Reservation] = ()
        ended = False
        if mail.kind == MailKind.HAND_OVER:
            ended = not (mail.hand_over.is_open(now()) and reservation.is_live)
        elif mail.kind == MailKind.MY_BOOKINGS:
            bookings = MY_BOOKINGS.find(reservation.email_key) if reservation.email_key else ()
            ended = not bookings
        return cls(
            read_own_texts(session, _locale(mail)),
            is_asked and has_answered(session, reservation),
            mail.kind in KINDS and is_unsubscribed(session, reservation),
            bookings,
            ended,
        )


def render(mail: Mail, read: _Read | None = None) -> Message:
    """Build the message in the visitor's language from the reservation as it is now, with what is kept of it.

    `read` is what was read for it before; without it, it is read now.
    """
    reservation: Reservation = mail.reservation
    if mail.message is not None:
        message = _render_message(mail.message, reservation)
    else:
        message = _render_booking(mail, reservation, read or _Read.of(db.session(), mail))
    is_link = mail.kind in (MailKind.MY_BOOKINGS, MailKind.HAND_OVER)
    token = message.link.rpartition("/")[2] if is_link else ""
    return replace(message, kept=keep(reservation, message, token))


def preview(mail: Mail) -> tuple[KeptText | None, bool]:
    """What a mail said when it was sent, or would say now; and whether it is the former.

    Private links are hidden. None when the visitor is erased.
    """
    reservation: Reservation = mail.reservation
    if reservation.erased_at is not None:
        return None, False
    sent = db.session.get(SentText, mail.id)
    was_sent = sent is not None and mail.delivery == Delivery.SENT
    kept = sent if was_sent else render(mail).kept
    return (read_kept(reservation, kept) if kept else None), was_sent


def _render_booking(mail: Mail, reservation: Reservation, read: _Read) -> Message:
    with force_locale(_locale(mail)):
        kind = MailKind(mail.kind)
        facts = _of_link(mail) or _of_curtain(mail, read) or mail.changed
        text = text_for(kind, reservation, read.own, facts)
        about = About.of(template_for(kind, reservation, facts))
        message = build(
            text,
            reservation,
            mail.id,
            calendar=_calendar(reservation) if kind in _CHANGES else None,
            unsubscribe=unsubscribe_url(kind, reservation),
            about=about,
            bookings=read.bookings,
        )
        return replace(message, recipient=mail.recipient)


def _locale(mail: Mail) -> str:
    return str(mail.hand_over.locale if mail.hand_over_id else mail.reservation.locale)


def _of_link(mail: Mail) -> dict[str, Any] | None:
    """What a mail about a link says; None of any other mail."""
    if mail.kind == MailKind.HAND_OVER:
        return {"link": friend_link(mail.hand_over), "answer_by": mail.hand_over.lapses_at}
    if mail.kind == MailKind.MY_BOOKINGS:
        hours = LINK_LIFE // timedelta(hours=1)
        return {"link": MY_BOOKINGS.make_url(mail.reservation), "hours": hours}
    return None


def _of_curtain(mail: Mail, read: _Read) -> dict[str, Any] | None:
    """What a reminder or question says beside its booking; None of any other mail."""
    if mail.curtain is None or mail.hours_before is None:
        return None
    until = mail.curtain - timedelta(hours=mail.hours_before)
    return {"answered": read.answered, "answer_by": until}


def build(
    text: MessageText,
    reservation: Reservation,
    mail_id: UUID,
    *,
    calendar: CalendarFile | None = None,
    ticket_urls: Mapping[str, str] | None = None,
    unsubscribe: str = "",
    about: About = About.BOOKING,
    bookings: Sequence[Reservation] = (),
) -> Message:
    """The message with a text, in the current language. `ticket_urls` replace the private ones in a test.

    Only what is `about` the booking itself has its private links. `bookings` are those of a list.
    """
    is_own = about is About.BOOKING
    content_id = _qr_content_id(mail_id)
    context = {
        "content": text,
        "reservation": reservation,
        "performance": reservation.performance,
        "place": place(reservation.performance.venue),
        "about": about.value,
        "bookings": bookings,
        "ticket_urls": ticket_urls or (_ticket_urls(reservation) if is_own else {}),
        "qr": content_id,
        "unsubscribe": unsubscribe,
        "confirm_again": is_own
        and reservation.is_live
        and answer_by(reservation.performance.starts_at, now()),
        "with_calendar": calendar is not None,
        "with_passes": calendar is not None and offers_passes(),
        "markup": booking_markup(reservation) if is_own and not ticket_urls else None,
    }
    return Message(
        recipient=reservation.email,
        subject=_one_line(text.subject),
        text=render_template("mail/message.txt", **context),
        html=render_template("mail/message.html", **context),
        link=text.link,
        pictures=_pictures(reservation, content_id) if text.with_ticket else (),
        # The name is not the friend's.
        recipient_name="" if about is About.EVENING else _one_line(proven_name(reservation)),
        calendar=calendar,
        unsubscribe=unsubscribe,
    )


def _render_message(message: AudienceMessage, reservation: Reservation) -> Message:
    written = write_message(message, reservation)
    return Message(
        recipient=reservation.email,
        subject=_one_line(written.subject),
        text=written.text,
        html=written.html,
        link=written.link,
        unsubscribe=written.unsubscribe,
        recipient_name=_one_line(proven_name(reservation)),
    )


def _qr_content_id(mail_id: UUID) -> str:
    """Another one in each mail (RFC 2392): some clients keep a picture by it, for other mails too."""
    return f"qr.{mail_id}@{id_host()}"


def _pictures(reservation: Reservation, content_id: str) -> tuple[Picture, ...]:
    picture = Picture(content_id, f"{reservation.reference}.png", qr_png(reservation))
    return (picture,)


def _ticket_urls(reservation: Reservation) -> dict[str, str]:
    token = make_link_token(reservation)
    pages = {"pdf": "pdf", "ics": "ics", "coming": "coming", "cancel": "cancel", "fewer": "booking"}
    urls = {name: site_url(f"bookings.{page}", token=token) for name, page in pages.items()}
    return urls | {"another_evening": f"{urls['fewer']}#evening"}


def _calendar(reservation: Reservation) -> CalendarFile | None:
    """The performance's calendar entry, for a visitor who has had a ticket and may have saved it."""
    if reservation.confirmed_at is None:
        return None
    content = event_ics(reservation)
    return CalendarFile(event_method(reservation), f"{reservation.reference}.ics", content)


def _one_line(text: str) -> str:
    """A header's value: a title with a line break in it must not begin another header."""
    spaced = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return " ".join(spaced.split())

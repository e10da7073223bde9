"""Every mail that the site sends: each kind about each state of a booking, without a database."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from flask import current_app, render_template
from flask_babel import force_locale, gettext

from azionelab.bookings.mails.address_links import write_message
from azionelab.bookings.mails.messages import render
from azionelab.bookings.mails.templates.models import TemplateName
from azionelab.bookings.mails.templates.stored import TextKey, shipped_in
from azionelab.bookings.mails.trials import build_text_trial
from azionelab.bookings.models import Reservation, State
from azionelab.mail.message import Message, message_id
from azionelab.mail.mime import encode
from azionelab.mail.models import Mail, MailKind
from azionelab.shows.models import Performance, Show, Venue

LOCALES = ("it", "en")
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Sample:
    """A mail: its name for people, its message, and the bytes that go over the wire."""

    name: str
    message: Message
    raw: bytes


def every_mail(
    title: str = "Sogno di una notte di mezza estate",
    visitor: str = "Niccolò D'Amico",
    sender: str = '"Teatro Comunale, Città di Bologna" <biglietteria@teatro.example>',
) -> Iterator[Sample]:
    """All of them, in each language; of several that say the same the first."""
    for locale in LOCALES:
        for state, reservation in _reservations(title, visitor, locale):
            said = set()
            for kind in MailKind:
                if kind in (MailKind.MY_BOOKINGS, MailKind.HAND_OVER):
                    continue  # below: they need more than a booking
                mail = Mail(id=uuid4(), kind=kind, reservation=reservation)
                if kind in (MailKind.REMINDER, MailKind.QUESTION, MailKind.NEAR):
                    mail.curtain, mail.hours_before = reservation.performance.starts_at, 24
                message = render(mail)
                if message.text not in said:
                    said.add(message.text)
                    yield _sample(f"{kind}, {state}, {locale}", message, sender)
        with force_locale(locale):
            yield _sample(f"reset, {locale}", _reset_mail(), sender)
            for text in (TemplateName.MY_BOOKINGS, TemplateName.FOR_FRIEND):
                key = TextKey(text, locale)
                message = build_text_trial(key, shipped_in(key), "b@teatro.example")
                yield _sample(f"{text}, {locale}", message, sender)
            for name, message in _about_links(
                _reservation(title, visitor, locale, State.CONFIRMED)
            ):
                yield _sample(f"{name}, {locale}", message, sender)
        ceded = _reservation(title, visitor, locale, State.CANCELLED, confirmed_at=NOW)
        mail = Mail(id=uuid4(), kind=MailKind.CANCELLED, reservation=ceded)
        mail.changed = {"handed_over": True}
        yield _sample(f"handed over, {locale}", render(mail), sender)


def _sample(name: str, message: Message, sender: str) -> Sample:
    reply_to = current_app.config["AZIONELAB"].contact_email
    letter = encode(message, message_id(str(uuid4())), sender=sender, reply_to=reply_to)
    return Sample(name, message, letter.as_bytes())


def _reset_mail() -> Message:
    link = "https://teatro.example/staff/reset/Im5vdGhpbmci.ZxYwVu.abcdefghijklmnop"
    return Message(
        recipient="anna@teatro.example",
        subject=gettext("Set a new password"),
        text=render_template("security/reset_mail.txt", link=link),
        html=render_template("security/reset_mail.html", link=link),
        link=link,
    )


def _about_links(reservation: Reservation) -> Iterator[tuple[str, Message]]:
    """The mails that have a template of their own."""
    link = "https://teatro.example/it/my-data/Im5vdGhpbmci.ZxYwVu.abcdefghijklmnop"
    facts = {
        "my_data": {"hours": 2},
        "data_erased": {"number": 2, "cancelled": [reservation], "kept": [reservation]},
    }
    for template, shown in facts.items():
        subject = gettext("Your data")
        yield template, write_message("b@teatro.example", subject, template, link=link, **shown)


def _reservations(title: str, visitor: str, locale: str) -> Iterator[tuple[str, Reservation]]:
    yield "waiting", _reservation(title, visitor, locale, State.PENDING)
    in_line = _reservation(title, visitor, locale, State.WAITING)
    in_line.waiting_since = NOW
    yield "in line", in_line
    out_of_line = _reservation(title, visitor, locale, State.WAITING)
    out_of_line.waiting_since = out_of_line.offered_at = NOW
    yield "offer lapsed", out_of_line
    yield "lapsed", _reservation(title, visitor, locale, State.EXPIRED)
    yield "confirmed", _reservation(title, visitor, locale, State.CONFIRMED, confirmed_at=NOW)
    yield "cancelled", _reservation(title, visitor, locale, State.CANCELLED, confirmed_at=NOW)
    off = _reservation(title, visitor, locale, State.CANCELLED, confirmed_at=NOW)
    off.performance.cancelled_at = NOW
    yield "called off", off


def _reservation(
    title: str, visitor: str, locale: str, state: State, confirmed_at: datetime | None = None
) -> Reservation:
    performance = Performance(
        id=7,
        version=1,
        show=Show(slug="a-show", title=title, duration_minutes=None),
        venue=Venue(name="Teatro Sociale", address="Piazza Cavour 3, 22100 Como"),
        starts_at=datetime(2031, 12, 22, 19, 30, tzinfo=UTC),
        cancelled_at=None,
    )
    return Reservation(
        id=uuid4(),
        reference="7K2MQX4R",
        performance_id=performance.id,
        performance=performance,
        name=visitor,
        email="niccolo@posta.example",
        locale=locale,
        seats=2,
        wheelchair_places=0,
        state=state,
        created_at=NOW,
        hold_expires_at=NOW + timedelta(minutes=30),
        confirmed_at=confirmed_at,
    )

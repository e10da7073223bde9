"""What goes over the wire: a strict parser reads back, byte by byte, what was meant."""

from datetime import UTC, datetime
from email.utils import quote

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import example, given, settings
from hypothesis import strategies as st

from azionelab.mail.message import Message
from azionelab.mail.mime import encode
from azionelab.web.dates import format_datetime
from tests.mail.corpus import every_mail
from tests.support import strict_mail
from tests.support.strict_mail import Part

ADDRESS = "ada@example.org"
SENDER = "box-office@theatre.example"

# Titles as theatres have them, and what has broken encoders: words that begin with accents, long
# words, what looks encoded already, quotes, commas, other scripts.
TITLES = [
    "Mutter Courage und ihre Kinder: ein Stück für Übergänge",
    "Così è (se vi pare), lunedì è già metà",
    "è à ì ò ù È À Ì Ò Ù perché città",
    "=?utf-8?q?ed=C3=AC?=",
    "a =?utf-8?b?w6w=?= b",
    "桜の園 🌸 " * 12,
    "שלום عليكم",
    "A" * 200,
    "à" * 200,
    'O\'Neill: "Anna", e altri; <b>@',
    "word " * 40,
    "_ = ? _=20 .",
    "👩‍👩‍👧‍👦" * 20,
]
NAMES = [
    "Teatro Comunale, Città di Bologna",
    "Teatro Comunale, Bologna",
    "Teatro (piccolo) di Prato",
    'Compagnia "I Giganti"',
    "Caffè @ teatro",
    "back\\slash",
    "=?utf-8?q?x?=",
    "St. Mary",
    "",
    "劇団" * 30,
    "A" * 120,
]
one_line = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"], include_characters=" "),
    max_size=200,
).map(lambda text: " ".join(text.split(" ")).strip())
letters = st.text(st.sampled_from("aeè ìòùàÜß,;:.\"'\\()<>@=?_ zTQ—"), max_size=200)
titles = st.sampled_from(TITLES) | one_line | letters
names = st.sampled_from(NAMES) | st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"], include_characters=" "),
    max_size=120,
)


def tidy(text: str) -> str:
    """A text as a title or a name is kept: one space between its words."""
    return " ".join(text.split())


def sent(message: Message, sender: str = SENDER, reply_to: str | None = None) -> Part:
    """The message as the mail server would get it, read strictly."""
    letter = encode(message, "<1@theatre.example>", sender=sender, reply_to=reply_to)
    return strict_mail.read(letter.as_bytes())


def a_message(subject: str = "Lear", name: str = "", text: str = "", html: str = "") -> Message:
    """A message with an address of somebody's."""
    return Message(ADDRESS, subject, text, html, link="", recipient_name=name)


@settings(deadline=None)
@given(titles.map(tidy), names.map(tidy), names.map(tidy))
@example("lunedì 21 dicembre", "Ada", NAMES[0])
def test_any_title_and_any_name_is_read_as_it_was_written(
    title: str, visitor: str, theatre: str
) -> None:
    sender = f'"{quote(theatre)}" <{SENDER}>' if theatre else SENDER
    read = sent(a_message(title, visitor), sender, reply_to=sender)
    assert strict_mail.unstructured(read.fields["subject"]) == title
    assert strict_mail.mailbox(read.fields["to"]) == (visitor, ADDRESS)
    assert strict_mail.mailbox(read.fields["from"]) == (theatre, SENDER)
    assert strict_mail.mailbox(read.fields["reply-to"]) == (theatre, SENDER)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t")))
@example(".\n..\nFrom me\n-- \n" + "è" * 1000 + "x" * 2000)
def test_any_body_is_read_as_it_was_written(body: str) -> None:
    read = sent(a_message(text=body, html=body))
    assert read.only("text/plain").text() == body
    assert read.only("text/html").text() == body


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("title", TITLES)
def test_italian_days_behind_a_title_are_no_trouble(in_app: Flask, title: str, number: int) -> None:
    with force_locale("it"):
        evening = format_datetime(datetime(2026, 12, 21 + number, 19, 30, tzinfo=UTC))
    subject = tidy(f"Confermate, per favore: {title}, {evening}")
    assert strict_mail.unstructured(sent(a_message(subject)).fields["subject"]) == subject


@settings(max_examples=10, deadline=None)
@given(titles.map(tidy).filter(bool), names.map(tidy).filter(bool), names.map(tidy))
@example(TITLES[0], "Niccolò D'Amico", NAMES[0])
def test_every_kind_of_mail_is_read_as_it_was_written(
    app: Flask, title: str, visitor: str, theatre: str
) -> None:
    sender = f'"{quote(theatre)}" <{SENDER}>' if theatre else SENDER
    content_ids = []
    with app.app_context():
        samples = list(every_mail(title, visitor, sender))
    for sample in samples:
        message, read = sample.message, strict_mail.read(sample.raw)
        assert strict_mail.unstructured(read.fields["subject"]) == message.subject
        assert strict_mail.mailbox(read.fields["from"]) == (theatre, SENDER)
        assert strict_mail.mailbox(read.fields["to"])[1] == message.recipient
        assert read.only("text/plain").text() == message.text
        assert read.only("text/html").text() == message.html
        assert [part.kind for part in read.walk()] == structure_of(message)
        for picture in message.pictures:
            part = read.only("multipart/related").parts[1]
            assert part.content == picture.content
            assert part.fields["content-id"] == f"<{picture.content_id}>"
            content_ids.append(picture.content_id)
        if message.calendar:
            part = read.only("text/calendar")
            assert part.content == message.calendar.content
            assert f'method="{message.calendar.method}"' in part.fields["content-type"]
    assert len(content_ids) == len(set(content_ids)) > 0


def structure_of(message: Message) -> list[str]:
    """The parts of a message, each before what is in it."""
    parts = ["multipart/alternative", "text/plain", "text/html"]
    if message.pictures:
        parts = [*parts[:2], "multipart/related", "text/html", "image/png"]
    return ["multipart/mixed", *parts, "text/calendar"] if message.calendar else parts


def test_only_who_confirmed_is_named_in_the_address(app: Flask) -> None:
    with app.app_context():
        named = {
            sample.name.split(", ")[1]: strict_mail.mailbox(
                strict_mail.read(sample.raw).fields["to"]
            )[0]
            for sample in every_mail(visitor="Win at casino.example")
        }
    # So have those in line, who took their place from the mailbox.
    for proven in ("confirmed", "in line", "offer lapsed"):
        assert named.pop(proven) == "Win at casino.example"
    assert set(named.values()) == {""}

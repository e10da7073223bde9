"""A message as it is handed to the mail server, and its Message-ID."""

from collections.abc import Callable
from dataclasses import dataclass

from azionelab.web.site_urls import site_host


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
class KeptText:
    """What is kept of a message that was sent: its subject and plain text, without names and private links."""

    subject: str
    text: str


@dataclass(frozen=True)
class Message:
    """A message ready to be sent. `link` is where its button leads: as secret as the mailbox itself.

    `unsubscribe` is where one ends mails of this sort, "" of those that one cannot do without.
    `kept` is what remains of it in the database once it is sent.
    """

    recipient: str
    subject: str
    text: str
    html: str
    link: str
    pictures: tuple[Picture, ...] = ()
    recipient_name: str = ""
    calendar: CalendarFile | None = None
    unsubscribe: str = ""
    kept: KeptText | None = None


@dataclass(frozen=True)
class Draft:
    """What is to be sent for a mail, as of now. `recipient` is "" when the address was erased.

    `build` makes the message without the database. `needless` is the remark of a mail that need not be sent
    any more, None of one that is to be sent.
    """

    recipient: str
    build: Callable[[], Message]
    needless: str | None = None


def message_id(sending: str) -> str:
    """The Message-ID (RFC 5322) of one sending, the same at each of its tries.

    By it a mailbox recognizes a message that arrives twice by accident. A message that is sent again on
    purpose must arrive, and some servers drop an ID that they have seen: each sending has its own ID.
    """
    return f"<{sending}@{id_host()}>"


def id_host() -> str:
    """The site's host as the right side of a Message-ID or Content-ID (RFC 5322, 3.6.4)."""
    host = site_host()
    return f"[IPv6:{host}]" if ":" in host else host

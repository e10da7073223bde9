"""Encodes a message for the mail server (RFC 5322, MIME).

Flask-Mail encodes header fields and then has a policy fold them once more, which breaks encoded
words and display names. Here each field is an `email.header.Header`, folded once, as it is written.
Everything is 7-bit, so that no server needs 8BITMIME.
"""

import re
from email import policy
from email.charset import QP, SHORTEST, Charset
from email.header import Header
from email.message import Message as Part
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.utils import format_datetime, parseaddr, quote
from typing import Any

from flask_mail import Message as FlaskMailMessage

from azionelab.database import now
from azionelab.mail.message import Message
from azionelab.validation.email_addresses import ascii_address

# A line with an encoded word has 76 characters at most, and the word 75 (RFC 2047, 2).
_POLICY = policy.compat32.clone(linesep="\r\n", max_line_length=76)
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ATOMS = re.compile(rf"{_ATOM}( {_ATOM})*")  # RFC 5322, 3.2.3: needs no quotes
_LONGEST_WORD = 60  # characters; a longer one cannot be folded
_UTF8 = Charset("utf-8")
_UTF8.header_encoding = SHORTEST
_UTF8.body_encoding = QP


class EncodedMessage(FlaskMailMessage):
    """A message for Flask-Mail's connection: the envelope's addresses, and the encoded content."""

    def __init__(self, sender: str, recipient: str, content: bytes) -> None:
        super().__init__(sender=sender, recipients=[recipient])
        self._content = content

    def as_bytes(self) -> bytes:
        """The encoded content."""
        return self._content


def encode(
    message: Message, message_id: str, *, sender: str, reply_to: str | None
) -> EncodedMessage:
    """Encode a message; ValueError when an address cannot be written.

    `sender` and `reply_to` are addresses or `Name <address>`, as the settings have them.
    """
    recipient = ascii_address(message.recipient)
    sender_name, sender_address = _parse(sender)
    content = _content(message)
    fields: dict[str, Any] = {
        "Subject": _unstructured("Subject", message.subject),
        "From": _mailbox("From", sender_name, sender_address),
        "To": _mailbox("To", message.recipient_name, recipient),
        "Date": format_datetime(now()),
        "Message-ID": message_id,
        # RFC 3834: ask for no out-of-office answers.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if message.unsubscribe:
        fields["List-Unsubscribe"] = f"<{message.unsubscribe}>"
        fields["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    if reply_to:
        fields["Reply-To"] = _mailbox("Reply-To", *_parse(reply_to))
    for name, value in fields.items():
        content[name] = value
    return EncodedMessage(sender_address, recipient, content.as_bytes(policy=_POLICY))


def _content(message: Message) -> Part:
    body = _body(message)
    if message.calendar is None:
        return body
    calendar = _text("calendar", message.calendar.content.decode())
    calendar.set_param("method", message.calendar.method)
    calendar.add_header("Content-Disposition", "attachment", filename=message.calendar.filename)
    return MIMEMultipart("mixed", _subparts=[body, calendar])


def _body(message: Message) -> Part:
    html: Part = _text("html", message.html)
    if message.pictures:
        html, page = MIMEMultipart("related", type="text/html"), html
        html.attach(page)
        for picture in message.pictures:
            image = MIMEImage(picture.content, "png")
            image.add_header("Content-ID", f"<{picture.content_id}>")
            image.add_header("Content-Disposition", "inline", filename=picture.filename)
            html.attach(image)
    # The last alternative is the best one (RFC 2046, 5.1.4).
    return MIMEMultipart("alternative", _subparts=[_text("plain", message.text), html])


def _text(subtype: str, text: str) -> Part:
    part = MIMENonMultipart("text", subtype)
    part.set_payload(text, _UTF8)
    return part


def _unstructured(field: str, text: str) -> Header:
    return Header(text, _UTF8 if _needs_encoding(text) else "us-ascii", header_name=field)


def _mailbox(field: str, name: str, address: str) -> Header:
    """`Name <address>`, or `<address>`: spam filters penalize an address without brackets."""
    written = Header(header_name=field)
    if _needs_encoding(name):
        written.append(name, _UTF8)
    elif name:
        written.append(name if _ATOMS.fullmatch(name) else f'"{quote(name)}"', "us-ascii")
    written.append(f"<{address}>", "us-ascii")
    return written


def _needs_encoding(text: str) -> bool:
    # "=?" in plain text would be read as the start of an encoded word.
    words = text.split(" ")
    return not text.isascii() or "=?" in text or any(len(word) > _LONGEST_WORD for word in words)


def _parse(person: str) -> tuple[str, str]:
    name, address = parseaddr(person)
    return name, ascii_address(address)

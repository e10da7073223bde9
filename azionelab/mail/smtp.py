"""Sends a message through the mail server, with Flask-Mail."""

import smtplib
import ssl
from dataclasses import replace
from functools import cache
from types import TracebackType
from typing import Any

import flask_mail
from flask import current_app

from azionelab.mail.message import Message, Picture
from azionelab.mail.mime import encode
from azionelab.mail.replies import Fault, Stage, enhanced_code, whose_fault
from azionelab.theme.in_mails import read_attached_logo
from azionelab.web.site_urls import site_host

_PERMANENT = range(500, 600)  # RFC 5321, 4.2.1


class Refused(Exception):
    """The server refuses this message for good. The reason has neither address nor text; `fault` is whose it is."""

    def __init__(self, reason: str, fault: Fault = Fault.RECIPIENT) -> None:
        super().__init__(reason)
        self.fault = fault


class Unreachable(Exception):
    """The server did not answer, or asks for another try later; with a reason as above."""


class ProviderRefused(Unreachable):
    """The server refuses us, whoever the recipient is: a fault of ours or of the provider's."""


def send(message: Message, message_id: str) -> None:
    """Send a message under a Message-ID; returns once the server has accepted it. Raises Refused, Unreachable.

    The errors do not quote the server's reply: it often repeats the address.
    """
    encoded = _encode(message, message_id)
    problem: Exception
    try:
        with _Connection(current_app.extensions["mail"]) as connection:
            connection.send(encoded)
            return
    except (UnicodeError, flask_mail.BadHeaderError) as error:
        problem = _invalid_address(error)
    except (smtplib.SMTPException, OSError) as error:
        problem = _classify_smtp_error(error)
    # Raised outside of the except block, so that no traceback shows the server's reply.
    raise problem


def log_in() -> None:
    """Connect, encrypt and log in as for a mail, and send none. Raises smtplib's errors and OSError as they come."""
    with _Connection(current_app.extensions["mail"]):
        pass


def _classify_smtp_error(error: smtplib.SMTPException | OSError) -> Exception:
    stage, code, reply = _reply_of(error)
    enhanced = enhanced_code(reply)
    status = ".".join(map(str, enhanced)) if enhanced else None
    reason = " ".join(str(part) for part in (type(error).__name__, code, status) if part)
    if code is None or code not in _PERMANENT:
        return Unreachable(reason)
    fault = whose_fault(stage, code, reply)
    return ProviderRefused(reason) if fault is Fault.PROVIDER else Refused(reason, fault)


def _reply_of(error: smtplib.SMTPException | OSError) -> tuple[Stage, int | None, bytes]:
    """The command, and the code and text of the server's reply; no code when it did not reply."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, reply = next(iter(error.recipients.values()))
            return Stage.RECIPIENT, code, reply
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
            stage = Stage.DATA if isinstance(error, smtplib.SMTPDataError) else Stage.SENDER
            return stage, code, said if isinstance(said, bytes) else said.encode()
    return Stage.SENDER, None, b""


def _encode(message: Message, message_id: str) -> flask_mail.Message:
    config = current_app.config["AZIONELAB"]
    try:
        return encode(
            with_logo(message),
            message_id,
            sender=config.mail_default_sender,
            reply_to=config.contact_email,
        )
    except ValueError as error:
        raise _invalid_address(error) from None


def with_logo(message: Message) -> Message:
    """The message with the theatre's logo among its pictures, if its HTML shows that."""
    logo = read_attached_logo(message.html)
    if logo is None:
        return message
    return replace(message, pictures=(*message.pictures, Picture(logo[0], "logo.png", logo[1])))


def _invalid_address(error: Exception) -> Refused:
    return Refused(f"{type(error).__name__}: the address cannot be written to")


class _Connection(flask_mail.Connection):
    """Flask-Mail's connection, which has no timeout, checks no certificate and prints in debug."""

    def configure_host(self) -> smtplib.SMTP:
        """A connection that is greeted, encrypted and logged in as the settings say."""
        timeout = current_app.config["AZIONELAB"].mail_timeout_seconds
        options: dict[str, Any] = {"timeout": timeout, "local_hostname": _greeting_name()}
        # SSL_CERT_FILE names authorities of the theatre's own (docs/configuration.md).
        tls = _tls(ssl.get_default_verify_paths())
        host: smtplib.SMTP
        if self.mail.use_ssl:
            host = smtplib.SMTP_SSL(self.mail.server, self.mail.port, context=tls, **options)
        else:
            host = smtplib.SMTP(self.mail.server, self.mail.port, **options)
        try:
            if self.mail.use_tls:
                host.starttls(context=tls)
            # With a name there is a password: the settings refuse one without the other.
            if self.mail.username:
                host.login(self.mail.username, self.mail.password)
        except BaseException:
            host.close()
            raise
        return host

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.host is None:
            return
        try:
            # The message is accepted or refused by now: a failing QUIT changes neither.
            self.host.quit()
        except (smtplib.SMTPException, OSError):
            self.host.close()


@cache
def _tls(_authorities: ssl.DefaultVerifyPaths) -> ssl.SSLContext:
    # Made once: reading the authorities' certificates takes longer than the rest of a mail.
    return ssl.create_default_context()


def _greeting_name() -> str:
    # Without it smtplib asks the network for the machine's name, which may be slow.
    host = site_host()
    return f"[{host}]" if host.replace(".", "").isdigit() else host

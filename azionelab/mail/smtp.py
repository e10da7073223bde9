"""Sends a message through the mail server, with Flask-Mail."""

import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
_DONE = 250
_IDLE = 10.0  # seconds that a connection is kept for the next letter
_MOST_LETTERS = 50  # over one connection: servers have limits of a hundred and more


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
        if _kept is None or not _kept.send(encoded):
            _hand_over(encoded)
        return
    except (UnicodeError, flask_mail.BadHeaderError) as error:
        problem = _invalid_address(error)
    except (smtplib.SMTPException, OSError) as error:
        problem = _classify_smtp_error(error)
    # Raised outside of the except block, so that no traceback shows the server's reply.
    raise problem


def _hand_over(encoded: flask_mail.Message) -> None:
    """Send a message on a new connection."""
    connection = _Connection(current_app.extensions["mail"])
    connection.__enter__()
    _send_on(connection, encoded)


def _send_on(connection: "_Connection", encoded: flask_mail.Message) -> None:
    """Send a message, then end the connection unless this process keeps it for the next one."""
    try:
        connection.send(encoded)
    except BaseException:
        connection.hang_up()
        raise
    if _kept is None or not _kept.keep(connection):
        connection.hang_up()


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
        self.hang_up()

    def hang_up(self) -> None:
        """End the connection."""
        if self.host is None:
            return
        try:
            # The message is accepted or refused by now: a failing QUIT changes neither.
            self.host.quit()
        except (smtplib.SMTPException, OSError):
            self.host.close()

    def is_alive(self) -> bool:
        """Whether the server still listens; it forgets a message that was begun (RFC 5321, 4.1.1.5)."""
        try:
            return self.host is not None and self.host.rset()[0] == _DONE
        except (smtplib.SMTPException, OSError):
            return False


class _KeptConnections:
    """Connections that were used and wait for the next letter: logging in takes longer than sending it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[_Connection, float]] = []  # and until when by the monotonic clock

    def keep(self, connection: _Connection) -> bool:
        """Keep a connection that has just taken a letter; False when it took _MOST_LETTERS."""
        if connection.num_emails >= _MOST_LETTERS:
            return False
        with self._lock:
            self._waiting.append((connection, time.monotonic() + _IDLE))
        return True

    def send(self, encoded: flask_mail.Message) -> bool:
        """Send a message on a kept connection; False when there is none, or the server refuses it there.

        A refusal may be of the connection, which had its share of letters: only a new one decides about the letter.
        A connection that is lost on the way raises, as a new one does: the server may have the letter already.
        """
        connection = self._take()
        if connection is None:
            return False
        try:
            _send_on(connection, encoded)
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused):
            return False
        return True

    def _take(self) -> _Connection | None:
        while True:
            with self._lock:
                connection, until = self._waiting.pop() if self._waiting else (None, 0.0)
            if connection is None:
                return None
            if time.monotonic() < until and connection.is_alive():
                return connection
            connection.hang_up()

    def hang_up(self, *, idle: bool = False) -> None:
        """End all connections, or those that waited for too long."""
        at = time.monotonic()
        with self._lock:
            over = [one for one, until in self._waiting if not idle or until <= at]
            self._waiting = [each for each in self._waiting if each[0] not in over]
        for connection in over:
            connection.hang_up()


_kept: _KeptConnections | None = None


@contextmanager
def kept_connections() -> Iterator[None]:
    """Keep connections to the mail server in this process while the block runs: the worker's letters share them."""
    global _kept  # noqa: PLW0603 (one worker in a process)
    _kept = kept = _KeptConnections()
    try:
        yield
    finally:
        _kept = None
        kept.hang_up()


def end_idle_connections() -> None:
    """End the kept connections that no letter has used for a while."""
    if _kept is not None:
        _kept.hang_up(idle=True)


@cache
def _tls(_authorities: ssl.DefaultVerifyPaths) -> ssl.SSLContext:
    # Made once: reading the authorities' certificates takes longer than the rest of a mail.
    return ssl.create_default_context()


def _greeting_name() -> str:
    # Without it smtplib asks the network for the machine's name, which may be slow.
    host = site_host()
    return f"[{host}]" if host.replace(".", "").isdigit() else host

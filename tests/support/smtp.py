"""An SMTP server for tests, on a port of this machine."""

import email
import email.policy
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.processes import eventually, free_port


@dataclass(frozen=True)
class Delivered:
    """An accepted message with its envelope."""

    sender: str
    recipients: list[str]
    message: EmailMessage

    def text(self) -> str:
        """Its plain text."""
        return self._part("plain")

    def html(self) -> str:
        """Its HTML."""
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None, f"the message has no text/{kind}"
        return str(part.get_content())


class SmtpServer:
    """Collects messages in `messages`, or refuses them on request.

    `answer` is called for every message, before it is accepted, with the message; what it returns is
    the reply ("451 later", "550 no such user"), None accepts. `refuse_recipients` answers RCPT TO,
    `refuse_senders` MAIL FROM, `farewell` QUIT. `greetings` are the names by which it was greeted.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = free_port()
        self.messages: list[Delivered] = []
        self.answer: Callable[[Delivered], str | None] = lambda _: None
        self.refuse_recipients: str | None = None
        self.refuse_senders: str | None = None
        self.farewell = "221 Bye"
        self.attempts = self.farewells = 0
        self.greetings: list[str | None] = []
        self._lock = threading.Lock()
        self._controller: Controller | None = None

    def start(self) -> None:
        """Listen, on the same port as before."""
        self._controller = Controller(self, hostname=self.host, port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening; connections are refused until the next `start`."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def refuse(self, reply: str) -> None:
        """Answer every message with `reply`, such as "451 try later"."""
        self.answer = lambda _: reply

    def accept(self) -> None:
        """Accept everything again."""
        self.answer = lambda _: None
        self.refuse_recipients = self.refuse_senders = None

    def wait_for(self, count: int = 1, *, to: str | None = None) -> list[Delivered]:
        """The messages (to one address), once there are at least `count`."""

        def found() -> list[Delivered]:
            with self._lock:
                mine = [m for m in self.messages if to is None or to in m.recipients]
            return mine if len(mine) >= count else []

        return eventually(found, f"{count} message(s)")

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.greetings.append(session.host_name)
        if self.refuse_senders:
            self.attempts += 1
            return self.refuse_senders
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.refuse_recipients:
            self.attempts += 1
            return self.refuse_recipients
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        delivered = Delivered(envelope.mail_from or "", list(envelope.rcpt_tos), message)
        self.attempts += 1
        reply = self.answer(delivered)
        if reply:
            return reply
        with self._lock:
            self.messages.append(delivered)
        return "250 OK"

    async def handle_QUIT(  # noqa: N802
        self, _server: SMTP, _session: Session, _envelope: Envelope
    ) -> str:
        self.farewells += 1
        return self.farewell

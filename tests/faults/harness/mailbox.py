"""A mail server that can be slow, hang up in the middle, and count what arrives twice."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from uuid import UUID

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.smtp import SmtpServer

_MAIL = re.compile(r"<([0-9a-f-]{36})\.\d+@")  # the mail's row, in the Message-ID of each sending
_CONFIRM = re.compile(r"/bookings/confirm/([\w-]{43})")
_REFERENCE = re.compile(r"Reference: (\w{8})")


class _Interrupting(SMTP):
    """Hangs up after the first line of a message, while its server says so."""

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 (aiosmtpd's name)
        if not self.event_handler.interrupts:
            await super().smtp_DATA(arg)
            return
        self.event_handler.interrupted += 1
        await self.push("354 go on")
        await self._reader.readline()
        self.transport.abort()
        raise ConnectionResetError


class _Listening(Controller):
    def factory(self) -> SMTP:
        return _Interrupting(self.handler, **self.SMTP_kwargs)


class Mailbox(SmtpServer):
    """Collects what arrives. `seconds` are how long it takes for each message, before it keeps and answers it.

    With `interrupts` it hangs up in the middle of a message; with `forgets_to_answer` it keeps a message and hangs up
    in place of the answer. `kept` is called after a message is kept and before it is answered.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.interrupts = self.forgets_to_answer = False
        self.interrupted = 0
        self.kept: Callable[[], None] = lambda: None
        self._links: dict[str, str] = {}
        self._references: dict[str, str] = {}

    def start(self) -> None:
        self._controller = _Listening(self, hostname=self.host, port=self.port)
        self._controller.start()

    def link(self, address: str) -> str | None:
        """The token of the link that confirms, once it was mailed to an address."""
        return self._links.get(address)

    def reference(self, address: str) -> str | None:
        """The reference that was mailed to an address."""
        return self._references.get(address)

    def copies(self) -> Counter[UUID]:
        """How often each mail has arrived, by its row's id."""
        found = (_MAIL.match(str(each.message["Message-ID"])) for each in list(self.messages))
        return Counter(UUID(match[1]) for match in found if match)

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        before = len(self.messages)
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.messages) == before:
            return answer
        self._read(before)
        self.kept()
        if self.forgets_to_answer:
            server.transport.abort()
        return answer

    def _read(self, number: int) -> None:
        arrived = self.messages[number]
        text, (address,) = arrived.text(), arrived.recipients
        if link := _CONFIRM.search(text):
            self._links[address] = link[1]
        if reference := _REFERENCE.search(text):
            self._references[address] = reference[1]

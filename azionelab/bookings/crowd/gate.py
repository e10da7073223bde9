"""Whether a visitor has to wait before booking: the form and the API ask, the queue answers (azionelab/queue/pages/gate.py)."""

from collections.abc import Callable
from typing import Protocol

from flask import current_app
from sqlalchemy.orm import Session

EXTENSION = "booking_gate"
# Uses a turn up, in the transaction of what it is for. Raises TurnOver.
Turn = Callable[[Session], None]


class Gate(Protocol):
    """Who waits. The addresses are those of the pages where they do."""

    def leads_browser_to(self, performance_id: int, *, is_open: bool) -> str | None:
        """Where whoever asks for the form has to wait, or can before booking `is_open`; None when they may book."""

    def leads_mailbox_to(self, performance_id: int, mailbox: str) -> str | None:
        """Where a mailbox has to wait that wants to book; None when it may."""

    def party_limit(self, performance_id: int, limit: int) -> int:
        """The most seats of a visitor's booking now, where the performance allows `limit`."""

    def turn(self, performance_id: int, mailbox: str) -> Turn | None:
        """What uses up the turn of a mailbox that books, or goes on the waitlist; None where nobody waits."""

    def note_corrected(self, performance_id: int, mailbox: str, corrected: str) -> None:
        """A booking of a mailbox is about to be corrected to another one, which needs no turn of its own."""


def gate() -> Gate:
    """This site's gate."""
    found: Gate = current_app.extensions[EXTENSION]
    return found

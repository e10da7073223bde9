"""Whether a visitor has to wait before booking: the form and the API ask, the queue answers (azionelab/queue/pages/gate.py)."""

from typing import Protocol

from flask import current_app

EXTENSION = "booking_gate"


class Gate(Protocol):
    """Who waits. The addresses are those of the pages where they do."""

    def leads_browser_to(self, performance_id: int, *, is_open: bool) -> str | None:
        """Where whoever asks for the form has to wait, or can before booking `is_open`; None when they may book."""

    def leads_mailbox_to(self, performance_id: int, mailbox: str) -> str | None:
        """Where a mailbox has to wait that wants to book; None when it may."""

    def party_limit(self, performance_id: int, limit: int) -> int:
        """The most seats of a visitor's booking now, where the performance allows `limit`."""

    def note_booked(self, performance_id: int, mailbox: str) -> None:
        """Count a mailbox that has booked, or is on the waitlist, as inside no longer."""

    def note_corrected(self, performance_id: int, mailbox: str, corrected: str) -> None:
        """A booking of a mailbox is about to be corrected to another one, which needs no turn of its own."""


def gate() -> Gate:
    """This site's gate."""
    found: Gate = current_app.extensions[EXTENSION]
    return found

"""The gate before the booking form and the bookings API, while there is a line."""

from flask import Flask
from flask import session as browser
from sqlalchemy.orm import Session

from azionelab.bookings.crowd.gate import EXTENSION, Turn
from azionelab.bookings.errors import TurnOver
from azionelab.database import now
from azionelab.queue.lines import line_before
from azionelab.queue.models import Line, Place
from azionelab.queue.pages.addresses import join_address, place_address
from azionelab.queue.places import (
    find_place,
    may_mailbox_book,
    pass_to_mailbox,
    place_id_of,
    use_turn,
)
from azionelab.web.rate_limits import visitor_network

# The session's key of the places of this browser, as tokens by their line's id.
PLACES = "queue_places"


class QueueGate:
    """Lets in whom the line has let in. The box office never waits."""

    def leads_browser_to(self, performance_id: int, *, is_open: bool) -> str | None:
        """Where whoever asks for the form has to wait, or can before booking `is_open`; None when they may book."""
        at = now()
        line = _line(performance_id)
        if line is None or (is_open and at < line.opens_at):
            return None
        if place := place_of_browser(line):
            if place.may_book(line, at) and place.entered_at:
                return None
            return place_address(place.id, performance_id)
        return join_address(line.id, performance_id)

    def leads_mailbox_to(self, performance_id: int, mailbox: str) -> str | None:
        """Where a mailbox has to wait that wants to book; None when it may."""
        at = now()
        line = _line(performance_id)
        if line is None or at < line.opens_at or may_mailbox_book(line, mailbox, at):
            return None
        return join_address(line.id, performance_id)

    def party_limit(self, performance_id: int, limit: int) -> int:
        """The most seats of a visitor's booking now, where the performance allows `limit`."""
        line = _line(performance_id)
        return line.party_limit(limit) if line and now() >= line.opens_at else limit

    def turn(self, performance_id: int, mailbox: str) -> Turn | None:
        """What uses up the turn of a mailbox that books, or goes on the waitlist; None where nobody waits."""
        line = _line(performance_id)
        if line is None or now() < line.opens_at:
            return None
        line_id, queue = line.id, join_address(line.id, performance_id)

        def use(session: Session) -> None:
            # Of two bookings at once the second one waits here for the first, and finds the turn used.
            if not use_turn(session, line_id, mailbox):
                raise TurnOver(queue)

        return use

    def note_corrected(self, performance_id: int, mailbox: str, corrected: str) -> None:
        """A booking of a mailbox is about to be corrected to another one, which needs no turn of its own."""
        if mailbox != corrected and (line := _line(performance_id)):
            pass_to_mailbox(line.id, mailbox, corrected)


def init_gate(app: Flask) -> None:
    """Put the queue before the application's booking forms."""
    app.extensions[EXTENSION] = QueueGate()


def place_of_browser(line: Line) -> Place | None:
    """The place in a line that this browser has a cookie of."""
    token = browser.get(PLACES, {}).get(str(line.id))
    place_id = place_id_of(token) if token else None
    return find_place(place_id) if place_id else None


def keep_in_browser(line_id: int, token: str) -> None:
    """Let this browser remember a place, beside those in other lines."""
    kept = browser.get(PLACES, {})
    if kept.get(str(line_id)) != token:
        browser[PLACES] = {**dict(list(kept.items())[-3:]), str(line_id): token}


def _line(performance_id: int) -> Line | None:
    return None if visitor_network() is None else line_before(performance_id, now())

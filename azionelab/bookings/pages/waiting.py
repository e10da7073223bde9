"""Whether a booking has to wait in line first: the same for the form and the API."""

from uuid import UUID

from flask import redirect
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.crowd.gate import gate
from azionelab.bookings.models import Reservation
from azionelab.bookings.rules import Visitor, request_key_of
from azionelab.database import db
from azionelab.shows.facts.seating import Places
from azionelab.shows.programme import Listing, Status


def lead_to_line(performance: Listing) -> AnyResponse | None:
    """The way to the queue, when this browser has to wait there, or can before booking opens."""
    is_open = performance.status is not Status.NOT_YET_OPEN
    queue = gate().leads_browser_to(performance.id, is_open=is_open)
    return redirect(queue, 303) if queue else None


def waitlist_has_line(performance: Listing) -> bool:
    """Whether the waitlist's form is for those in line first: also while the last seats are too few for a party."""
    return performance.status in (Status.OPEN, Status.SOLD_OUT)


def lead_to_line_of_waitlist(performance: Listing) -> AnyResponse | None:
    """The way to the queue, when this browser has to wait there: the waitlist is filled in the order of the line."""
    return lead_to_line(performance) if waitlist_has_line(performance) else None


def line_before(
    performance_id: int, visitor: Visitor, wanted: Places, press: UUID | None
) -> str | None:
    """The page where a booking's mailbox has to wait; None when it may book.

    The same press or request sent again does not wait once it is booked, also after the turn: `reserve` answers it
    with its booking. Nobody else knows its key.
    """
    queue = gate().leads_mailbox_to(performance_id, visitor.email_key)
    if queue is None or press is None:
        return queue
    key = request_key_of(press, performance_id, visitor, wanted)
    booked = select(Reservation.id).where(Reservation.is_live, Reservation.request_key == key)
    return queue if db.session.scalar(booked) is None else None

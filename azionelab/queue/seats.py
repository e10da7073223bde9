"""The seats behind a line: how many people certainly find some, and whether any are left.

Whoever is let in finds seats, however quickly others type. Only who takes the last ones of an evening may find fewer than
they want.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import cast

from flask import Flask, current_app
from sqlalchemy import func, select, true

from azionelab.bookings.models import Reservation, unconfirmed
from azionelab.database import db, now
from azionelab.queue.models import Line
from azionelab.shows.models import Performance, Show
from azionelab.shows.programme import Listing, Status, list_performances, programme
from azionelab.shows.window import Window

_EXTENSION = "queue_sold_out"
_REMEMBERED = 2.0  # seconds


@dataclass(frozen=True)
class Outlook:
    """What a line's pages say of its seats: whether a turn is for the waitlist only, and how many evenings are open."""

    sold_out: bool = False
    evenings: int = 1


# By line: the answer, and until when it is used by this process's monotonic clock.
_Kept = dict[int, tuple[Outlook, float]]


@dataclass(frozen=True)
class SeatsBehind:
    """The seats behind a line: how many `bookings` certainly find seats, each evening's last one perhaps fewer.

    `are_gone` when nothing behind the line can be booked now, or before a turn that begins now is over: the turn is for
    the waitlist then. `on_sale` when anything is open for booking.
    """

    bookings: int
    are_gone: bool = False
    on_sale: bool = True

    def room_beside(self, inside: int) -> int:
        """How many more may come in beside so many who have not booked."""
        return _MANY if self.are_gone else max(0, self.bookings - inside)


_MANY = 2**31


def init_sold_out(app: Flask) -> None:
    """Create the application's memory of whether seats are left."""
    app.extensions[_EXTENSION] = _Kept()


def outlook(line: Line) -> Outlook:
    """What can be said of the seats behind a line. Each process looks once in two seconds."""
    kept = cast("_Kept", current_app.extensions[_EXTENSION])
    answer, until = kept.get(line.id, (Outlook(), 0.0))
    at = time.monotonic()
    if at < until:
        return answer
    # Others go on with the old answer while this thread looks.
    kept[line.id] = answer, at + _REMEMBERED
    behind = _performances(line, now())
    evenings = sum(each.published and each.window is Window.OPEN for each in behind)
    answer = Outlook(_are_gone(line, behind), evenings)
    kept[line.id] = answer, at + _REMEMBERED
    return answer


def read_seats(line: Line, at: datetime) -> SeatsBehind:
    """The seats behind a line, in the evenings that are open for booking."""
    # Read before the seats: a booking that is confirmed in between counts twice, and not as neither.
    promised = _promised(line, at)
    behind = _performances(line, at)
    evenings = [each for each in behind if each.published and each.window is Window.OPEN]
    bookings = 0
    for each in evenings:
        free = max(0, each.unheld_seats - promised.get(each.id, 0))
        bookings += ceil(free / line.party_limit(each.party_limit))
    return SeatsBehind(bookings, _are_gone(line, behind), bool(evenings))


def _promised(line: Line, at: datetime) -> dict[int, int]:
    """The seats of bookings that hold none until they are confirmed, by performance: they may take free ones."""
    shows = Performance.show_id == line.show_id if line.show_id else true()
    rows = db.session.execute(
        select(Reservation.performance_id, func.sum(Reservation.seats))
        .where(
            Reservation.performance_id.in_(
                select(Performance.id).where(shows, Performance.starts_at > at)
            ),
            unconfirmed(at),
            ~Reservation.holds_seats,
            Reservation.waiting_since.is_(None),
        )
        .group_by(Reservation.performance_id)
    )
    return {performance: int(seats) for performance, seats in rows}


def _are_gone(line: Line, behind: Sequence[Listing]) -> bool:
    """Whether a turn that begins now can only be for the waitlist.

    An evening that opens later keeps nobody waiting who came for one that is sold out.
    """
    statuses = {each.status for each in behind}
    if Status.OPEN in statuses or any(
        each.status is Status.NOT_YET_OPEN and each.booking_opens_at <= each.read_at + line.stay
        for each in behind
    ):
        return False
    return Status.SOLD_OUT in statuses or Status.NOT_YET_OPEN not in statuses


def _performances(line: Line, at: datetime) -> Sequence[Listing]:
    """What can be booked behind a line: behind the site's not the shows that have one of their own."""
    if line.show_id is None:
        own = select(Line.show_id).where(
            Line.show_id.is_not(None), Line.ended_at.is_(None), Line.opens_at <= at
        )
        with_own_line = set(db.session.scalars(own))
        return [each for each in programme(at) if each.show_id not in with_own_line]
    show = db.session.get(Show, line.show_id)
    return list_performances(show, at) if show else []

"""The seats behind a line: for how many people they suffice for certain, and whether any are left.

Whoever is let in finds seats, however quickly others type: nobody is let in whose seats somebody inside may still take.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import Flask, current_app
from sqlalchemy import func, select

from azionelab.bookings.models import Reservation, unconfirmed
from azionelab.database import db, now
from azionelab.queue.models import Line
from azionelab.shows.models import Show
from azionelab.shows.programme import Listing, Status, list_performances, programme
from azionelab.shows.window import Window

_EXTENSION = "queue_sold_out"
_REMEMBERED = 2.0  # seconds
# By line: the answer, and until when it is used by this process's monotonic clock.
_Kept = dict[int, tuple[bool, float]]


@dataclass(frozen=True)
class SeatsBehind:
    """The seats behind a line: `free` ones, and the `bookings` of the largest size that certainly fit into them.

    While bookings that hold nothing yet may take seats too, `free` is 0: the last ones wait for these. `are_gone` when
    nothing behind the line can be booked now or later: the turn is for the waitlist then.
    """

    free: int
    bookings: int
    are_gone: bool = False

    def room_beside(self, inside: int) -> int:
        """How many more may come in beside so many who have not booked."""
        if self.are_gone:
            return _MANY
        # The last seats, too few for a whole booking, are for one person at a time.
        last = 1 if self.free and not inside else 0
        return max(last, self.bookings - inside)


_MANY = 2**31


def init_sold_out(app: Flask) -> None:
    """Create the application's memory of whether seats are left."""
    app.extensions[_EXTENSION] = _Kept()


def is_sold_out(line: Line) -> bool:
    """Whether nothing behind the line can be booked now or later. Each process looks once in two seconds."""
    kept = cast("_Kept", current_app.extensions[_EXTENSION])
    answer, until = kept.get(line.id, (False, 0.0))
    at = time.monotonic()
    if at < until:
        return answer
    # Others go on with the old answer while this thread looks.
    kept[line.id] = answer, at + _REMEMBERED
    answer = _are_gone(_performances(line, now()))
    kept[line.id] = answer, at + _REMEMBERED
    return answer


def read_seats(line: Line, at: datetime) -> SeatsBehind:
    """The seats behind a line, in the evenings that are open for booking."""
    behind = _performances(line, at)
    evenings = [each for each in behind if each.published and each.window is Window.OPEN]
    promised = _promised([each.id for each in evenings], at)
    free = [max(0, each.unheld_seats - promised.get(each.id, 0)) for each in evenings]
    most = [line.party_limit(each.party_limit) for each in evenings]
    bookings = sum(seats // size for seats, size in zip(free, most, strict=True))
    return SeatsBehind(0 if promised else sum(free), bookings, _are_gone(behind))


def _promised(performances: Sequence[int], at: datetime) -> dict[int, int]:
    """The seats of bookings that hold none until they are confirmed, by performance: they may take free ones."""
    rows = db.session.execute(
        select(Reservation.performance_id, func.sum(Reservation.seats))
        .where(
            Reservation.performance_id.in_(performances),
            unconfirmed(at),
            ~Reservation.holds_seats,
            Reservation.waiting_since.is_(None),
        )
        .group_by(Reservation.performance_id)
    )
    return {performance: int(seats) for performance, seats in rows}


def _are_gone(behind: Sequence[Listing]) -> bool:
    return all(each.status not in (Status.OPEN, Status.NOT_YET_OPEN) for each in behind)


def _performances(line: Line, at: datetime) -> Sequence[Listing]:
    if line.show_id is None:
        return programme(at)
    show = db.session.get(Show, line.show_id)
    return list_performances(show, at) if show else []

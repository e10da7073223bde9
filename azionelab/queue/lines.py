"""Lines: opening and ending one, and those that are there now, which each process reads once a second."""

import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from flask import Flask, current_app
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from azionelab.bookings.crowd.pressure import pressure
from azionelab.database import db, now, transaction, violated_constraint
from azionelab.database.actors import Actor, announce
from azionelab.queue.advance import LINE, advance, count_inside, is_due
from azionelab.queue.models import Line, Origin
from azionelab.shows.models import Performance

PER_MINUTE, INSIDE, STAY_MINUTES = 100, 500, 10  # of a line, unless staff say otherwise
MOST_SEATS = 4  # of a booking, which staff are offered for a line that they open
LONGEST = timedelta(hours=24)  # after it opened, a line ends by itself
# After its end a line can be put on again, with all places.
KEPT = timedelta(hours=1)
_LEAST = timedelta(minutes=10)  # that a line stays which the load opened
_LOAD = Actor(source="program")  # who opens and ends a line because of the load, whoever asks then
_REMEMBERED = 1.0  # seconds that a process uses what it read


class LineExists(Exception):
    """There is a line for the same show, or for the whole site, already."""


class PaceChanged(Exception):
    """Somebody else changed the line's pace after it was shown."""


@dataclass(frozen=True)
class Pace:
    """How fast a line lets in: so many a minute, so many inside at once, each for so many minutes and seats.

    Without `most_seats` a booking has as many as the performance allows.
    """

    per_minute: int = PER_MINUTE
    inside_limit: int = INSIDE
    stay_minutes: int = STAY_MINUTES
    most_seats: int | None = None

    @classmethod
    def of(cls, line: Line) -> "Pace":
        """A line's."""
        return cls(line.per_minute, line.inside_limit, line.stay_minutes, line.most_seats)

    @property
    def turn(self) -> tuple[int, int | None]:
        """What whoever is let in is told."""
        return self.stay_minutes, self.most_seats

    def __str__(self) -> str:
        return f"{self.per_minute}/{self.inside_limit}/{self.stay_minutes}/{self.most_seats or ''}"

    def is_slower_than(self, other: "Pace") -> bool:
        """Whether somebody who waits may wait longer than at the other pace."""
        return (
            self.per_minute < other.per_minute
            or self.inside_limit < other.inside_limit
            or self.stay_minutes > other.stay_minutes
        )


class TurnFixed(Exception):
    """People were let in who were told how long they have to book, and how many seats."""


class LineGone(Exception):
    """The line was deleted, or is over for too long."""


_USUAL = Pace()


class LiveLines:
    """The lines that have not ended, as this process read them within the last second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: list[Line] | None = None  # None: not read yet
        self._until = 0.0  # by this process's monotonic clock
        self._reads = 0

    def read(self) -> list[Line]:
        """The lines. Whoever reads them anew moves them forward as well."""
        with self._lock:
            if self._lines is None:
                # All wait for the first reading: without it nobody would have to wait in line.
                self._lines = _move_and_read()
                self._until = time.monotonic() + _REMEMBERED
                return self._lines
            if time.monotonic() < self._until:
                return self._lines
            # Others go on with the old ones while this thread reads.
            self._until = time.monotonic() + _REMEMBERED
            self._reads += 1
            reading = self._reads
        try:
            lines = _move_and_read()
        except BaseException:
            self._until = 0.0
            raise
        with self._lock:
            if reading == self._reads and self._lines is not None:
                self._lines = lines
        return lines

    def forget(self) -> None:
        """Read anew next time: a line was changed here."""
        self._lines = None


def init_queue(app: Flask) -> None:
    """Create the application's memory of its lines."""
    app.extensions["queue_lines"] = LiveLines()


def live_lines() -> LiveLines:
    """The lines that there are."""
    lines: LiveLines = current_app.extensions["queue_lines"]
    return lines


def line_before(performance_id: int, at: datetime) -> Line | None:
    """The line in which visitors wait for a performance's form, or can already join.

    An open one before one that only opens, then that of the show before the site's.
    """
    lines = [line for line in live_lines().read() if at >= line.joins_at]
    if any(line.show_id for line in lines):
        show = db.session.scalar(
            select(Performance.show_id).where(Performance.id == performance_id)
        )
        lines = [line for line in lines if line.show_id in (show, None)]
    return min(lines, key=lambda line: (line.opens_at > at, line.show_id is None), default=None)


def open_line(
    show_id: int | None,
    opens_at: datetime,
    pace: Pace = _USUAL,
    origin: Origin = Origin.STAFF,
) -> int:
    """Open a line at a minute, of a show or of the whole site; its id. Raises LineExists."""
    try:
        with transaction() as session:
            if origin == Origin.LOAD:
                announce(session, _LOAD)
            line = Line(
                show_id=show_id,
                opens_at=opens_at,
                origin=origin,
                moved_at=opens_at,
                **asdict(pace),
            )
            session.add(line)
    except IntegrityError as error:
        if violated_constraint(error) == "uq_queue_line_live":
            raise LineExists from error
        raise
    live_lines().forget()
    return line.id


def next_opening(show_id: int | None, at: datetime) -> datetime | None:
    """When booking of a show opens next; None when it is open, or for no show."""
    return db.session.scalar(
        select(func.min(Performance.booking_opens_at)).where(
            Performance.show_id == show_id,
            Performance.booking_opens_at > at,
            Performance.cancelled_at.is_(None),
        )
    )


def end_line(line_id: int) -> None:
    """End a line: nobody waits any more. Within an hour `resume_line` takes it back."""
    with transaction() as session:
        line = session.scalars(LINE, {"line": line_id}).one_or_none()
        if line is not None and line.ended_at is None:
            line.ended_at = now()
    live_lines().forget()


def resume_line(line_id: int) -> None:
    """Put a line on again that was ended, with all its places. Raises LineGone and LineExists."""
    try:
        with transaction() as session:
            line = session.scalars(LINE, {"line": line_id}).one_or_none()
            if line is None or line.opens_at < now() - LONGEST:
                raise LineGone
            line.ended_at = None
    except IntegrityError as error:
        if violated_constraint(error) == "uq_queue_line_live":
            raise LineExists from error
        raise
    live_lines().forget()


def change_line(line_id: int, pace: Pace, *, seen: str) -> None:
    """Change the pace of a line, which was shown as `seen`. Raises LineGone, PaceChanged and TurnFixed."""
    with transaction() as session:
        line = session.scalars(LINE, {"line": line_id}).one_or_none()
        if line is None or line.ended_at is not None:
            raise LineGone
        before = Pace.of(line)
        if pace != before and seen != str(before):
            raise PaceChanged
        if line.let_in and pace.turn != before.turn:
            raise TurnFixed
        line.slowed = line.slowed or pace.is_slower_than(before)
        for name, value in asdict(pace).items():
            setattr(line, name, value)
    live_lines().forget()


def find_line(line_id: int) -> Line | None:
    """A line, also one that has ended."""
    return db.session.get(Line, line_id, populate_existing=True)


def end_old_lines(at: datetime) -> None:
    """End lines that opened a day ago, and delete those that ended more than an hour ago, with all places."""
    with transaction() as session:
        old = select(Line).where(Line.ended_at.is_(None), Line.opens_at < at - LONGEST)
        for line in session.scalars(old.with_for_update(key_share=True)):
            line.ended_at = at
        session.execute(delete(Line).where(Line.ended_at < at - KEPT))


def _move_and_read() -> list[Line]:
    """The lines, after moving forward those that are due."""
    lines = _read_live()
    if follow_load(lines):
        lines = _read_live()
    if due := [line.id for line in lines if is_due(line, now())]:
        for line_id in due:
            advance(line_id, now())
        lines = _read_live()
    return lines


def follow_load(lines: list[Line]) -> bool:
    """Open a line of the whole site when QUEUE_ABOVE_BOOKINGS is reached, and end it after the rush; whether it did.

    A line that staff ended does not open again within the hour.
    """
    most: int = current_app.config["AZIONELAB"].queue_above_bookings
    site = next((line for line in lines if line.show_id is None), None)
    if not most or (site and site.origin != Origin.LOAD):
        return False
    bookings = pressure().bookings()
    if site:
        return bookings < most / 2 and _end_if_done(site.id)
    if bookings < most or _was_ended(now()):
        return False
    with suppress(LineExists):  # another process was faster
        open_line(None, now(), origin=Origin.LOAD)
    return True


def _end_if_done(line_id: int) -> bool:
    """Delete a line in which nobody waits and nobody is inside; it has been there for some minutes."""
    at = now()
    with transaction() as session:
        line = session.scalars(LINE, {"line": line_id}).one_or_none()
        if line is None or line.let_in < line.joined or at < line.opens_at + _LEAST:
            return False
        if count_inside(session, line, at):
            return False
        announce(session, _LOAD)
        session.delete(line)
    return True


def _was_ended(at: datetime) -> bool:
    """Whether staff ended a line within the hour that the load had opened."""
    ended = select(Line.id).where(Line.origin == Origin.LOAD, Line.ended_at > at - KEPT)
    return db.session.scalar(ended.limit(1)) is not None


def _read_live() -> list[Line]:
    lines = db.session.scalars(
        select(Line).where(Line.ended_at.is_(None)).execution_options(populate_existing=True)
    ).all()
    # Other requests read them as well, without this request's session.
    for line in lines:
        db.session.expunge(line)
    return list(lines)

"""Lines: opening and ending one, and those that are there now, which each process reads once a second."""

import threading
import time
from datetime import datetime, timedelta

from flask import Flask, current_app
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from azionelab.database import db, now, transaction, violated_constraint
from azionelab.queue.advance import LINE, advance, is_due
from azionelab.queue.models import Line, Origin
from azionelab.shows.models import Performance

PER_MINUTE, INSIDE, STAY_MINUTES = 100, 500, 10  # of a line, unless staff say otherwise
LONGEST = timedelta(hours=24)  # after it opened, a line ends by itself
# After its end a line can be put on again, with all places.
KEPT = timedelta(hours=1)
_REMEMBERED = 1.0  # seconds that a process uses what it read


class LineExists(Exception):
    """There is a line for the same show, or for the whole site, already."""


class LineGone(Exception):
    """The line was deleted, or is over for too long."""


class LiveLines:
    """The lines that have not ended, as this process read them within the last second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: list[Line] = []
        self._until = 0.0  # by this process's monotonic clock

    def read(self) -> list[Line]:
        """The lines. Whoever reads them anew moves them forward as well."""
        at = time.monotonic()
        with self._lock:
            if at < self._until:
                return self._lines
            # Others go on with the old ones while this thread reads.
            self._until = at + _REMEMBERED
        lines = _read_live()
        if due := [line.id for line in lines if is_due(line, now())]:
            for line_id in due:
                advance(line_id, now())
            lines = _read_live()
        self._lines = lines
        return lines

    def forget(self) -> None:
        """Read anew next time: a line was changed here."""
        self._until = 0.0


def init_queue(app: Flask) -> None:
    """Create the application's memory of its lines."""
    app.extensions["queue_lines"] = LiveLines()


def live_lines() -> LiveLines:
    """The lines that there are."""
    lines: LiveLines = current_app.extensions["queue_lines"]
    return lines


def line_before(performance_id: int, at: datetime) -> Line | None:
    """The line in which visitors wait for a performance's form, or can already join; that of the show before the site's."""
    lines = [line for line in live_lines().read() if at >= line.joins_at]
    if any(line.show_id for line in lines):
        show = db.session.scalar(
            select(Performance.show_id).where(Performance.id == performance_id)
        )
        lines = [line for line in lines if line.show_id in (show, None)]
    return min(lines, key=lambda line: line.show_id is None, default=None)


def open_line(
    show_id: int | None,
    opens_at: datetime,
    *,
    per_minute: int = PER_MINUTE,
    inside_limit: int = INSIDE,
    stay_minutes: int = STAY_MINUTES,
    origin: Origin = Origin.STAFF,
) -> int:
    """Open a line at a minute, of a show or of the whole site; its id. Raises LineExists."""
    try:
        with transaction() as session:
            line = Line(
                show_id=show_id,
                opens_at=opens_at,
                per_minute=per_minute,
                inside_limit=inside_limit,
                stay_minutes=stay_minutes,
                origin=origin,
                moved_at=opens_at,
            )
            session.add(line)
    except IntegrityError as error:
        if violated_constraint(error) == "uq_queue_line_live":
            raise LineExists from error
        raise
    live_lines().forget()
    return line.id


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
            if line is None:
                raise LineGone
            line.ended_at = None
    except IntegrityError as error:
        if violated_constraint(error) == "uq_queue_line_live":
            raise LineExists from error
        raise
    live_lines().forget()


def change_line(line_id: int, per_minute: int, inside_limit: int, stay_minutes: int) -> None:
    """Change how fast a line lets in, and for how long. Raises LineGone."""
    with transaction() as session:
        line = session.scalars(LINE, {"line": line_id}).one_or_none()
        if line is None or line.ended_at is not None:
            raise LineGone
        line.slowed = line.slowed or (
            per_minute < line.per_minute
            or inside_limit < line.inside_limit
            or stay_minutes > line.stay_minutes
        )
        line.per_minute, line.inside_limit = per_minute, inside_limit
        line.stay_minutes = stay_minutes
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


def _read_live() -> list[Line]:
    lines = db.session.scalars(
        select(Line).where(Line.ended_at.is_(None)).execution_options(populate_existing=True)
    ).all()
    # Other requests read them as well, without this request's session.
    for line in lines:
        db.session.expunge(line)
    return list(lines)

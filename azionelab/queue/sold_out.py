"""Whether there is anything left behind a line: each process looks once in two seconds, however many ask."""

import time
from typing import cast

from flask import Flask, current_app

from azionelab.database import db, now
from azionelab.queue.models import Line
from azionelab.shows.models import Show
from azionelab.shows.programme import Status, list_performances, programme

_EXTENSION = "queue_sold_out"
_REMEMBERED = 2.0  # seconds
# By line: the answer, and until when it is used by this process's monotonic clock.
_Kept = dict[int, tuple[bool, float]]


def init_sold_out(app: Flask) -> None:
    """Create the application's memory of it."""
    app.extensions[_EXTENSION] = _Kept()


def is_sold_out(line: Line) -> bool:
    """Whether nothing behind the line can be booked now or later."""
    kept = cast("_Kept", current_app.extensions[_EXTENSION])
    answer, until = kept.get(line.id, (False, 0.0))
    at = time.monotonic()
    if at < until:
        return answer
    # Others go on with the old answer while this thread looks.
    kept[line.id] = answer, at + _REMEMBERED
    answer = _look(line)
    kept[line.id] = answer, at + _REMEMBERED
    return answer


def _look(line: Line) -> bool:
    at = now()
    if line.show_id is None:
        behind = programme(at)
    else:
        show = db.session.get(Show, line.show_id)
        behind = list_performances(show, at) if show else []
    return all(each.status not in (Status.OPEN, Status.NOT_YET_OPEN) for each in behind)

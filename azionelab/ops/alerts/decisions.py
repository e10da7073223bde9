"""When somebody is told of a part of the site. Pure: the time is passed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from azionelab.ops.status.lines import State

# A restart of the worker, or one slow answer, is not worth a mail.
PATIENCE = timedelta(minutes=2)
REMINDED_AFTER = timedelta(days=1)
# What comes and goes is told once an hour.
QUIET = timedelta(hours=1)


class News(StrEnum):
    """What there is to tell of a part."""

    BEGAN = "began"
    STILL = "still"
    ENDED = "ended"


@dataclass(frozen=True)
class Episode:
    """Since when a part is wrong, when somebody was last told so, and what of it; as the table `alert`."""

    began_at: datetime | None = None
    told_at: datetime | None = None
    items: frozenset[str] = frozenset()


def decide(
    episode: Episode, state: State, at: datetime, items: frozenset[str] = frozenset()
) -> tuple[Episode, News | None]:
    """What follows from a part's state at a moment. What is not known changes nothing.

    `items` are the things that are wrong in it: one that was not told yet is told, though the part was.
    """
    began, told = episode.began_at, episode.told_at
    if state is State.WRONG:
        if began is None:
            return Episode(at, told), None
        if told is not None and told >= began:
            if at - told >= REMINDED_AFTER:
                return Episode(began, at, items), News.STILL
            if items - episode.items:
                return Episode(began, at, items | episode.items), News.BEGAN
        elif at - began >= PATIENCE and (told is None or at - told >= QUIET):
            return Episode(began, at, items), News.BEGAN
    elif state is not State.UNKNOWN and began is not None:
        was_told = told is not None and told >= began
        return Episode(None, told), News.ENDED if was_told else None
    return episode, None

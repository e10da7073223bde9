"""Answers to syncs that bring nothing new, kept for as long as nothing is written to the database.

Phones ask every few seconds, and mostly nothing has happened since. PostgreSQL's snapshot (pg_current_snapshot) names
the transactions whose changes a statement sees. A transaction that ends changes it, and it never comes back; so with
the same snapshot the same rows are there to be read, and counting them again gives the same answer.

An answer may be newer than the snapshot that it is kept under, which was read before. Then that snapshot is past, and
nobody asks for it again.
"""

import time
from typing import Any, NamedTuple

from azionelab.staff.tokens import Scope

# Seconds: some of what is counted changes by time alone, as when a hold lapses or a phone falls silent (a minute). That
# may show so much later. A phone asks every 1.5 seconds, so that one alone finds its own last answer, too.
_KEPT_FOR = 5.0
_MAX_KEPT = 1_000


class Question(NamedTuple):
    """What an answer depends on: who asks for what, and the state of the database."""

    performance_id: int
    cursor: int | None
    scope: Scope
    closed: bool
    snapshot: str


_KEPT: dict[Question, tuple[dict[str, Any], float]] = {}  # per process


def find_news(question: Question) -> dict[str, Any] | None:
    """The kept answer to a question, None if there is none."""
    news, until = _KEPT.get(question, (None, 0.0))
    return news if time.monotonic() < until else None


def keep_news(question: Question, news: dict[str, Any]) -> None:
    """Keep an answer if it brings nothing new: no parties and no conflicts."""
    if news["parties"] or news["conflicts"] or news["complete"]:
        return
    if len(_KEPT) >= _MAX_KEPT:
        _KEPT.clear()
    _KEPT[question] = news, time.monotonic() + _KEPT_FOR

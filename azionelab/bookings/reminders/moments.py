"""When a reminder is sent, without a database. Hours are hours, also when the clocks change between."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from azionelab.settings.night import NEAR, Night

ASKED_BEFORE = timedelta(hours=12)  # the deadline


@dataclass(frozen=True)
class Reminder:
    """A reminder of a curtain: `hours` before it, which is the `moment`, and between which times it is sent.

    Who confirmed after the moment does not get it.
    """

    hours: int
    moment: datetime
    since: datetime
    until: datetime


def reminder(hours: int, curtain: datetime, night: Night) -> Reminder:
    """The times of a reminder. In the night it waits for the morning, unless the curtain is near then.

    When it could not be sent in time, it is sent until half of what was left has passed: later it would say nothing new.
    """
    curtain = curtain.astimezone(UTC)
    moment = curtain - timedelta(hours=hours)
    since = night.morning_after(moment, curtain) or moment
    return Reminder(hours, moment, since, since + (curtain - since) / 2)


def due_reminder(
    hours: Iterable[int], curtain: datetime, at: datetime, night: Night
) -> Reminder | None:
    """The reminder that is due: of several the last, which makes the others needless."""
    times = [reminder(each, curtain, night) for each in hours]
    due = [each for each in times if each.since <= at < each.until]
    return min(due, key=lambda each: each.hours, default=None)


@dataclass(frozen=True)
class Question:
    """When parties that never answered are asked to confirm again, and the `deadline` at which they lose their seats.

    Who confirmed after the `moment` is not asked, and keeps the seats.
    """

    moment: datetime
    since: datetime
    until: datetime
    deadline: datetime


def question(hours: int, curtain: datetime, night: Night) -> Question:
    """The question with a deadline so many hours before the curtain.

    In the night it waits for the morning, unless the deadline is near then. Nobody is asked when it is near: an answer
    needs time.
    """
    deadline = curtain.astimezone(UTC) - timedelta(hours=hours)
    moment = deadline - ASKED_BEFORE
    return Question(
        moment, night.morning_after(moment, deadline) or moment, deadline - NEAR, deadline
    )

"""When a reminder is sent, without a database. Hours are hours, also when the clocks change between."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from azionelab.settings.night import Night


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

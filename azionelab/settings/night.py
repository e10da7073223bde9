"""The hours in which nobody is written to: offers of the waitlist and reminders wait for the morning.

All arithmetic is in UTC: on the nights when the clocks change an hour of the night is missing, or comes twice.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import current_app

from azionelab.settings.config import Config

NEAR = timedelta(hours=3)  # so little would be left in the morning: the mail is sent at night


@dataclass(frozen=True)
class Night:
    """The hours in which nobody is written to: `begins` and `ends` o'clock in the theatre's time zone.

    Of two equal hours there is no night.
    """

    begins: int
    ends: int
    zone: ZoneInfo

    def end_of(self, at: datetime) -> datetime | None:
        """When the night that `at` is in ends, in UTC; None by day."""
        local = at.astimezone(self.zone)
        over_midnight = self.begins > self.ends
        if over_midnight:
            is_night = local.hour >= self.begins or local.hour < self.ends
        else:
            is_night = self.begins <= local.hour < self.ends
        if not is_night:
            return None
        day = local.date()
        if over_midnight and local.hour >= self.begins:
            day += timedelta(days=1)
        return datetime.combine(day, time(self.ends), self.zone).astimezone(UTC)

    def morning_after(self, at: datetime, before: datetime) -> datetime | None:
        """The end of the night that `at` is in; None by day, and when it would be NEAR to `before` then."""
        morning = self.end_of(at)
        return morning if morning is not None and before - morning >= NEAR else None


def theatres_night() -> Night:
    """The night by the settings NIGHT_BEGINS, NIGHT_ENDS and TIME_ZONE."""
    settings: Config = current_app.config["AZIONELAB"]
    return Night(settings.night_begins, settings.night_ends, settings.time_zone)

"""How many standby places the record of no-shows supports for a performance: advice only, nothing acts on it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, cast, func

from azionelab.reports.audience import attendance
from azionelab.reports.no_show_model import Forecast, Record, forecast
from azionelab.shows.models import Performance

FEWEST = 4  # comparable evenings; with fewer there is no advice
NEWEST = 30  # evenings that are compared, at most
REACH = timedelta(days=730)  # how far back
CHANCE = 0.9  # that every standby person gets a seat
LEVEL = 0.8  # of the interval that is shown


class Basis(StrEnum):
    """Which evenings are compared: of the same show, else of the same weekday and venue, else all."""

    SHOW = "show"
    WEEKDAY = "weekday"
    ALL = "all"


@dataclass(frozen=True)
class Advice:
    """What the record says of a performance for which `expected` people are booked.

    `evenings` are the comparable ones; there is no `forecast` when they are fewer than FEWEST.
    """

    expected: int
    basis: Basis
    evenings: list[Record]
    forecast: Forecast | None

    @property
    def standby(self) -> int:
        """The standby places that the record supports, at CHANCE; 0 without a forecast."""
        return self.forecast.supported(CHANCE) if self.forecast else 0


def standby_advice(performance: Performance, expected: int, at: datetime, zone: ZoneInfo) -> Advice:
    """The advice for a performance, from the evenings that are over `at` a moment.

    `zone` is the theatre's, for the weekday. What is counted stays when people are erased, and holds no names.
    """
    local = func.timezone(zone.key, Performance.starts_at)
    weekday = cast(func.date_part("isodow", local), Integer)
    same = {
        Basis.SHOW: [Performance.show_id == performance.show_id],
        Basis.WEEKDAY: [
            Performance.venue_id == performance.venue_id,
            weekday == performance.starts_at.astimezone(zone).isoweekday(),
        ],
        Basis.ALL: [],
    }
    for basis, which in same.items():
        found = attendance(at - REACH, at, NEWEST, *which)
        evenings = [Record(each.booked, each.stayed_away) for each in found if each.booked]
        if len(evenings) >= FEWEST:
            return Advice(expected, basis, evenings, forecast(evenings, expected))
    return Advice(expected, Basis.ALL, evenings, None)

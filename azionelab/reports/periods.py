"""Periods that a report covers: from a day to another, by the theatre's calendar."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SEASON_MONTH = 9  # a season begins on its first day, and ends a year later


@dataclass(frozen=True)
class Period:
    """Both days included."""

    first: date
    last: date

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The moment at which it begins, and the one before which it ends."""
        end = self.last + timedelta(days=1)
        return datetime.combine(self.first, time(), zone), datetime.combine(end, time(), zone)

    @property
    def before(self) -> "Period":
        """The same days a year earlier, of a period that begins with a month."""
        last = self.first - timedelta(days=1)
        return Period(self.first.replace(year=self.first.year - 1), last)


def year_of(day: date) -> Period:
    """The calendar year of a day."""
    return Period(date(day.year, 1, 1), date(day.year, 12, 31))


def season_of(day: date) -> Period:
    """The season of a day, from September to August."""
    first_year = day.year if day.month >= SEASON_MONTH else day.year - 1
    return Period(
        date(first_year, SEASON_MONTH, 1), date(first_year + 1, SEASON_MONTH, 1) - timedelta(days=1)
    )

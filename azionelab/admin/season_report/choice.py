"""Which period a report covers: what the address names, or this season."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from flask_babel import gettext

from azionelab.admin.season_report.texts import name_of
from azionelab.reports.periods import Period, season_of, year_of

_FIRST_YEAR, _LAST_YEAR = 2000, 2100


@dataclass(frozen=True)
class Choice:
    """What was typed, and what is wrong with it by field. There is no period when something is."""

    first: str
    last: str
    period: Period | None
    errors: Mapping[str, str] = field(default_factory=dict)


def read_choice(typed: Mapping[str, str], today: date) -> Choice:
    """The period between the days `first` and `last`; this season when neither is given."""
    first, last = (typed.get(name, "").strip() for name in ("first", "last"))
    if not first and not last:
        period = season_of(today)
        return Choice(str(period.first), str(period.last), period)
    days = {name: _read_day(text) for name, text in (("first", first), ("last", last))}
    errors = {
        name: gettext("Please enter a day, such as 2026-09-01.")
        for name, day in days.items()
        if day is None
    }
    begin, end = days["first"], days["last"]
    if begin is None or end is None:
        return Choice(first, last, None, errors)
    if end < begin:
        return Choice(first, last, None, {"last": gettext("The last day is before the first one.")})
    return Choice(first, last, Period(begin, end))


def presets(today: date) -> list[tuple[str, Period]]:
    """Periods to choose from, with their names."""
    season, year = season_of(today), year_of(today)
    return [
        (gettext("This season (%(name)s)", name=name_of(season)), season),
        (gettext("Last season (%(name)s)", name=name_of(season.before)), season.before),
        (gettext("This year (%(name)s)", name=name_of(year)), year),
        (gettext("Last year (%(name)s)", name=name_of(year.before)), year.before),
    ]


def _read_day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _FIRST_YEAR <= day.year < _LAST_YEAR else None

"""Dates and times in the theatre's time zone and the visitor's language."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import dates
from flask import current_app
from flask_babel import get_locale, gettext


def format_datetime(moment: datetime) -> str:
    """The full date and the time."""
    return gettext("%(day)s, %(time)s", day=format_day(moment), time=format_time(moment))


def format_day(moment: datetime) -> str:
    """The full date, with the weekday."""
    return format_date(moment, "full")


def format_time(moment: datetime) -> str:
    """The time, on a 24-hour clock."""
    return _cached(dates.format_time, moment, "short", _zone(), _date_locale())


def format_short(moment: datetime) -> str:
    """Weekday, day and time, for lists; with the year if it is not the current one."""
    is_this_year = moment.astimezone(_zone()).year == datetime.now(_zone()).year
    day = format_date(moment, "EEE d MMM" if is_this_year else "EEE d MMM y")
    return f"{day}, {format_time(moment)}"


def format_duration(duration: timedelta) -> str:
    """A length of time in its largest unit: "3 hours"."""
    return dates.format_timedelta(duration, locale=_date_locale())


def format_timestamp(moment: datetime) -> str:
    """`YYYY-MM-DD HH:MM:SS` in the theatre's time zone, for programs and spreadsheets."""
    return f"{moment.astimezone(_zone()):%Y-%m-%d %H:%M:%S}"


def is_same_day(one: datetime, other: datetime) -> bool:
    """Whether two datetimes are on the same day in the theatre's time zone."""
    return one.astimezone(_zone()).date() == other.astimezone(_zone()).date()


def format_date(moment: datetime, pattern: str) -> str:
    """The date in a pattern of Unicode TR 35, such as "EEE d MMM", or a length such as "medium"."""
    return _cached(_format_day, moment, pattern, _zone(), _date_locale())


def _format_day(moment: datetime, pattern: str, zone: ZoneInfo, locale: str) -> str:
    return dates.format_date(moment.astimezone(zone), pattern, locale)


# Every page shows the same dates, and Babel needs longer to format one than PostgreSQL needs to find it.
@lru_cache(maxsize=4096)
def _cached(write: Callable[..., str], *what: object) -> str:
    return write(*what)


def _date_locale() -> str:
    # British English: 24-hour clock, day before month.
    language = str(get_locale())
    return "en_GB" if language == "en" else language


def _zone() -> ZoneInfo:
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    return zone

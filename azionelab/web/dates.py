"""Moments as people read them: in the theatre's time zone and the visitor's language."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import dates
from flask import current_app
from flask_babel import get_locale


def format_datetime(moment: datetime) -> str:
    """Day and time in full, in the theatre's time zone and the visitor's language."""
    return f"{format_day(moment)}, {format_time(moment)}"


def format_day(moment: datetime) -> str:
    """The day in full."""
    return format_date(moment, "full")


def format_time(moment: datetime) -> str:
    """The time of day, in 24 hours."""
    return _written(dates.format_time, moment, "short", _zone(), _writing_locale())


def format_timestamp(moment: datetime) -> str:
    """Day and time to the second as machines and spreadsheets read them, in the theatre's time zone."""
    return f"{moment.astimezone(_zone()):%Y-%m-%d %H:%M:%S}"


def is_same_day(one: datetime, other: datetime) -> bool:
    """Whether two moments are of one day in the theatre's time zone."""
    return one.astimezone(_zone()).date() == other.astimezone(_zone()).date()


def format_date(moment: datetime, pattern: str) -> str:
    """The day by a pattern of Unicode TR 35, such as "EEE d MMM"."""
    return _written(_format_day, moment, pattern, _zone(), _writing_locale())


def _format_day(moment: datetime, pattern: str, zone: ZoneInfo, locale: str) -> str:
    return dates.format_date(moment.astimezone(zone), pattern, locale)


# The same evenings are written on every page: Babel takes longer over a date than PostgreSQL does.
@lru_cache(maxsize=4096)
def _written(write: Callable[..., str], *what: object) -> str:
    return write(*what)


def _writing_locale() -> str:
    # English as Europe writes it: the 24 hours of the house, the day before the month.
    language = str(get_locale())
    return "en_GB" if language == "en" else language


def _zone() -> ZoneInfo:
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    return zone

"""Limits of a season's fields, and their defaults."""

from datetime import datetime, timedelta

MAX_LINE = 200  # characters
MAX_TEXT = 20_000  # characters
MAX_SLUG = 80  # characters
SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
MAX_MINUTES = 1440
MAX_PARTY = 100  # people
PARTY_LIMIT = 6  # people; the default
_DEFAULT_DURATION = timedelta(hours=2)
CLOSES_BEFORE = timedelta(hours=1)  # before the curtain; the default


def show_duration(minutes: int | None) -> timedelta:
    """A show's duration, or the default when it has none."""
    return _DEFAULT_DURATION if minutes is None else timedelta(minutes=minutes)


def performance_end(starts_at: datetime, minutes: int | None) -> datetime:
    """When a performance of a show of that duration ends."""
    return starts_at + show_duration(minutes)

"""What fits into a season: the theatre's habits and the limits of its fields."""

from datetime import timedelta

MAX_LINE = 200  # characters
MAX_TEXT = 20_000  # characters
MAX_SLUG = 80  # characters
SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
MAX_MINUTES = 1440
MAX_PARTY = 100  # people
PARTY_LIMIT = 6  # people, unless the theatre says otherwise
_USUAL_LENGTH = timedelta(hours=2)  # of a show whose length nobody entered
CLOSES_BEFORE = timedelta(hours=1)  # before the curtain, unless the theatre says otherwise


def show_duration(minutes: int | None) -> timedelta:
    """How long a show of that duration takes; the usual time when nobody entered one."""
    return _USUAL_LENGTH if minutes is None else timedelta(minutes=minutes)

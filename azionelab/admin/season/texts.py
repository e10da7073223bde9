"""Texts about planned evenings: what stands in the way of one, what it clashes with, what was not understood."""

from collections.abc import Callable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import gettext

from azionelab.admin.rows.edit_conflicts import format_moment
from azionelab.shows.runs.evenings import MAX_EVENINGS, Fault
from azionelab.shows.runs.house import Clash
from azionelab.shows.runs.tokens import Misread, SentenceError
from azionelab.shows.window import MAX_AHEAD_YEARS
from azionelab.web.dates import format_date, format_short, format_time, is_same_day


def describe_fault(fault: Fault) -> str:
    """Why an evening cannot be so."""
    words: dict[Fault, Callable[[], str]] = {
        Fault.SKIPPED: lambda: gettext(
            "This time does not exist: the clocks go forward that night. Please choose another."
        ),
        Fault.TWICE: lambda: gettext(
            "This time occurs twice: the clocks go back that night. Please choose another."
        ),
        Fault.PAST: lambda: gettext("This is in the past."),
        Fault.TOO_FAR: lambda: gettext(
            "This is more than %(years)s years away.", years=MAX_AHEAD_YEARS
        ),
        Fault.NO_TIME_TO_BOOK: lambda: gettext("Booking has to close after it opens."),
        Fault.CLOSES_AFTER_CURTAIN: lambda: gettext("Booking cannot close after the curtain."),
        Fault.EXISTS: lambda: gettext("The show already has a performance at this time."),
        Fault.REPEATED: lambda: gettext("This evening is there twice."),
        Fault.NO_CAPACITY: lambda: gettext("How many seats? The venue has no usual number."),
        Fault.WHEELCHAIR_BEYOND: lambda: gettext(
            "There cannot be more wheelchair places than seats."
        ),
        Fault.BELOW_HELD: lambda: gettext("More seats are taken than that."),
        Fault.NAMES_ERASED: lambda: gettext(
            "The visitors' names have been erased, so this performance can no longer be changed. Add a new"
            " one instead."
        ),
        Fault.CANCELLED: lambda: gettext("It is cancelled."),
    }
    return words[fault]()


def describe_clash(clash: Clash) -> str:
    """A performance that is on at the same venue, or a holiday."""
    if clash.starts_at is None:
        return gettext("The theatre is closed: %(name)s.", name=clash.name)
    return gettext(
        "%(other)s is on at the same venue (%(at)s).",
        other=clash.name,
        at=format_moment(clash.starts_at),
    )


def describe_misread(error: SentenceError) -> str:
    """What was not understood of a run's line."""
    words: dict[Misread, Callable[[], str]] = {
        Misread.WORD: lambda: gettext("“%(word)s” was not understood.", word=error.what),
        Misread.TIME: lambda: gettext("“%(word)s” is no time of day.", word=error.what),
        Misread.DATE: lambda: gettext("There is no %(word)s here.", word=error.what),
        Misread.NO_TIME: lambda: gettext("A day has no time: write, for example, “Fri 20:30”."),
        Misread.NO_PERIOD: lambda: gettext(
            "The first and the last day are missing: write, for example, “from 3 to 19 October”."
        ),
        Misread.TWO_PERIODS: lambda: gettext(
            "There is more than one period. Add the second one afterwards, as another run of the show."
        ),
        Misread.BACKWARDS: lambda: gettext("The last day is before the first."),
        Misread.WHICH_MONTH: lambda: gettext("Which month? “%(word)s”", word=error.what),
        Misread.WEEKDAY: lambda: gettext("%(word)s is another day of the week.", word=error.what),
        Misread.NOTHING: lambda: gettext(
            "No evening is described: write, for example, “Fri and Sat 20:30, from 3 to 19 October”."
        ),
    }
    return words[error.kind]()


def too_many_evenings() -> str:
    """More evenings than a run may have."""
    return gettext("These are more than %(num)s evenings. Is the last day right?", num=MAX_EVENINGS)


def short_moment(moment: datetime) -> str:
    """A date with its weekday, and the time."""
    return f"{format_date(moment, 'EEE d MMM y')}, {format_time(moment)}"


def wall_time(wall: datetime) -> str:
    """The same of a naive time of the theatre's zone, as it was typed."""
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    return short_moment(wall.replace(tzinfo=zone))


def day_format(day: date, pattern: str) -> str:
    """A day in a pattern of Unicode TR 35."""
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    return format_date(datetime.combine(day, time(12), zone), pattern)


def booking_span(opens_at: datetime | None, closes_at: datetime, starts_at: datetime) -> str:
    """When booking is open; the day is left out where it is the evening's own. `opens_at` None: from now on."""
    same_day = is_same_day(closes_at, starts_at)
    opens = gettext("now") if opens_at is None else format_short(opens_at)
    if same_day:
        closes = format_time(closes_at)
        return gettext("from %(opens)s until %(closes)s on the day", opens=opens, closes=closes)
    return gettext("from %(opens)s to %(closes)s", opens=opens, closes=format_short(closes_at))

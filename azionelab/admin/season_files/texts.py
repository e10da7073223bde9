"""Texts for the lines of a file that cannot be read, and for what becomes of a long file."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext, ngettext

from azionelab.shows.exchange.lines import MAX_LINES, Problem, Wrong
from azionelab.shows.exchange.models import ImportState


def describe_problem(problem: Problem) -> str:
    """What is wrong with a line."""
    facts = {"column": problem.column, "value": problem.value}
    words: dict[Wrong, Callable[[], str]] = {
        Wrong.MISSING: lambda: gettext("%(column)s is missing.", **facts),
        Wrong.DATE: lambda: gettext(
            "%(column)s: “%(value)s” is no date and time such as 2027-10-03 20:30.", **facts
        ),
        Wrong.NUMBER: lambda: gettext("%(column)s: “%(value)s” is no number that fits.", **facts),
        Wrong.TEXT: lambda: gettext(
            "%(column)s: “%(value)s” is too long or cannot be shown.", **facts
        ),
        Wrong.ENDLESS: lambda: gettext(
            "It repeats without end: give it a last day in the calendar, then export it again."
        ),
        Wrong.RECURS: lambda: gettext(
            "How it repeats cannot be read (%(value)s): export single events instead.", **facts
        ),
        Wrong.ALL_DAY: lambda: gettext("It has no time of day (%(value)s).", **facts),
        Wrong.SLUG: lambda: gettext("%(column)s: use letters from a to z in “%(value)s”.", **facts),
        Wrong.COLUMNS: lambda: gettext(
            "The first line has to name the columns show, venue and starts (or date and time)."
        ),
        Wrong.UNREADABLE: lambda: gettext("It cannot be read: %(value)s", **facts),
        Wrong.TOO_MANY: lambda: gettext(
            "From here on there are more than %(num)s evenings: please split the file.",
            num=MAX_LINES,
        ),
        Wrong.EMPTY: lambda: gettext("There is no evening in the file."),
    }
    return words[problem.wrong]()


def describe_import(file: Any) -> str:  # noqa: PLR0911 (one text for each)
    """What has become of a long file, a row of `recent_imports`."""
    match file.state:
        case ImportState.TRYING:
            return gettext("is being read")
        case ImportState.TRIED if file.right:
            return ngettext(
                "read: %(num)s evening can be saved",
                "read: %(num)s evenings can be saved",
                file.evenings,
            )
        case ImportState.TRIED:
            return gettext("read: has errors, nothing was saved")
        case ImportState.SAVING:
            return gettext("is being saved")
        case ImportState.SAVED:
            return ngettext("%(num)s evening added", "%(num)s evenings added", file.total)
        case ImportState.STOPPED:
            return gettext("stopped, nothing was saved")
    return gettext("failed, nothing was saved")

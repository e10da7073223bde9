"""A visitor's form once more, with its input: a limit is reached, or the database is away.

The same for a booking and a place on the waitlist.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import cast

from flask import make_response
from flask_babel import ngettext
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.errors import TooManyMails, TooManyUnproven, TryLater
from azionelab.bookings.pages.error_texts import explain
from azionelab.bookings.pages.forms import PartyForm
from azionelab.database import now
from azionelab.database.errors import is_database_busy
from azionelab.web.busy_pages import add_retry_after, is_outcome_unknown, log_busy


@dataclass(frozen=True)
class BusyTexts:
    """What the form says when the database was away: nothing was `unsaved`, or it is `unknown` what was."""

    unsaved: str
    unknown: str


def keep_input(
    form: PartyForm,
    answer: Callable[[], AnyResponse],
    render: Callable[[str], str],
    texts: BusyTexts,
    log_prefix: str,
) -> AnyResponse:
    """`answer`, or the form with a notice while the database is away: `render` needs no performance for that."""
    try:
        return answer()
    except Exception as error:
        if not (form.is_submitted() and is_database_busy(error)):
            raise
        log_busy(error, log_prefix)
        form.offer_as_asked()
        notice = texts.unknown if is_outcome_unknown(error) else texts.unsaved
        return add_retry_after(make_response(render(notice), 503))


def ask_later(
    limit: TryLater | TooManyRequests, page: Callable[[int, str], AnyResponse]
) -> AnyResponse:
    """The form's `page`, of a status and a notice, when a limit is reached."""
    if isinstance(limit, TryLater):
        seconds, notice = limit.seconds_left(now()), explain(limit)
        status = 429 if isinstance(limit, TooManyMails | TooManyUnproven) else 409
    else:
        seconds, status = cast("int", limit.retry_after), 429
        notice = ngettext(
            "Too many requests from your network. Your entries are still here: please submit again in %(num)s"
            " minute.",
            "Too many requests from your network. Your entries are still here: please submit again in %(num)s"
            " minutes.",
            ceil(seconds / 60),
        )
    answer = page(status, notice)
    answer.headers["Retry-After"] = str(seconds)
    return answer

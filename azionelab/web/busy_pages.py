"""503 responses while the database is away, busy or full, or when the result of a commit is unknown.

The page contains the submitted form, so that one button sends it again.
"""

from collections.abc import Iterator

from flask import Response, current_app, make_response, render_template, request
from flask_babel import gettext
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from azionelab.api.problems import is_api_request, problem
from azionelab.database.errors import describe_cause, is_commit_unknown
from azionelab.database.transactions import has_committed

RETRY_AFTER = 5  # seconds


def is_outcome_unknown(error: Exception) -> bool:
    """Whether a request that failed with `error` may have changed data.

    Its COMMIT may have succeeded, or the request failed after its commit, while reading for the response.
    """
    return is_commit_unknown(error) or has_committed()


def log_busy(error: Exception, what: str = "") -> None:
    """Log a warning without the request's data; `what` prefixes the message."""
    when = " in a commit" if is_commit_unknown(error) else ""
    current_app.logger.warning("%sthe database failed%s: %s", what, when, describe_cause(error))


def busy_page(error: Exception) -> AnyResponse:
    """The 503 response for an `error` for which `is_database_busy` is true."""
    unknown = is_outcome_unknown(error)
    if is_api_request():
        page: AnyResponse = _problem(unknown=unknown)
    else:
        page = _page(unknown=unknown)
    return add_retry_after(page)


def add_retry_after(page: AnyResponse) -> AnyResponse:
    """Tell programs when to try again (RFC 9110, 10.2.3)."""
    page.headers["Retry-After"] = str(RETRY_AFTER)
    return page


def _problem(*, unknown: bool) -> Response:
    if not unknown:
        detail = gettext(
            "The service is busy: the database did not answer in time. Retry after the number of seconds in"
            " Retry-After."
        )
        return problem(503, None, "Service Unavailable", detail)
    detail = gettext(
        "The connection to the database was lost during the commit, so the outcome is unknown. Send the"
        " same request again: it takes effect only once."
    )
    return problem(503, "outcome-unknown", "Outcome unknown", detail)


def _page(*, unknown: bool) -> AnyResponse:
    sent = list(_sent_fields())
    if unknown:
        detail = gettext(
            "We do not know whether this was saved. You can safely send it again: it counts only once."
        )
    elif request.method == "POST":
        detail = gettext("Nothing was saved.")
    else:
        detail = gettext("Please try again in a moment. Nothing has been lost.")
    page = make_response(
        render_template(
            "errors/busy.html",
            detail=detail,
            again=request.method == "POST",
            sent=sent,
            action=request.full_path.rstrip("?"),
        ),
        503,
    )
    page.cache_control.no_store = True
    return page


def read_form_fields() -> list[tuple[str, str]]:
    """All submitted fields, in order; an empty list when the form cannot be parsed."""
    try:
        return list(request.form.items(multi=True))
    except HTTPException:
        return []


def _sent_fields() -> Iterator[tuple[str, str]]:
    """The submitted fields; none if the form has a password, which no page repeats."""
    fields = read_form_fields() if request.method == "POST" else []
    if not any("password" in name for name, _ in fields):
        yield from fields

"""Error responses: HTTP errors, a database that is away, unhandled exceptions; for the API as problems."""

import traceback

from flask import Response, current_app, make_response, render_template, request
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import BadHost, HTTPException, InternalServerError, SecurityError
from werkzeug.wrappers import Response as AnyResponse

from azionelab.api.problems import is_api_request, problem_from_error
from azionelab.database.errors import is_database_busy
from azionelab.web.busy_pages import busy_page, log_busy
from azionelab.web.resubmit_pages import can_resubmit, resubmit_page


def http_error_page(error: HTTPException) -> AnyResponse:
    """The response to an HTTP error, raised by a view or by Flask itself."""
    if isinstance(error, InternalServerError) and isinstance(error.original_exception, Exception):
        # Raised outside of the view, in an after_request function or in another error handler.
        return failure_page(error.original_exception)
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()
    if isinstance(error, (BadHost, SecurityError)):
        # The host name is missing or not ours, so the page's URLs could not be built.
        return Response("Unknown host name\n", 400, mimetype="text/plain")
    if is_api_request():
        return problem_from_error(error)
    if isinstance(error, CSRFError) and can_resubmit():
        return resubmit_page()
    code = error.code or 500
    titles = {
        400: gettext("The request failed"),
        403: gettext("Access denied"),
        404: gettext("Page not found"),
        405: gettext("The request failed"),
        410: gettext("No longer available"),
        413: gettext("Request too large"),
        415: gettext("The request failed"),
        429: gettext("Too many requests"),
        503: gettext("The site is very busy"),
    }
    has_own_text = type(error).description != error.description and code in (404, 410)
    details = {
        404: gettext("The page may have moved, or the address may be incomplete."),
        413: gettext("The request is too large."),
        429: gettext("Too many requests from your network. Please try again in a minute."),
        503: gettext("Please try again in a moment. Nothing has been lost."),
    }
    is_office = request.path.startswith("/admin/")
    if is_office:
        details[403] = gettext(
            "Your account may not do this. Whoever manages the accounts can give it another role."
        )
    detail = error.description if has_own_text else details.get(code, "")
    response = make_response(
        render_template(
            "errors/error.html",
            code=code,
            title=titles.get(code, gettext("Something went wrong")),
            detail=detail or gettext("Please go back and try again."),
            retry=None,
            is_office=is_office,
        ),
        code,
    )
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    response.cache_control.no_store = True
    return response


def failure_page(error: Exception) -> AnyResponse:
    """The response to any other exception: 503 while the database is away, else 500."""
    if not is_database_busy(error):
        return _server_error_page(error)
    log_busy(error)
    return busy_page(error)


def _server_error_page(error: Exception) -> AnyResponse:
    """500 for an unhandled exception. Logs its class and stack frames, without any values."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{f.filename}:{f.lineno} {f.name}" for f in reversed(frames[-6:]))
    current_app.logger.error(
        "unhandled %s in %s: %s",
        type(error).__name__,
        request.endpoint,
        where,
        extra={"fault": error},
    )
    return http_error_page(InternalServerError())

"""What all pages share: language, dates in the theatre's time, headers, error pages."""

import traceback
from datetime import datetime
from functools import partial
from typing import Any

from flask import (
    Flask,
    Request,
    Response,
    abort,
    current_app,
    has_request_context,
    make_response,
    render_template,
    request,
)
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_babel import get_locale, gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import (
    BadHost,
    HTTPException,
    InternalServerError,
    SecurityError,
)
from werkzeug.routing import IntegerConverter, Map
from werkzeug.wrappers import Response as AnyResponse

from azionelab.addresses import wire_address
from azionelab.busy_pages import busy_page, log_busy
from azionelab.config import LOCALES
from azionelab.database_errors import is_database_busy
from azionelab.dates import clock, dateformat, day, when
from azionelab.kept_pages import can_keep, is_own_origin, kept_page
from azionelab.problems import is_api_request, problem_of

MAX_ROW = 2**31 - 1  # PostgreSQL's integer
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

_POLICY = (
    "default-src 'self'; img-src 'self' data:; script-src 'self' 'wasm-unsafe-eval';"
    " style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Addresses hold tokens: no other site may learn where the visitor came from. Not "no-referrer":
    # with it browsers hide a form's own origin, too.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class RowNumber(IntegerConverter):
    """A row's number in an address: one that no row can have is an address of nothing (404)."""

    def __init__(
        self,
        map: Map,  # noqa: A002 (Werkzeug's name)
        fixed_digits: int = 0,
        min: int | None = None,  # noqa: A002
        max: int | None = MAX_ROW,  # noqa: A002
        signed: bool = False,
    ) -> None:
        super().__init__(map, fixed_digits, min, max, signed)


class CookielessPages(SecureCookieSessionInterface):
    """Sessions in a signed cookie, which pages for everybody neither carry nor vary by.

    Flask-Login looks into the session on every request; without this a cache in front would keep a
    copy of the programme for each visitor.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the session's cookie; most requests bring none, and nothing is to be verified."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Leave responses that are public and changed nothing in the session as they are."""
        if not (response.cache_control.public and not session.modified):
            super().save_session(app, session, response)


def init_pages(app: Flask) -> None:
    """Give the application its language, filters, headers and error pages."""
    app.session_interface = CookielessPages()
    app.url_map.converters["int"] = RowNumber
    app.add_template_filter(when, "when")
    app.add_template_filter(day, "day")
    app.add_template_filter(clock, "clock")
    app.add_template_filter(dateformat, "dateformat")
    app.add_template_filter(partial(datetime.isoformat, timespec="seconds"), "isoformat")
    app.add_template_filter(paragraphs, "paragraphs")
    app.add_template_filter(wire_address, "wire_address")
    app.context_processor(_site)
    app.url_defaults(_keep_language)
    app.before_request(_refuse_strange_forms)
    app.after_request(_add_headers)
    app.register_error_handler(HTTPException, _error_page)
    app.register_error_handler(Exception, _failure_page)


def _refuse_strange_forms() -> None:
    """Refuse what no form of ours sends, before a library makes fields of it.

    A body that is no form's is refused with 415, a file with 400. So (400) is what a page of another site
    sends, unless CSRF_TRUSTED_ORIGINS names that site: the second line behind the token in each form. The
    API has no cookies to be misused, and a browser that hides the origin is left to the token.
    """
    if is_api_request():
        return
    has_body = request.content_length or "Transfer-Encoding" in request.headers
    if has_body and request.mimetype not in _FORMS:
        abort(415)
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if request.files:
        abort(400)
    origin = request.headers.get("Origin", "null")
    if origin != "null" and not is_own_origin(origin):
        abort(400)


def choose_locale() -> str | None:
    """The visitor's language: `?lang=`, else the browser's wish; None for the theatre's own."""
    if not has_request_context():
        return None
    asked = request.args.get("lang")
    if asked in LOCALES:
        return asked
    return request.accept_languages.best_match(LOCALES)


def paragraphs(text: str) -> list[list[str]]:
    """The paragraphs of a text as somebody typed it, each as its lines; empty lines divide them."""
    divided: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.strip():
            divided[-1].append(line.strip())
        elif divided[-1]:
            divided.append([])
    return [lines for lines in divided if lines]


def _keep_language(_endpoint: str, values: dict[str, Any]) -> None:
    # A language chosen by hand goes along from page to page in the address: no cookie is needed.
    if has_request_context() and "lang" not in values and request.args.get("lang") in LOCALES:
        values["lang"] = request.args["lang"]


def _site() -> dict[str, Any]:
    config = current_app.config["AZIONELAB"]
    return {
        "site_name": config.site_name,
        "privacy_url": config.privacy_url,
        "contact_email": config.contact_email,
        "locale": str(get_locale()),
        "locales": LOCALES,
    }


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _POLICY)
    headers.extend(_HEADERS)
    if response.mimetype == "text/html":
        headers.setdefault("Content-Language", str(get_locale()))
        response.vary.add("Accept-Language")
        if "Cache-Control" not in headers:
            response.cache_control.no_store = True
    return response


def _error_page(error: HTTPException) -> AnyResponse:
    if isinstance(error, InternalServerError) and isinstance(error.original_exception, Exception):
        # From outside of the view: what is done after it, or another page of these.
        return _failure_page(error.original_exception)
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()
    if isinstance(error, (BadHost, SecurityError)):
        # A host name that is not ours, or none at all: no address of ours can be built for it.
        return Response("Unknown host name\n", 400, mimetype="text/plain")
    if is_api_request():
        return problem_of(error)
    if isinstance(error, CSRFError) and can_keep():
        return kept_page()
    code = error.code or 500
    titles = {
        400: gettext("That did not work"),
        403: gettext("This door is not yours"),
        404: gettext("There is nothing here"),
        405: gettext("That did not work"),
        410: gettext("This is over"),
        413: gettext("That was too much"),
        415: gettext("That did not work"),
        429: gettext("A little slower, please"),
        503: gettext("The house is very busy"),
    }
    own_words = type(error).description != error.description and code in (404, 410)
    details = {
        404: gettext("The page may have moved, or the address is not complete."),
        413: gettext("What was sent is too large."),
        429: gettext("Many requests came from your network. Please try again in a minute."),
        503: gettext("Please try again in a moment. Nothing is lost."),
    }
    detail = error.description if own_words else details.get(code, "")
    response = make_response(
        render_template(
            "errors/error.html",
            code=code,
            title=titles.get(code, gettext("Something went wrong")),
            detail=detail or gettext("Please go back and try again."),
            retry=None,
        ),
        code,
    )
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    response.cache_control.no_store = True
    return response


def _failure_page(error: Exception) -> AnyResponse:
    if not is_database_busy(error):
        return _fault_page(error)
    log_busy(error)
    return busy_page(error)


def _fault_page(error: Exception) -> AnyResponse:
    """A fault of ours. The log gets the place of it, without the values that were at hand."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{f.filename}:{f.lineno} {f.name}" for f in reversed(frames[-6:]))
    current_app.logger.error(
        "unhandled %s in %s: %s",
        type(error).__name__,
        request.endpoint,
        where,
        extra={"fault": error},
    )
    return _error_page(InternalServerError())

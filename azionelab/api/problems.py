"""Problem details (RFC 9457): every error of the API is application/problem+json.

A problem tells the caller what to do. It never contains the request's values, the caller's identity or details of
our code.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Response, current_app, request
from flask_babel import gettext
from marshmallow import INCLUDE, Schema, fields
from werkzeug.exceptions import HTTPException

API_PREFIX = "/api/"
MIMETYPE = "application/problem+json"
_TYPES = "/api/problems/"  # relative to the site's address


class FieldErrorSchema(Schema):
    """The error of one field."""

    field = fields.String(required=True)
    detail = fields.String(required=True)


class ProblemSchema(Schema):
    """Problem details of RFC 9457. Problems with more meaning than their status have their own `type`."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True, metadata={"format": "uri-reference"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String()
    errors = fields.List(fields.Nested(FieldErrorSchema))


def is_api_request() -> bool:
    """Whether the request is to the API, whose errors are JSON and not pages."""
    return request.path.startswith(API_PREFIX)


def problem(
    status: int, kind: str | None, title: str, detail: str | None = None, **members: object
) -> Response:
    """Build a problem's response. `members` are extension members (`seats_left`, `limit`); None is omitted.

    `kind` is the last part of the problem's type ("sold-out"); without one the type is about:blank.
    """
    facts = {"detail": detail, **members}
    body: dict[str, Any] = {
        "type": _TYPES + kind if kind else "about:blank",
        "title": title,
        "status": status,
    }
    told = body | {name: fact for name, fact in facts.items() if fact is not None}
    return current_app.response_class(
        current_app.json.dumps(told), status=status, mimetype=MIMETYPE
    )


def problem_from_error(error: HTTPException) -> Response:
    """Convert an HTTP error into a problem, with the error's headers (Allow, WWW-Authenticate...)."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    errors = _field_errors(error)
    kind = "invalid-fields" if errors else None
    response = problem(status, kind, HTTPStatus(status).phrase, _detail(status), errors=errors)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _detail(status: int) -> str | None:
    return {
        400: gettext("The request could not be parsed. Its body must be valid JSON."),
        401: gettext("A valid bearer token is required."),
        404: gettext("The requested resource was not found."),
        413: gettext("The request is too large."),
        415: gettext("The body must be JSON, with Content-Type application/json."),
        422: gettext("Some fields are not valid."),
        429: gettext("Too many requests from your network. Please try again in a minute."),
        503: gettext(
            "The service is busy: the database did not answer in time. Retry after the number of seconds in"
            " Retry-After."
        ),
    }.get(status)


def _field_errors(error: HTTPException) -> list[dict[str, str]] | None:
    """webargs' errors by field, or None when it found none."""
    found = getattr(error, "data", {}).get("messages")
    if not isinstance(found, dict):
        return None
    return [error for place in found.values() for error in _list_field_errors(place)]


def _list_field_errors(found: dict[Any, Any], inside: str = "") -> Iterator[dict[str, str]]:
    """One error per field. Nested fields are named by their path: `actions.0.code`."""
    for name, details in sorted(found.items(), key=lambda item: str(item[0])):
        field = f"{inside}{name}"
        if isinstance(details, dict):
            yield from _list_field_errors(details, f"{field}.")
        else:
            yield {"field": field, "detail": " ".join(map(str, details))}

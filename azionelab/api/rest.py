"""Request parsing and the OpenAPI description: flask-smorest, with problem details for errors."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Request, abort, request
from flask_babel import gettext
from flask_smorest import Api, Blueprint
from flask_smorest.utils import prepare_response
from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from azionelab.api import problems

View = TypeVar("View", bound=Callable[..., Any])

_ANYWHERE = (
    HTTPStatus.TOO_MANY_REQUESTS,  # nginx limits requests per client
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_WITH_BODY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


class N_(str):  # noqa: N801 (the keyword that gathers texts for translation)
    """A lazily translated string: translated into the language of the request that formats it.

    marshmallow needs messages to be str and interpolates them with `format`.
    """

    def __str__(self) -> str:
        return gettext(str.__str__(self))

    def format(self, *arguments: object, **facts: object) -> str:
        """Translate and interpolate the text."""
        return str(self).format(*arguments, **facts)


AT_LEAST = N_("Must be at least {min}.")
BETWEEN = N_("Must be between {min} and {max}.")
NOT_EMPTY = N_("Must not be empty.")
LENGTH_UP_TO = N_("Must be at most {max} characters long.")
LENGTH_BETWEEN = N_("Must be between {min} and {max} characters long.")
ONE_OF = N_("Must be one of: {choices}.")

# marshmallow has no translations: its messages are replaced in the fields' classes, as its documentation says,
# so that errors are in the language that Accept-Language asks for. The cost is not measurable (docs/performance.md).
_MESSAGES: dict[type[fields.Field[Any]], dict[str, str]] = {
    fields.Field: {
        "required": N_("This field is required."),
        "null": N_("Must not be null."),
        "validator_failed": N_("Is not valid."),
    },
    fields.String: {
        "invalid": N_("Must be a string."),
        "invalid_utf8": N_("Must be a string."),
    },
    fields.Number: {"invalid": N_("Must be a number."), "too_large": N_("Is too large.")},
    fields.Integer: {"invalid": N_("Must be an integer.")},
    fields.DateTime: {
        "invalid": N_("Must be a date and time, as ISO 8601 has it."),
        "invalid_awareness": N_("Must have a UTC offset."),
    },
    fields.UUID: {"invalid_uuid": N_("Must be a UUID.")},
}
for _field, _messages in _MESSAGES.items():
    _field.default_error_messages = _field.default_error_messages | _messages


class RequestSchema(Schema):
    """Base of request schemas: unknown fields are refused."""

    error_messages: dict[str, str] = {
        "type": N_("Must be an object."),
        "unknown": N_("Unknown field."),
    }

    class Meta:
        unknown = RAISE


class ResponseSchema(Schema):
    """Base of response schemas: clients ignore unknown fields, so that later versions may add some."""

    class Meta:
        unknown = EXCLUDE


class RequestKeySchema(Schema):
    """The Idempotency-Key header, by which a repeated request is recognised."""

    class Meta:
        unknown = EXCLUDE

    request_key = fields.UUID(data_key="Idempotency-Key")


class ConsentField(fields.Field[bool]):
    """Consent: only true itself is accepted, no value that could be converted to it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=True, metadata={"type": "boolean", "enum": [True]}, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if value is not True:
            raise ValidationError(gettext("Must be true."))
        return True


class TrueOrFalse(fields.Boolean):
    """A boolean: only true and false themselves, no value that could be converted to one."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError(gettext("Must be true or false."))
        return value


class Cleaned(fields.String):
    """A text that is normalized or refused as in a form, by `clean`, with the same messages."""

    def __init__(self, clean: Callable[[str], str], **options: Any) -> None:
        super().__init__(**options)
        self._clean = clean

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> str:
        text = super()._deserialize(value, *arguments, **options) or ""
        try:
            return self._clean(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class _BodyParser(FlaskParser):
    def load_json(self, req: Request, schema: Schema) -> Any:  # noqa: ARG002 (webargs' signature)
        """Parse the JSON body; 415 when the content type is not JSON, 400 when it cannot be parsed."""
        if not req.is_json:
            abort(415)
        try:
            return json.loads(req.get_data())
        except (ValueError, RecursionError):
            abort(400)


def read_bearer_token() -> str:
    """The bearer token of this request; raises Unauthorized when it has none."""
    sent = request.authorization
    if sent is None or sent.type != "bearer" or not sent.token:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer"))
    return sent.token


def invalid_token() -> Unauthorized:
    """The error for a token that is not valid (RFC 6750, 3.1)."""
    return Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"error": "invalid_token"}))


class ApiBlueprint(Blueprint):  # type: ignore[misc]  # flask_smorest has no types
    """A part of the API. `scheme` names the OpenAPI security scheme that its views require."""

    ARGUMENTS_PARSER = _BodyParser()

    def __init__(self, *arguments: Any, scheme: str | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._scheme = scheme

    def arguments(self, schema: type[Schema], **options: Any) -> Callable[[View], View]:
        """Parse a view's arguments by a schema, which is instantiated once and not per request.

        The schema decides about unknown fields: by default webargs would drop them from a query.
        """
        decorate: Callable[[View], View] = super().arguments(schema(), unknown=None, **options)
        return decorate

    def operation(self, name: str, *problems: int, body: bool = False) -> Callable[[View], View]:
        """Document a view: its `operationId`, and the status codes of its problems.

        Generated clients name their functions after the `operationId`, so it must not change. `body` adds the
        problems of views that read a request body.
        """
        told = {*map(HTTPStatus, problems), *(_WITH_BODY if body else ()), *_ANYWHERE}
        # Public operations say so by an empty list: without it linters report missing security.
        about: dict[str, Any] = {"operationId": name, "security": []}
        if self._scheme:
            told.add(HTTPStatus.UNAUTHORIZED)
            about["security"] = [{self._scheme: []}]
        about["responses"] = {status.value: status.name for status in sorted(told)}
        decorate: Callable[[View], View] = self.doc(**about)
        return decorate


class ProblemApi(Api):  # type: ignore[misc]
    """flask-smorest's Api with problem details. `azionelab.web.error_pages` handles the errors."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        pass  # handled by azionelab.web.error_pages

    def _register_pagination_header(self) -> None:
        pass  # no response is paginated

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            response = {"description": status.phrase, "schema": problems.ProblemSchema}
            prepare_response(response, self.spec, problems.MIMETYPE)
            self.spec.components.response(status.name, response, lazy=True)

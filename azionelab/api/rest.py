"""How the API reads bodies and describes itself: flask-smorest, with problems for its errors."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Request, abort
from flask_babel import gettext
from flask_smorest import Api, Blueprint
from flask_smorest.utils import prepare_response
from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser

from azionelab.api import problems

View = TypeVar("View", bound=Callable[..., Any])

_ANYWHERE = (
    HTTPStatus.TOO_MANY_REQUESTS,  # nginx limits every address
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_WITH_BODY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


class N_(str):  # noqa: N801 (the name that gathers texts; messages are no rows)
    """A text that is said in the language of the request in which it is needed, not of its making.

    marshmallow wants its messages to be str, and fills them in with `format`.
    """

    def __str__(self) -> str:
        return gettext(str.__str__(self))

    def format(self, *arguments: object, **facts: object) -> str:
        """The text in the language of the request, filled in."""
        return str(self).format(*arguments, **facts)


AT_LEAST = N_("Must be at least {min}.")
BETWEEN = N_("Must be from {min} to {max}.")
NOT_EMPTY = N_("Must not be empty.")
LENGTH_UP_TO = N_("Must be at most {max} characters long.")
LENGTH_BETWEEN = N_("Must be {min} to {max} characters long.")
ONE_OF = N_("Must be one of: {choices}.")

# marshmallow's own messages are English, whoever asks; as its documentation says, they are replaced in
# the fields' classes.
_MESSAGES: dict[type[fields.Field[Any]], dict[str, str]] = {
    fields.Field: {
        "required": N_("This field is missing."),
        "null": N_("Must not be null."),
        "validator_failed": N_("Cannot be used."),
    },
    fields.String: {
        "invalid": N_("Must be a text."),
        "invalid_utf8": N_("Must be a text."),
    },
    fields.Number: {"invalid": N_("Must be a number."), "too_large": N_("Is too large.")},
    fields.Integer: {"invalid": N_("Must be a whole number.")},
    fields.UUID: {"invalid_uuid": N_("Must be a UUID.")},
}
for _field, _messages in _MESSAGES.items():
    _field.default_error_messages = _field.default_error_messages | _messages


class Asked(Schema):
    """What a caller sends: nothing but the fields that are known."""

    error_messages: dict[str, str] = {
        "type": N_("Must be an object."),
        "unknown": N_("There is no such field."),
    }

    class Meta:
        unknown = RAISE


class Answer(Schema):
    """What a caller gets; later versions may add fields."""

    class Meta:
        unknown = EXCLUDE


class RequestKeySchema(Schema):
    """Headers with a key of the caller's, by which a request that is sent again is known."""

    class Meta:
        unknown = EXCLUDE

    request_key = fields.UUID(data_key="Idempotency-Key")


class Yes(fields.Field[bool]):
    """Consent: true, and nothing that could be taken for it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=True, metadata={"type": "boolean", "enum": [True]}, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if value is not True:
            raise ValidationError(gettext("Must be true."))
        return True


class _BodyParser(FlaskParser):
    def load_json(self, req: Request, schema: Schema) -> Any:  # noqa: ARG002 (webargs' signature)
        """The body; 415 when it does not say that it is JSON, 400 when it is not."""
        if not req.is_json:
            abort(415)
        try:
            return json.loads(req.get_data())
        except (ValueError, RecursionError):
            abort(400)


class ApiBlueprint(Blueprint):  # type: ignore[misc]  # flask_smorest has no types
    """A part of the API; with a `scheme` its views need what that security scheme says."""

    ARGUMENTS_PARSER = _BodyParser()

    def __init__(self, *arguments: Any, scheme: str | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._scheme = scheme

    def arguments(self, schema: type[Schema], **options: Any) -> Callable[[View], View]:
        """Read what a view is sent; the schema is made once, and not for each request.

        The schema says whether what it does not know is refused: webargs would leave it out of a query.
        """
        decorate: Callable[[View], View] = super().arguments(schema(), unknown=None, **options)
        return decorate

    def operation(self, name: str, *problems: int, body: bool = False) -> Callable[[View], View]:
        """Describe a view: its name for programs, and the statuses of its problems.

        Generated clients name their functions after the operation (OpenAPI's `operationId`), so the name
        stays. `body` when the view reads one: bodies have problems of their own.
        """
        told = {*map(HTTPStatus, problems), *(_WITH_BODY if body else ()), *_ANYWHERE}
        # What is public says so: without a word on it, a linter cannot tell it from what was forgotten.
        about: dict[str, Any] = {"operationId": name, "security": []}
        if self._scheme:
            told.add(HTTPStatus.UNAUTHORIZED)
            about["security"] = [{self._scheme: []}]
        about["responses"] = {status.value: status.name for status in sorted(told)}
        decorate: Callable[[View], View] = self.doc(**about)
        return decorate


class ProblemApi(Api):  # type: ignore[misc]
    """flask-smorest's Api, whose errors are problems. `azionelab.web.error_pages` answers them for all."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        pass  # see above

    def _register_pagination_header(self) -> None:
        pass  # nothing here comes in pages

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            response = {"description": status.phrase, "schema": problems.ProblemSchema}
            prepare_response(response, self.spec, problems.MIMETYPE)
            self.spec.components.response(status.name, response, lazy=True)

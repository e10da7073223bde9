"""Access to the API for staff: the program's token and its scopes, and the limit of its requests."""

from collections.abc import Callable
from typing import TypeVar

from flask import g, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from azionelab.api.problems import problem
from azionelab.api.rest import ApiBlueprint, invalid_token, read_bearer_token
from azionelab.integrations.tokens import Scope, find_valid_token
from azionelab.web.actors import act_with_token
from azionelab.web.rate_limits import RateLimit

blueprint = ApiBlueprint(
    "staff_api",
    __name__,
    url_prefix="staff",
    description="The season and its reservations, for the theatre's own programs.",
    scheme="programToken",
)
_REQUESTS = RateLimit(
    "program-request", lambda _settings: "600 per minute", spares_box_office=False
)
_View = TypeVar("_View", bound=Callable[..., object])
_NEEDED: dict[str, Scope] = {}  # the scope that each view needs, by its endpoint


def needs_scope(scope: Scope) -> Callable[[_View], _View]:
    """Mark a view that needs a scope. A view that names none is refused."""

    def mark(view: _View) -> _View:
        _NEEDED[f"{blueprint.name}.{getattr(view, '__name__')}"] = scope  # noqa: B009 (any callable)
        return view

    return mark


@blueprint.before_request
def _require_token() -> AnyResponse | None:
    if request.method == "OPTIONS":
        return None
    token = find_valid_token(read_bearer_token())
    if token is None:
        raise invalid_token()
    g.program = token
    act_with_token(token.id, is_device=False, program=token.label)
    # Not the id: after a restore from backup another program may have it.
    _REQUESTS.count(f"program {token.digest.hex()}")
    needed = _NEEDED.get(request.endpoint or "")
    if needed is None or needed not in token.scopes:
        return problem(
            403,
            "scope-missing",
            "Missing scope",
            gettext("This token does not have the scope that the request needs."),
            scope=needed,
        )
    return None

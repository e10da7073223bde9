"""The API under /api/v1: its blueprints, OpenAPI description and CORS."""

from flask import Flask, Response, current_app, request

from azionelab.admin.exports import api as _staff_exports  # noqa: F401
from azionelab.api.problems import API_PREFIX
from azionelab.api.rest import ProblemApi
from azionelab.bookings.pages.api import blueprint as bookings
from azionelab.checkin.pages import api as _door_requests  # noqa: F401
from azionelab.checkin.pages.access import blueprint as checkin
from azionelab.checkin.pages.enrolment_api import enrolment
from azionelab.extensions import csrf
from azionelab.integrations.pages import api as _staff_requests  # noqa: F401
from azionelab.integrations.pages import changes as _staff_changes  # noqa: F401
from azionelab.integrations.pages import season_changes as _season_changes  # noqa: F401
from azionelab.integrations.pages.access import blueprint as staff
from azionelab.shows.pages.api import blueprint as performances
from azionelab.shows.pages.shows_api import blueprint as shows

_V1 = f"{API_PREFIX}v1/"
_DESCRIPTION = """\
The programme and bookings are public; check-in requires a bearer token issued by the theatre, and so does
`/staff/`, the API for the theatre's own programs, whose tokens have scopes (docs/api.md).
This description may be used freely, also to generate clients from it.
Timestamps are ISO 8601 with a UTC offset.

Errors are problem details (RFC 9457), with texts in the language that `Accept-Language` asks for.
Their `type` is `about:blank` or one of

- `/api/problems/invalid-fields`: `errors` lists each invalid field and the reason;
- `/api/problems/party-too-large`: the performance allows at most `limit` seats per booking;
- `/api/problems/too-many-mails`: too many confirmation e-mails for this address; retry after `Retry-After`
  seconds;
- `/api/problems/too-many-unconfirmed`: too many unconfirmed seats were booked from this network; confirm
  some, or retry after `Retry-After` seconds;
- `/api/problems/sold-out`: fewer seats are left than requested; `seats_left` may be 0;
- `/api/problems/wheelchair-places-taken`: so many wheelchair places are not free; `wheelchair_left` are;
- `/api/problems/booking-closed`: `window` gives the reason, `opens_at` when booking will open, if it will;
- `/api/problems/scope-missing`: the token lacks the `scope` that the request needs;
- `/api/problems/key-reused`: the `Idempotency-Key` was used for a request with another body;
- `/api/problems/reservation-changed`: somebody else changed the reservation since it was read; read it again;
- `/api/problems/changed-meanwhile`: somebody else changed the same entries since they were read; read them again;
- `/api/problems/capacity-below-held`: more seats are `held` than the capacity asked for;
- `/api/problems/still-played`: the show has `coming` performances, so it cannot be archived;
- `/api/problems/already-booked`: the address has another booking of the performance, `reference`;
- `/api/problems/same-name`: somebody of this name has booked already; `same_name` books nevertheless;
- `/api/problems/reservation-ended`, `/api/problems/performance-started`, `/api/problems/performance-over`: it is too
  late for this change;
- `/api/problems/party-inside`: `admitted` people of the party were let in already;
- `/api/problems/visitor-erased`: the name was erased, and nothing about the visitor can be kept;
- `/api/problems/house-seats`: seats kept back for the house are given or released, not moved or reinstated;
- `/api/problems/scan-reused`: the `scan_id` has already been used for another scan;
- `/api/problems/not-a-ticket`: the code is neither a ticket nor a booking reference; nothing was recorded;
- `/api/problems/invitation-over`: the invitation has expired or has been used;
- `/api/problems/pass-over`: the device's pass is no longer valid;
- `/api/problems/device-revoked`: the device was revoked;
- `/api/problems/other-performance`: the device token is not valid for this performance;
- `/api/problems/door-closed`: the performance is over;
- `/api/problems/right-missing`: the device lacks the right for this request; the responses to enrolment and
  sync list its `rights`;
- `/api/problems/reload-needed`: the server does not support the device's `version` of the sync protocol;
- `/api/problems/too-many-attempts`: the device exceeded its rate limit; retry after `Retry-After` seconds;
- `/api/problems/release-too-early`: seats can be released from `opens_at`;
- `/api/problems/performance-cancelled`: the performance has been cancelled;
- `/api/problems/outcome-unknown` (503): the connection to the database was lost during the commit. Send the
  same request again with the same `Idempotency-Key` or `scan_id`: it takes effect only once.
"""
# The licence of this description: anybody may generate clients from it.
_LICENSE = {"name": "CC0 1.0 Universal", "identifier": "CC0-1.0"}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "600",
}


def init_api(app: Flask) -> None:
    """Register the API with the application."""
    app.config["OPENAPI_URL_PREFIX"] = API_PREFIX
    rest = ProblemApi(
        app,
        spec_kwargs={
            "title": app.config["AZIONELAB"].site_name,
            "version": "1",
            "openapi_version": "3.1.0",
            "info": {"description": _DESCRIPTION, "license": _LICENSE},
            "servers": [{"url": app.config["AZIONELAB"].site_base_url}],
        },
    )
    rest.spec.components.security_scheme("doorToken", {"type": "http", "scheme": "bearer"})
    rest.spec.components.security_scheme("programToken", {"type": "http", "scheme": "bearer"})
    for blueprint in (performances, shows, bookings, checkin, enrolment, staff):
        # The API uses no cookies, so that requests cannot be forged by other sites.
        csrf.exempt(blueprint)
        rest.register_blueprint(blueprint, url_prefix=_V1 + blueprint.url_prefix)
    app.before_request(_answer_preflight)
    app.after_request(_add_headers)


def _answer_preflight() -> Response | None:
    asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    if not (asks and request.path.startswith(_V1)):
        return None
    return Response(status=204, headers=_PREFLIGHT if _origin_is_allowed() else None)


def _add_headers(response: Response) -> Response:
    if request.path.startswith(API_PREFIX) and "Cache-Control" not in response.headers:
        response.cache_control.no_store = True
    if request.path.startswith(_V1) and current_app.config["AZIONELAB"].cors_allowed_origins:
        response.vary.add("Origin")
        if _origin_is_allowed():
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = "Retry-After"
    return response


def _origin_is_allowed() -> bool:
    return request.headers.get("Origin") in current_app.config["AZIONELAB"].cors_allowed_origins

"""The API under /api/v1: its blueprints, OpenAPI description and CORS."""

from flask import Flask, Response, current_app, request

from azionelab.api.problems import API_PREFIX
from azionelab.api.rest import ProblemApi
from azionelab.bookings.pages.api import blueprint as bookings
from azionelab.checkin.pages import api as _door_requests  # noqa: F401
from azionelab.checkin.pages.access import blueprint as checkin
from azionelab.checkin.pages.enrolment_api import enrolment
from azionelab.extensions import csrf
from azionelab.shows.api import blueprint as shows

_V1 = f"{API_PREFIX}v1/"
_DESCRIPTION = """\
The programme and bookings are for everybody; the door needs a token that the theatre hands out.
This description may be used freely, by programs that write others from it too.
Moments are ISO 8601 with their offset from UTC.

Errors are problems as RFC 9457 says. What they tell is in the language that
`Accept-Language` asks for. Their type is about:blank, or one of

- `/api/problems/invalid-fields`: `errors` names each field and what is wrong with it;
- `/api/problems/party-too-large`: a party has at most `limit` seats here;
- `/api/problems/too-many-mails`: the mailbox was asked to confirm too often; try again after `Retry-After`
  seconds;
- `/api/problems/too-many-unconfirmed`: too many seats booked from the same network wait to be confirmed;
  confirm some, or try again after `Retry-After` seconds;
- `/api/problems/sold-out`: `seats_left` are fewer than were asked for, maybe none;
- `/api/problems/booking-closed`: `window` says why, `opens_at` when booking opens, if it will;
- `/api/problems/scan-reused`: the identity of a scan was used for another one;
- `/api/problems/not-a-ticket`: what was scanned has not the form of a ticket or a reference, and was not recorded;
- `/api/problems/invitation-over`, `device-revoked`, `other-performance`, `door-closed`, `pass-over`: a door device
  is none yet, or no more, or none here;
- `/api/problems/right-missing`: a door device may not do this: its `rights` are in the answers to its enrolment
  and to each sync;
- `/api/problems/reload-needed`: the device's page speaks a `version` of the protocol that this site does not;
- `/api/problems/too-many-attempts`: a door device did more than it had time for; to be sent again after
  `Retry-After` seconds;
- `/api/problems/release-too-early`: places are released from `opens_at` on; `performance-cancelled`;
- `/api/problems/outcome-unknown` (503): the connection to the database was lost while this was saved. Send
  the same again, with the same `Idempotency-Key` or `scan_id`: nothing is done twice.
"""
# The licence of this description: anybody may generate clients from it.
_LICENSE = {"name": "CC0 1.0 Universal", "identifier": "CC0-1.0"}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
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
    for blueprint in (shows, bookings, checkin, enrolment):
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

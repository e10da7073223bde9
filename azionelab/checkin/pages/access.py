"""Who may use the door's API: the token, its rights, its pace, and what it is told when it may not."""

from collections.abc import Callable
from contextlib import suppress
from typing import cast

from flask import g, request
from flask_babel import gettext
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import TooManyRequests, Unauthorized
from werkzeug.wrappers import Response as AnyResponse

from azionelab.api.problems import problem
from azionelab.api.rest import ApiBlueprint
from azionelab.checkin import scan_log
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.devices import scan_rate
from azionelab.checkin.devices.rights import Right, RightMissing, rights_of
from azionelab.database import now
from azionelab.staff.tokens import digest

blueprint = ApiBlueprint(
    "door_api",
    __name__,
    url_prefix="checkin/performances",
    description="Letting people in.",
    scheme="doorToken",
)


@blueprint.before_request
def _require_token() -> AnyResponse | None:
    """Let nobody near the door without a token: views cannot forget to ask for it."""
    if request.method == "OPTIONS":
        return None
    sent = request.authorization
    if sent is None or sent.type != "bearer" or not sent.token:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer"))
    find = (
        devices.find_device_cached if request.endpoint == "door_api.scan" else devices.find_device
    )
    device = find(sent.token)
    if device is None:
        # RFC 6750, 3.1
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"error": "invalid_token"}))
    g.device, g.token = device, sent.token
    if device.performance_id not in (None, (request.view_args or {}).get("performance_id")):
        detail = gettext("This device is the door of another performance.")
        return problem(403, "other-performance", "Another performance", detail)
    if is_closed() and request.endpoint != "door_api.sync":
        return closed()
    # What a revoked device did in the meantime is taken down, by `sync`, before it is told.
    if device.revoked and request.endpoint != "door_api.sync":
        return revoked()
    return None


# What each request needs. One that is not listed is nobody's to make.
_NEEDED = {
    "door_api.house": Right.SCAN,
    "door_api.scan": Right.SCAN,
    "door_api.undo": Right.SCAN,  # of its own scans; of others' it needs UNDO_OTHERS
    "door_api.sync": Right.SCAN,
    "door_api.walk_in": Right.WALK_IN,
    "door_api.search": Right.SEARCH,
    "door_api.Release": Right.RELEASE,
}


@blueprint.before_request
def _require_right() -> None:
    """Let nobody do what the token was not given for."""
    if request.method != "OPTIONS" and not may(_NEEDED.get(request.endpoint or "")):
        raise RightMissing


def may(right: Right | None) -> bool:
    """Whether the device of this request has a right."""
    return right in rights_of(g.device.scope)


@blueprint.errorhandler(RightMissing)
def _right_missing(_error: RightMissing) -> AnyResponse:
    # Not 403: a page of before takes that for the end of its evening, and wipes the list.
    detail = gettext(
        "This phone may only scan. For this, ask whoever runs the house, or whoever has a phone that may do it."
    )
    return problem(409, "right-missing", "Right missing", detail)


@blueprint.before_request
def _refuse_too_many() -> None:
    """Refuse what writes when the device has written too much; what it may not do at all is told first."""
    if request.method == "OPTIONS":
        return
    if request.endpoint == "door_api.scan":
        # Nearly every scan lets a party in, which is not counted.
        keep_to_pace(scan_rate.ATTEMPTS.check)
    elif request.endpoint in ("door_api.walk_in", "door_api.undo", "door_api.Release"):
        keep_to_pace(scan_rate.ATTEMPTS.count)


def keep_to_pace(ask: Callable[[str], None]) -> None:
    """Ask a limit for this device; raises TooManyAttempts."""
    try:
        ask(device_key())
    except TooManyRequests as error:
        raise scan_rate.TooManyAttempts(cast("int", error.retry_after)) from error


def count_attempt() -> None:
    """Count what this device did, after it is answered."""
    # This one is in the scan log already, and is answered; the next one is not.
    with suppress(TooManyRequests):
        scan_rate.ATTEMPTS.count(device_key())


def device_key() -> str:
    """What a device's attempts are counted under."""
    # By its token: a database that is restored may give the number to another device.
    return f"device {digest(g.token).hex()}"


@blueprint.errorhandler(scan_rate.TooManyAttempts)
def _too_many(error: scan_rate.TooManyAttempts) -> AnyResponse:
    detail = gettext(
        "This device did more than there was time for. Nothing is lost: it keeps what it did, and tells it"
        " a little later."
    )
    answer = problem(429, "too-many-attempts", "Too many attempts", detail)
    answer.headers["Retry-After"] = str(error.retry_after)
    return answer


@blueprint.errorhandler(scan_log.DeviceRevoked)
def _revoked_meanwhile(_error: scan_log.DeviceRevoked) -> AnyResponse:
    devices.uncache_device(g.token)
    return revoked()


def closed() -> AnyResponse:
    """Answer 403: the performance is over."""
    detail = gettext("This performance is over.")
    return problem(403, "door-closed", "Door closed", detail)


def revoked() -> AnyResponse:
    """Answer 401 to a device that was revoked, and note that it was told."""
    devices.note_revocation_received(g.device)
    detail = gettext("This device may let nobody in any more.")
    answer = problem(401, "device-revoked", "Device revoked", detail)
    answer.www_authenticate = WWWAuthenticate("bearer", {"error": "invalid_token"})
    return answer


def is_closed() -> bool:
    """Whether the door device of this request is one of an evening that is over."""
    return g.device.closes_at is not None and g.device.closes_at <= now()

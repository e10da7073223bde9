"""Access to the door's API: token, rights and rate limits of the device, and the error responses."""

from collections.abc import Callable
from contextlib import suppress
from typing import cast

from flask import g, request
from flask_babel import gettext
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from azionelab.api.problems import problem
from azionelab.api.rest import ApiBlueprint, invalid_token, read_bearer_token
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.devices import scan_rate
from azionelab.checkin.devices.rights import Right, RightMissing, rights_of
from azionelab.checkin.scanning import scan_log
from azionelab.database import now
from azionelab.staff.tokens import digest
from azionelab.web.actors import act_with_token

blueprint = ApiBlueprint(
    "door_api",
    __name__,
    url_prefix="checkin/performances",
    description="Check-in.",
    scheme="doorToken",
)


@blueprint.before_request
def _require_token() -> AnyResponse | None:
    """Require a device token for every request of the blueprint."""
    if request.method == "OPTIONS":
        return None
    sent = read_bearer_token()
    find = (
        devices.find_device_cached if request.endpoint == "door_api.scan" else devices.find_device
    )
    device = find(sent)
    if device is None:
        raise invalid_token()
    g.device, g.token = device, sent
    act_with_token(device.token_id, is_device=True)
    if device.performance_id not in (None, (request.view_args or {}).get("performance_id")):
        detail = gettext("This device token is not valid for this performance.")
        return problem(403, "other-performance", "Not valid for this performance", detail)
    if is_closed() and request.endpoint != "door_api.sync":
        return door_closed_response()
    # `sync` first records the scans of a revoked device, then refuses it.
    if device.revoked and request.endpoint != "door_api.sync":
        return revoked_response()
    return None


# The right that each endpoint needs. An endpoint that is not listed is refused.
_NEEDED = {
    "door_api.house": Right.SCAN,
    "door_api.scan": Right.SCAN,
    "door_api.undo": Right.SCAN,  # for own scans; those of others need UNDO_OTHERS
    "door_api.sync": Right.SCAN,
    "door_api.walk_in": Right.WALK_IN,
    "door_api.search": Right.SEARCH,
    "door_api.Release": Right.RELEASE,
}


@blueprint.before_request
def _require_right() -> None:
    """Require the right that the endpoint needs."""
    if request.method != "OPTIONS" and not has_right(_NEEDED.get(request.endpoint or "")):
        raise RightMissing


def has_right(right: Right | None) -> bool:
    """Whether the device of this request has the right."""
    return right in rights_of(g.device.scope)


@blueprint.errorhandler(RightMissing)
def _right_missing(_error: RightMissing) -> AnyResponse:
    # Not 403: apps of earlier releases take that for the end of the performance, and wipe the list.
    detail = gettext(
        "This device can only scan tickets. Ask staff, or use a device that has this right."
    )
    return problem(409, "right-missing", "Missing right", detail)


@blueprint.before_request
def _refuse_too_many() -> None:
    """Apply the rate limit to requests that write, after the check of rights."""
    if request.method == "OPTIONS":
        return
    if request.endpoint == "door_api.scan":
        # Counted afterwards, and only if it admitted nobody (`scan`).
        apply_rate_limit(scan_rate.ATTEMPTS.check)
    elif request.endpoint in ("door_api.walk_in", "door_api.undo", "door_api.Release"):
        apply_rate_limit(scan_rate.ATTEMPTS.count)


def apply_rate_limit(ask: Callable[[str], None]) -> None:
    """Check or count this device's attempt; raises TooManyAttempts."""
    try:
        ask(rate_limit_key())
    except TooManyRequests as error:
        raise scan_rate.TooManyAttempts(cast("int", error.retry_after)) from error


def count_attempt() -> None:
    """Count an attempt of this device that has been recorded."""
    # Over the limit the next attempt is refused; this one is in the scan log already.
    with suppress(TooManyRequests):
        scan_rate.ATTEMPTS.count(rate_limit_key())


def rate_limit_key() -> str:
    """The key under which attempts of this device are counted."""
    # Not the id: after a restore from backup another device may have it.
    return f"device {digest(g.token).hex()}"


@blueprint.errorhandler(scan_rate.TooManyAttempts)
def _too_many(error: scan_rate.TooManyAttempts) -> AnyResponse:
    detail = gettext(
        "Too many attempts from this device. Send them again after the number of seconds in Retry-After."
    )
    answer = problem(429, "too-many-attempts", "Too many attempts", detail)
    answer.headers["Retry-After"] = str(error.retry_after)
    return answer


@blueprint.errorhandler(scan_log.DeviceRevoked)
def _revoked_meanwhile(_error: scan_log.DeviceRevoked) -> AnyResponse:
    devices.uncache_device(g.token)
    return revoked_response()


def door_closed_response() -> AnyResponse:
    """403: the performance is over."""
    detail = gettext("This performance is over.")
    return problem(403, "door-closed", "Performance over", detail)


def revoked_response() -> AnyResponse:
    """401 for a revoked device; notes that it has been told."""
    devices.note_revocation_received(g.device)
    detail = gettext("This device was revoked and can no longer admit anyone.")
    answer = problem(401, "device-revoked", "Device revoked", detail)
    answer.www_authenticate = WWWAuthenticate("bearer", {"error": "invalid_token"})
    return answer


def is_closed() -> bool:
    """Whether the performance of this door device is over."""
    return g.device.closes_at is not None and g.device.closes_at <= now()

"""The door for devices and programs: scans, walk-ins, sync, the house; by a door token.

docs/door.md is the protocol.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, cast
from uuid import UUID

from flask import abort, g, request
from flask.views import MethodView
from flask_babel import gettext
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import TooManyRequests, Unauthorized
from werkzeug.wrappers import Response as AnyResponse

from azionelab.api.problems import problem
from azionelab.api.rest import ApiBlueprint
from azionelab.bookings import places
from azionelab.bookings.changes import ended, reduced
from azionelab.bookings.errors import PerformanceUnknown, ReleaseTooEarly, ReservationEnded
from azionelab.bookings.locks import PartyRow
from azionelab.bookings.models import Reservation
from azionelab.bookings.tickets.signing import public_keys
from azionelab.checkin import scan_log as books
from azionelab.checkin.codes import CodeForeign, require_ours
from azionelab.checkin.devices import pace, passes
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.devices.device_list import Conflict, Listed, changes_since, conflicts
from azionelab.checkin.devices.putting_away import note_done
from azionelab.checkin.devices.rights import Right, RightMissing, rights_of
from azionelab.checkin.facts import DoorUnknown
from azionelab.checkin.house.building import people_in
from azionelab.checkin.house.counts import find_parties, house_counts
from azionelab.checkin.interval import pass_without_ticket
from azionelab.checkin.limits import MAX_WALK_INS, SEARCHES
from azionelab.checkin.no_shows import release_no_shows
from azionelab.checkin.pages.schemas import (
    DeviceSchema,
    EnrolKeySchema,
    EnrolSchema,
    HouseSchema,
    InvitationSchema,
    InvitedSchema,
    NewsSchema,
    OfferedSchema,
    PartiesSchema,
    PassSchema,
    ReleasedSchema,
    ReleaseSchema,
    ScanSchema,
    SearchSchema,
    SyncSchema,
    VerdictSchema,
    WalkInSchema,
)
from azionelab.checkin.scans import admit
from azionelab.checkin.texts.verdict_texts import say_foreign
from azionelab.checkin.verdicts import Kind, Way
from azionelab.checkin.walk_ins import let_in_walk_ins
from azionelab.database import now
from azionelab.shows.programme import Listing, listing
from azionelab.staff.tokens import Scope, digest

VERSION = 1  # of the protocol that this speaks
_UNDERSTOOD = {1}  # versions of pages that may still be open somewhere, or kept by their phone
_MAX_OF_REVOKED = 5_000  # attempts that a revoked device may leave in the books

enrolment = ApiBlueprint(
    "door_enrolment",
    __name__,
    url_prefix="checkin",
    description="Becoming a door device.",
)
blueprint = ApiBlueprint(
    "door_api",
    __name__,
    url_prefix="checkin/performances",
    description="Letting people in.",
    scheme="doorToken",
)


@enrolment.route("/invitations", methods=["POST"])
@enrolment.arguments(InvitationSchema)
@enrolment.arguments(EnrolKeySchema, location="headers")
@enrolment.response(200, InvitedSchema)
@enrolment.operation("readInvitation", 404, 410, body=True)
def read_invitation(asked: dict[str, str], headers: dict[str, UUID]) -> dict[str, Any]:
    """Tell which evening an invitation opens the door of, and to do what. A POST, since addresses end up in logs."""
    invited = devices.read_invitation(asked["invitation"], headers.get("request_key"))
    return _evening(_performance(invited.performance_id)) | {"rights": _listed(invited.scope)}


@enrolment.route("/devices", methods=["POST"])
@enrolment.arguments(EnrolSchema)
@enrolment.arguments(EnrolKeySchema, location="headers")
@enrolment.response(201, DeviceSchema)
@enrolment.operation("enrolDevice", 410, body=True)
def enrol(asked: dict[str, str], headers: dict[str, UUID]) -> dict[str, Any]:
    """Make whoever was shown an invitation a door device of its performance."""
    request_key = headers.get("request_key")
    device, token = devices.enrol(asked["invitation"], asked["label"], request_key)
    return {
        "token": token,
        "label": device.label,
        "performance_id": device.performance_id,
        "rights": _listed(Scope(device.scope)),
        "pass": passes.make_pass(device),
    }


@enrolment.route("/passes", methods=["POST"])
@enrolment.arguments(PassSchema)
@enrolment.response(200, OfferedSchema)
@enrolment.operation("readPass", 410, body=True)
def read_pass(asked: dict[str, str]) -> dict[str, Any]:
    """Tell a phone for several evenings which doors it may open, each with an invitation."""
    return {
        "evenings": [
            _evening(_performance(offered.performance.id)) | {"invitation": offered.invitation}
            for offered in passes.evenings_of(asked["pass"])
        ]
    }


@enrolment.errorhandler(passes.PassOver)
def _pass_over(_error: passes.PassOver) -> AnyResponse:
    detail = gettext("This phone may open no other doors. Ask the staff for a new QR.")
    return problem(410, "pass-over", "Pass over", detail)


@enrolment.errorhandler(devices.InvitationForged)
def _forged(_error: devices.InvitationForged) -> AnyResponse:
    detail = gettext("This is no invitation of ours.")
    errors = [{"field": "invitation", "detail": detail}]
    return problem(422, "invalid-fields", "Invalid fields", errors=errors)


@enrolment.errorhandler(devices.InvitationOver)
def _over(_error: devices.InvitationOver) -> AnyResponse:
    detail = gettext("This invitation is over. Scan the code anew that staff show.")
    return problem(410, "invitation-over", "Invitation over", detail)


@enrolment.errorhandler(devices.InvitationUsed)
def _used(_error: devices.InvitationUsed) -> AnyResponse:
    # Of the same type: to a phone it means the same.
    detail = gettext("This invitation was used already. Scan the code anew that staff show.")
    return problem(410, "invitation-over", "Invitation over", detail)


@blueprint.before_request
def _require_token() -> AnyResponse | None:
    """Let nobody near the door without a token: views cannot forget to ask for it."""
    if request.method == "OPTIONS":
        return None
    sent = request.authorization
    if sent is None or sent.type != "bearer" or not sent.token:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer"))
    find = devices.recall_device if request.endpoint == "door_api.scan" else devices.find_device
    device = find(sent.token)
    if device is None:
        # RFC 6750, 3.1
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"error": "invalid_token"}))
    g.device, g.token = device, sent.token
    if device.performance_id not in (None, (request.view_args or {}).get("performance_id")):
        detail = gettext("This device is the door of another performance.")
        return problem(403, "other-performance", "Another performance", detail)
    if _is_closed() and request.endpoint != "door_api.sync":
        return _closed()
    # What a revoked device did in the meantime is taken down, by `sync`, before it is told.
    if device.revoked and request.endpoint != "door_api.sync":
        return _revoked()
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
    if request.method != "OPTIONS" and not _may(_NEEDED.get(request.endpoint or "")):
        raise RightMissing


def _may(right: Right | None) -> bool:
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
        _of_pace(pace.ATTEMPTS.check)
    elif request.endpoint in ("door_api.walk_in", "door_api.undo", "door_api.Release"):
        _of_pace(pace.ATTEMPTS.count)


def _of_pace(ask: Callable[[str], None]) -> None:
    try:
        ask(_who())
    except TooManyRequests as error:
        raise pace.TooManyAttempts(cast("int", error.retry_after)) from error


def _count_attempt() -> None:
    # This one is in the scan log already, and is answered; the next one is not.
    with suppress(TooManyRequests):
        pace.ATTEMPTS.count(_who())


def _who() -> str:
    # By its token: a database that is restored may give the number to another device.
    return f"device {digest(g.token).hex()}"


@blueprint.errorhandler(pace.TooManyAttempts)
def _too_many(error: pace.TooManyAttempts) -> AnyResponse:
    detail = gettext(
        "This device did more than there was time for. Nothing is lost: it keeps what it did, and tells it"
        " a little later."
    )
    answer = problem(429, "too-many-attempts", "Too many attempts", detail)
    answer.headers["Retry-After"] = str(error.retry_after)
    return answer


@blueprint.errorhandler(books.DeviceRevoked)
def _revoked_meanwhile(_error: books.DeviceRevoked) -> AnyResponse:
    devices.forget_device(g.token)
    return _revoked()


def _closed() -> AnyResponse:
    detail = gettext("This performance is over.")
    return problem(403, "door-closed", "Door closed", detail)


def _revoked() -> AnyResponse:
    devices.note_told(g.device)
    detail = gettext("This device may let nobody in any more.")
    answer = problem(401, "device-revoked", "Device revoked", detail)
    answer.www_authenticate = WWWAuthenticate("bearer", {"error": "invalid_token"})
    return answer


@blueprint.route("/<int:performance_id>")
@blueprint.response(200, HouseSchema)
@blueprint.operation("getHouse", 403, 404, 409)
def house(performance_id: int) -> dict[str, Any]:
    """How many people are expected, in, and still to come."""
    return _evening(_performance(performance_id)) | _counts(performance_id)


@blueprint.route("/<int:performance_id>/scans", methods=["POST"])
@blueprint.arguments(ScanSchema)
@blueprint.response(200, VerdictSchema)
@blueprint.operation("scanTicket", 403, 404, 409, body=True)
def scan(attempt: dict[str, Any], performance_id: int) -> dict[str, Any] | AnyResponse:
    """Let a party in, all of it or some; or out, and in again."""
    try:
        verdict = _scan(attempt, performance_id)
    except DoorUnknown:
        abort(404)
    except books.ScanReused:
        _count_attempt()
        return _reused()
    except CodeForeign:
        _count_attempt()
        return problem(409, "not-a-ticket", "Not a ticket", say_foreign())
    if verdict.kind is not Kind.ADMITTED:
        # The house bounds who comes in; refusals nothing does, nor who goes out and comes back.
        _count_attempt()
    return _told(verdict)


@blueprint.route("/<int:performance_id>/walk-ins", methods=["POST"])
@blueprint.arguments(WalkInSchema)
@blueprint.response(200, VerdictSchema)
@blueprint.operation("letInWalkIns", 403, 404, 409, body=True)
def walk_in(attempt: dict[str, Any], performance_id: int) -> dict[str, Any] | AnyResponse:
    """Let in people who have no booking, if places are free; or out, and in again, who have no ticket."""
    try:
        return _told(_walk_in(attempt, performance_id))
    except DoorUnknown:
        abort(404)
    except books.ScanReused:
        return _reused()


@blueprint.route("/<int:performance_id>/scans/<uuid:scan_id>", methods=["DELETE"])
@blueprint.response(200, VerdictSchema)
@blueprint.operation("undoAdmission", 403, 404, 409)
def undo(performance_id: int, scan_id: UUID) -> dict[str, Any]:
    """Take an admission back. Its scan stays in the books. A device that only scans undoes its own."""
    try:
        return _told(_undo({"scan_id": scan_id}, performance_id))
    except books.ScanUnknown:
        abort(404)


@blueprint.route("/<int:performance_id>/parties", methods=["POST"])
@blueprint.arguments(SearchSchema)
@blueprint.response(200, PartiesSchema)
@blueprint.operation("findParties", 403, 404, 409, 429, body=True)
def search(asked: dict[str, str], performance_id: int) -> dict[str, Any]:
    """Find a party by name. A POST, since addresses end up in logs and names must not."""
    _performance(performance_id)
    SEARCHES.count(_who())
    found = find_parties(performance_id, asked["query"])
    return {"parties": [_party(party) for party in found.parties], "more": found.more}


@blueprint.route("/<int:performance_id>/release")
class Release(MethodView):
    """Places of people who did not come. (One rule for both: of two, one says 405 for the other's 404.)"""

    @blueprint.arguments(ReleaseSchema, location="query")
    @blueprint.response(200, ReleasedSchema)
    @blueprint.operation("releasePlaces", 403, 404, 409)
    def post(self, asked: dict[str, bool], performance_id: int) -> places.Places | AnyResponse:
        """Give the places of people who did not come to those who wait at the door."""
        try:
            return release_no_shows(performance_id, with_late=asked["late"])
        except PerformanceUnknown:
            abort(404)
        except ReservationEnded:
            return problem(409, "performance-cancelled", "Performance cancelled")
        except ReleaseTooEarly as early:
            detail = gettext("Places can be released from half an hour before the curtain on.")
            opens_at = early.opens_at.isoformat()
            return problem(409, "release-too-early", "Too early", detail, opens_at=opens_at)

    @blueprint.response(200, ReleasedSchema)
    @blueprint.operation("restorePlaces", 403, 404, 409)
    def delete(self, performance_id: int) -> places.Places:
        """Hold released places again for those who booked them, as far as they are still free."""
        try:
            return places.restore_places(performance_id)
        except PerformanceUnknown:
            abort(404)


@blueprint.route("/<int:performance_id>/sync", methods=["POST"])
@blueprint.arguments(SyncSchema)
@blueprint.response(200, NewsSchema)
@blueprint.operation("syncDevice", 403, 404, 409, body=True)
def sync(asked: dict[str, Any], performance_id: int) -> dict[str, Any] | AnyResponse:
    """Take what waits on the device, and tell it what changed."""
    if asked["version"] not in _UNDERSTOOD:
        detail = gettext("This page is not the one that belongs to the site. Please load it again.")
        return problem(409, "reload-needed", "Reload needed", detail, version=VERSION)
    performance = _performance(performance_id)
    if g.device.revoked:
        # It must wipe its list at once, and no phone that was at a door tells of more than it had time for.
        with suppress(pace.TooManyAttempts):
            _require_time_for(asked["actions"], performance_id)
            _take_down_revoked(asked["actions"], performance_id)
        return _revoked()
    _require_time_for(asked["actions"], performance_id)
    results = [_result(action, performance_id) for action in asked["actions"]]
    (note_done if asked["done"] else devices.note_seen)(g.device)
    closed = _is_closed()
    changes = changes_since(performance_id, asked["cursor"])
    return {
        "version": VERSION,
        "server_time": now(),
        "rights": _listed(g.device.scope),
        "closed": closed,
        "performance": _door_performance(performance),
        "counts": _counts(performance_id),
        "silent": _silent(performance_id) if not closed else [],
        "results": results,
        "complete": changes.complete,
        "parties": [] if closed else _for_device(changes.parties),
        "conflicts": [] if closed else _for_device(conflicts(performance_id)),
        "ticket_keys": public_keys(),
        "cursor": changes.cursor,
    }


def _result(action: dict[str, Any], performance_id: int) -> dict[str, Any]:
    told: dict[str, Any] = {"scan_id": action["scan_id"], "verdict": None, "problem": None}
    if _is_closed() and "offline" not in action and action["kind"] != "undo":
        # What happened before the end is told of; nobody is let in after it.
        return told | {"problem": "door-closed"}
    try:
        told["verdict"] = _told(_ACTIONS[action["kind"]](action, performance_id))
    except books.ScanReused:
        told["problem"] = "scan-reused"
    except books.ScanUnknown:
        told["problem"] = "scan-unknown"
    except RightMissing:
        told["problem"] = "right-missing"
    except CodeForeign:
        told["problem"] = "not-a-ticket"
    return told


def _scan(attempt: dict[str, Any], performance_id: int) -> books.Verdict:
    # What a device has decided already is taken down, whatever the code was.
    if "offline" not in attempt:
        require_ours(attempt["code"])
    return admit(
        performance_id,
        attempt["code"],
        attempt["scan_id"],
        _actor(attempt["door"]),
        people=attempt.get("people"),
        seen=attempt.get("seen"),
        late=attempt["late"],
        way=attempt["way"],
        claim=_claim(attempt),
    )


def _walk_in(attempt: dict[str, Any], performance_id: int) -> books.Verdict:
    # A sync tells of walk-ins as well.
    if not _may(Right.WALK_IN):
        raise RightMissing
    people = min(attempt.get("people", 1), MAX_WALK_INS)
    actor, claim = _actor(attempt["door"]), _claim(attempt)
    way, scan_id = attempt["way"], attempt["scan_id"]
    if way in (Way.OUT, Way.AGAIN):
        return pass_without_ticket(performance_id, people, scan_id, actor, way, claim=claim)
    return let_in_walk_ins(performance_id, people, scan_id, actor, claim)


def _undo(action: dict[str, Any], performance_id: int) -> books.Verdict:
    only_own = not _may(Right.UNDO_OTHERS)
    return books.undo(performance_id, action["scan_id"], _actor(""), only_own=only_own)


_ACTIONS = {"scan": _scan, "walk_in": _walk_in, "undo": _undo}


def _require_time_for(actions: list[dict[str, Any]], performance_id: int) -> None:
    attempts = [action["scan_id"] for action in actions if action["kind"] != "undo"]
    pace.require_time_for(g.device.token_id, performance_id, attempts)


def _take_down_revoked(actions: list[dict[str, Any]], performance_id: int) -> None:
    left = _MAX_OF_REVOKED - books.count_revoked(g.device.token_id)
    for action in actions[: max(0, left)]:
        scan_id, actor = action["scan_id"], _actor(action["door"])
        if action["kind"] == "undo":
            books.record_undo_of_revoked(performance_id, scan_id, actor)
        else:
            code = None if action["kind"] == "walk_in" else action["code"]
            claim, way = _claim(action), action["way"]
            books.record_of_revoked(performance_id, code, scan_id, actor, claim, way=way)


def _reused() -> AnyResponse:
    detail = gettext("This scan_id was used for another code or performance.")
    return problem(409, "scan-reused", "Scan reused", detail)


def _claim(attempt: dict[str, Any]) -> books.Claim | None:
    return books.Claim(**attempt["offline"]) if "offline" in attempt else None


def _actor(door: str) -> books.Actor:
    """A phone is the door that staff enrolled, whatever it says; a program may name the one it works at."""
    named = door if g.device.performance_id is None else g.device.label
    return books.Actor(door=named, token_id=g.device.token_id, label=g.device.label)


def _performance(performance_id: int) -> Listing:
    performance = listing(performance_id, now())
    if performance is None:
        abort(404)
    return performance


def _is_closed() -> bool:
    """Whether the door device of this request is one of an evening that is over."""
    return g.device.closes_at is not None and g.device.closes_at <= now()


def _counts(performance_id: int) -> dict[str, Any]:
    counts, building = house_counts([performance_id])[performance_id], people_in(performance_id)
    figures = {figure: getattr(counts, figure) for figure in _FIGURES}
    return figures | {
        "outside": building.outside,
        "in_building": building.people,
        "known_at": building.known_at,
    }


_FIGURES = (
    "capacity", "expected", "inside", "to_come", "pending", "without_hold", "released", "walk_ins",
    "free",
)  # fmt: skip


def _listed(scope: Scope) -> list[Right]:
    return sorted(rights_of(scope))


def _silent(performance_id: int) -> list[str]:
    """The devices that somebody must know of who releases places."""
    return devices.silent_devices(performance_id) if _may(Right.RELEASE) else []


_Row = TypeVar("_Row", Listed, Conflict)


def _for_device(rows: list[_Row]) -> list[_Row]:
    """The rows without names and notes, unless the device may know who booked."""
    return rows if _may(Right.NAMES) else [row.without_names() for row in rows]


def _told(verdict: books.Verdict) -> dict[str, Any]:
    # Of another performance's visitors this door learns nothing but which evening theirs is. Not by the verdict:
    # the device may have decided itself, and anything.
    party = verdict.reservation
    here = (request.view_args or {}).get("performance_id")
    ours = party if party and party.performance_id == here else None
    return {
        "scan_id": verdict.scan_id,
        "verdict": verdict.kind,
        "people": verdict.people,
        "claimed": verdict.claimed,
        "replayed": verdict.replayed,
        "undone": verdict.undone,
        "party": _party(ours) if ours else None,
        "first": verdict.first,
        "evening": _evening_of(verdict),
    }


def _evening_of(verdict: books.Verdict) -> dict[str, Any] | None:
    if verdict.kind is not Kind.WRONG_PERFORMANCE or not isinstance(
        verdict.reservation, Reservation
    ):
        return None
    performance = verdict.reservation.performance
    return {
        "id": performance.id,
        "show_title": performance.show.title,
        "venue_name": performance.venue.name,
        "starts_at": performance.starts_at,
    }


def _evening(performance: Listing) -> dict[str, Any]:
    return {
        "id": performance.id,
        "show_title": performance.show_title,
        "venue_name": performance.venue_name,
        "starts_at": performance.starts_at,
    }


def _door_performance(performance: Listing) -> dict[str, Any]:
    return _evening(performance) | {
        "cancelled": performance.cancelled_at is not None,
        "cancelled_at": performance.cancelled_at,
        "closes_at": devices.door_closes_at(performance.starts_at, performance.duration_minutes),
        "release_from": performance.starts_at - places.RELEASE_FROM,
        "released_at": performance.released_at,
        "reentry": performance.reentry,
    }


def _party(reservation: Reservation | PartyRow) -> dict[str, Any]:
    return {
        "reference": reservation.reference,
        # With every reference on its list, it could ask for every name.
        "name": reservation.name if _may(Right.NAMES) else "",
        "ended": ended(reservation),
        "reduced": reduced(reservation),
        "late_at": reservation.awaited_at,
        "note": reservation.note if _may(Right.NAMES) else "",
        "has_note": bool(reservation.note),
        "state": reservation.state,
        "seats": reservation.seats,
        "admitted": reservation.admitted,
        "released": reservation.released,
        "outside": reservation.outside,
        "remaining": reservation.to_come,
    }

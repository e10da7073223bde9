"""The door's API for devices and programs with a door token: scans, walk-ins, sync, counts.

docs/door.md specifies the protocol.
"""

from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import abort, g, jsonify
from flask.views import MethodView
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from azionelab.api.problems import problem
from azionelab.bookings.errors import PerformanceUnknown, ReleaseTooEarly, ReservationEnded
from azionelab.bookings.seats import no_show_seats
from azionelab.checkin.codes import ForeignCode, refuse_foreign
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.devices import scan_rate
from azionelab.checkin.devices.kept_news import Question, find_news, keep_news
from azionelab.checkin.devices.putting_away import note_done
from azionelab.checkin.devices.rights import Right, RightMissing
from azionelab.checkin.house.search import find_parties
from azionelab.checkin.limits import MAX_WALK_INS, SEARCHES
from azionelab.checkin.no_shows import release_no_shows
from azionelab.checkin.pages.access import (
    blueprint,
    count_attempt,
    has_right,
    is_closed,
    rate_limit_key,
    revoked_response,
)
from azionelab.checkin.pages.performance import get_performance
from azionelab.checkin.pages.request_schemas import (
    ReleaseSchema,
    ScanSchema,
    SearchSchema,
    SyncSchema,
    WalkInSchema,
)
from azionelab.checkin.pages.response_schemas import PartiesSchema, ReleasedSchema, VerdictSchema
from azionelab.checkin.pages.responses import (
    counts_body,
    news_body,
    party_body,
    performance_body,
    verdict_body,
)
from azionelab.checkin.pages.sync_schemas import HouseSchema, NewsSchema
from azionelab.checkin.scanning import scan_log, undoing
from azionelab.checkin.scanning.facts import DoorUnknown
from azionelab.checkin.scanning.interval import pass_without_ticket
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.checkin.texts.notices import foreign_code_text
from azionelab.checkin.verdicts import VerdictKind, Way
from azionelab.database import now

VERSION = 1  # of the protocol
_SUPPORTED_VERSIONS = {1}  # also those of apps that phones still have open or cached
_MAX_REVOKED_SCANS = 5_000  # that are recorded for one device


@blueprint.route("/<int:performance_id>")
@blueprint.response(200, HouseSchema)
@blueprint.operation("getHouse", 403, 404, 409)
def house(performance_id: int) -> dict[str, Any]:
    """Count the people who are expected, in, and still to come."""
    performance = get_performance(performance_id)
    return performance_body(performance) | counts_body(performance)


@blueprint.route("/<int:performance_id>/scans", methods=["POST"])
@blueprint.arguments(ScanSchema)
@blueprint.response(200, VerdictSchema)
@blueprint.operation("scanTicket", 403, 404, 409, body=True)
def scan(attempt: dict[str, Any], performance_id: int) -> dict[str, Any] | AnyResponse:
    """Let a party in, all of it or some people; or out, and in again."""
    try:
        verdict = _scan(attempt, performance_id)
    except DoorUnknown:
        abort(404)
    except scan_log.ScanReused:
        count_attempt()
        return _reused()
    except ForeignCode:
        count_attempt()
        return problem(409, "not-a-ticket", "Not a ticket", foreign_code_text())
    if verdict.kind is not VerdictKind.ADMITTED:
        # Admissions are bounded by the seats; refusals, exits and re-entries are not.
        count_attempt()
    return verdict_body(verdict)


@blueprint.route("/<int:performance_id>/walk-ins", methods=["POST"])
@blueprint.arguments(WalkInSchema)
@blueprint.response(200, VerdictSchema)
@blueprint.operation("letInWalkIns", 403, 404, 409, body=True)
def walk_in(attempt: dict[str, Any], performance_id: int) -> dict[str, Any] | AnyResponse:
    """Let in walk-ins if seats are free; or let people without a ticket out, and in again."""
    try:
        return verdict_body(_walk_in(attempt, performance_id))
    except DoorUnknown:
        abort(404)
    except scan_log.ScanReused:
        return _reused()


@blueprint.route("/<int:performance_id>/scans/<uuid:scan_id>", methods=["DELETE"])
@blueprint.response(200, VerdictSchema)
@blueprint.operation("undoAdmission", 403, 404, 409)
def undo(performance_id: int, scan_id: UUID) -> dict[str, Any]:
    """Undo an admission. Its scan stays in the scan log. A device that only scans may undo its own scans."""
    try:
        return verdict_body(_undo({"scan_id": scan_id}, performance_id))
    except scan_log.ScanUnknown:
        abort(404)


@blueprint.route("/<int:performance_id>/parties", methods=["POST"])
@blueprint.arguments(SearchSchema)
@blueprint.response(200, PartiesSchema)
@blueprint.operation("findParties", 403, 404, 409, 429, body=True)
def search(asked: dict[str, str], performance_id: int) -> dict[str, Any]:
    """Find parties by name. A POST, because URLs end up in logs and names must not."""
    get_performance(performance_id)
    SEARCHES.count(rate_limit_key())
    found = find_parties(performance_id, asked["query"])
    return {"parties": [party_body(party) for party in found.parties], "more": found.more}


@blueprint.route("/<int:performance_id>/release")
class Release(MethodView):
    """Seats of no-shows. (One route for both methods: with two, an unknown performance gives 405 instead of 404.)"""

    @blueprint.arguments(ReleaseSchema, location="query")
    @blueprint.response(200, ReleasedSchema)
    @blueprint.operation("releasePlaces", 403, 404, 409)
    def post(
        self, asked: dict[str, bool], performance_id: int
    ) -> no_show_seats.NoShowSeats | AnyResponse:
        """Release the seats of no-shows for people who wait at the door."""
        try:
            return release_no_shows(performance_id, with_late=asked["late"])
        except PerformanceUnknown:
            abort(404)
        except ReservationEnded:
            return problem(409, "performance-cancelled", "Performance cancelled")
        except ReleaseTooEarly as early:
            detail = gettext("Seats can be released from half an hour before curtain-up.")
            opens_at = early.opens_at.isoformat()
            return problem(
                409, "release-too-early", "Too early to release seats", detail, opens_at=opens_at
            )

    @blueprint.response(200, ReleasedSchema)
    @blueprint.operation("restorePlaces", 403, 404, 409)
    def delete(self, performance_id: int) -> no_show_seats.NoShowSeats:
        """Restore released seats to the parties that booked them, as far as they are still free."""
        try:
            return no_show_seats.restore_no_shows(performance_id)
        except PerformanceUnknown:
            abort(404)


@blueprint.route("/<int:performance_id>/sync", methods=["POST"])
@blueprint.arguments(SyncSchema)
@blueprint.response(200, NewsSchema)
@blueprint.operation("syncDevice", 403, 404, 409, body=True)
def sync(asked: dict[str, Any], performance_id: int) -> AnyResponse:
    """Record the actions that a device has queued, and return what changed since its last sync."""
    if asked["version"] not in _SUPPORTED_VERSIONS:
        detail = gettext("This version of the sync protocol is not supported. Reload the page.")
        return problem(409, "reload-needed", "Reload needed", detail, version=VERSION)
    question = _question(asked, performance_id)
    if question and (kept := find_news(question)):
        return jsonify(kept | {"server_time": now().isoformat()})
    performance = get_performance(performance_id)
    if g.device.revoked:
        # Even with too many actions the device must get the refusal, which makes it wipe its list.
        with suppress(scan_rate.TooManyAttempts):
            _require_plausible_rate(asked["actions"], performance_id)
            _record_revoked(asked["actions"], performance_id)
        return revoked_response()
    _require_plausible_rate(asked["actions"], performance_id)
    results = [_result(action, performance_id) for action in asked["actions"]]
    (note_done if asked["done"] else devices.note_seen)(g.device)
    news = _NEWS.dump(
        {"version": VERSION, "results": results} | news_body(performance, asked["cursor"])
    )
    if question:
        keep_news(question, news)
    return jsonify(news)


_NEWS = NewsSchema()


def _question(asked: dict[str, Any], performance_id: int) -> Question | None:
    """What a device asks that does nothing; None when it does, or its asking has to be noted."""
    if asked["actions"] or asked["done"] or g.device.revoked or not devices.is_noted(g.device):
        return None
    device = g.device
    return Question(performance_id, asked["cursor"], device.scope, is_closed(), device.snapshot)


def _result(action: dict[str, Any], performance_id: int) -> dict[str, Any]:
    result: dict[str, Any] = {"scan_id": action["scan_id"], "verdict": None, "problem": None}
    if is_closed() and "offline" not in action and action["kind"] != "undo":
        # After the end only scans that were made before, offline, are accepted.
        return result | {"problem": "door-closed"}
    try:
        result["verdict"] = verdict_body(_ACTIONS[action["kind"]](action, performance_id))
    except scan_log.ScanReused:
        result["problem"] = "scan-reused"
    except scan_log.ScanUnknown:
        result["problem"] = "scan-unknown"
    except RightMissing:
        result["problem"] = "right-missing"
    except ForeignCode:
        result["problem"] = "not-a-ticket"
    return result


def _scan(attempt: dict[str, Any], performance_id: int) -> scan_log.Verdict:
    # An offline decision is recorded, whatever the code was.
    if "offline" not in attempt:
        refuse_foreign(attempt["code"])
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


def _walk_in(attempt: dict[str, Any], performance_id: int) -> scan_log.Verdict:
    # Checked here, because a sync brings walk-ins as well.
    if not has_right(Right.WALK_IN):
        raise RightMissing
    people = min(attempt.get("people", 1), MAX_WALK_INS)
    actor, claim = _actor(attempt["door"]), _claim(attempt)
    way, scan_id = attempt["way"], attempt["scan_id"]
    if way in (Way.OUT, Way.AGAIN):
        return pass_without_ticket(performance_id, people, scan_id, actor, way, claim=claim)
    return let_in_walk_ins(performance_id, people, scan_id, actor, claim)


def _undo(action: dict[str, Any], performance_id: int) -> scan_log.Verdict:
    only_own = not has_right(Right.UNDO_OTHERS)
    return undoing.undo(performance_id, action["scan_id"], _actor(""), only_own=only_own)


_ACTIONS = {"scan": _scan, "walk_in": _walk_in, "undo": _undo}


def _require_plausible_rate(actions: list[dict[str, Any]], performance_id: int) -> None:
    attempts = [action["scan_id"] for action in actions if action["kind"] != "undo"]
    scan_rate.require_plausible_rate(g.device.token_id, performance_id, attempts)


def _record_revoked(actions: list[dict[str, Any]], performance_id: int) -> None:
    left = _MAX_REVOKED_SCANS - scan_log.count_revoked_scans(g.device.token_id)
    for action in actions[: max(0, left)]:
        scan_id, actor = action["scan_id"], _actor(action["door"])
        if action["kind"] == "undo":
            undoing.record_revoked_undo(performance_id, scan_id, actor)
        else:
            code = None if action["kind"] == "walk_in" else action["code"]
            claim, way = _claim(action), action["way"]
            scan_log.record_revoked_scan(performance_id, code, scan_id, actor, claim, way=way)


def _reused() -> AnyResponse:
    detail = gettext("This scan_id has already been used for another code or performance.")
    return problem(409, "scan-reused", "Scan reused", detail)


def _claim(attempt: dict[str, Any]) -> scan_log.Claim | None:
    return scan_log.Claim(**attempt["offline"]) if "offline" in attempt else None


def _actor(door: str) -> scan_log.Actor:
    """The door's name is the label of an enrolled phone; other programs name their door themselves."""
    named = door if g.device.performance_id is None else g.device.label
    return scan_log.Actor(door=named, token_id=g.device.token_id, label=g.device.label)

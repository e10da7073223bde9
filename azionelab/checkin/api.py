"""The door for programs: scans, their undoing, the house and its parties; by a door token."""

from typing import Any
from uuid import UUID

from flask import abort, g, request
from flask_babel import gettext
from marshmallow import ValidationError, fields
from marshmallow.validate import Length, OneOf, Range
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.models import Reservation, State
from azionelab.checkin import rules
from azionelab.checkin.forms import MAX_DOOR, MAX_QUERY
from azionelab.checkin.verdicts import Kind
from azionelab.database import now
from azionelab.one_line import is_one_line
from azionelab.problems import problem
from azionelab.rest import (
    BETWEEN,
    LENGTH_BETWEEN,
    LENGTH_UP_TO,
    NOT_EMPTY,
    Answer,
    ApiBlueprint,
    Asked,
)
from azionelab.shows.programme import listing
from azionelab.staff.tokens import Scope, find_device

MAX_PEOPLE = 1000

blueprint = ApiBlueprint(
    "door_api",
    __name__,
    url_prefix="checkin/performances",
    description="Letting people in.",
    scheme="doorToken",
)


class Line(fields.String):
    """A text of one line, without characters that cannot be kept."""

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> str:
        text = super()._deserialize(value, *arguments, **options) or ""
        if not is_one_line(text):
            raise ValidationError(gettext("Must be one line of text."))
        return text


class ScanSchema(Asked):
    """An attempt to let a party in. Sent again with the same `scan_id` it counts once."""

    scan_id = fields.UUID(required=True)
    code = fields.String(
        required=True,
        validate=Length(1, error=NOT_EMPTY),
        metadata={
            "description": "A ticket's token, the address in its QR, or a reference. Anything else"
            " that a camera read is sent too: its verdict is unknown, and it is recorded."
        },
    )
    people = fields.Integer(
        strict=True,
        validate=Range(1, MAX_PEOPLE, error=BETWEEN),
        metadata={"description": "How many to let in; all who are still to come without it."},
    )
    seen = fields.Integer(
        strict=True,
        validate=Range(0, MAX_PEOPLE, error=BETWEEN),
        metadata={"description": "How many of the party the device showed as in."},
    )
    door = Line(validate=Length(max=MAX_DOOR, error=LENGTH_UP_TO), load_default="")


class SearchSchema(Asked):
    """Part of a name, an e-mail address or a reference."""

    query = Line(required=True, validate=Length(2, MAX_QUERY, error=LENGTH_BETWEEN))


class PartySchema(Answer):
    """A party. `remaining` of its people are still to come."""

    reference = fields.String(required=True)
    name = fields.String(required=True)
    state = fields.String(required=True, validate=OneOf([state.value for state in State]))
    seats = fields.Integer(required=True)
    admitted = fields.Integer(required=True)
    remaining = fields.Integer(required=True)


class PartiesSchema(Answer):
    """Parties, by name."""

    parties = fields.List(fields.Nested(PartySchema), required=True)


class FirstSchema(Answer):
    """When, by whom and at which door the first of a party who are in were let in."""

    at = fields.AwareDateTime(required=True)
    by = fields.String(required=True)
    door = fields.String(required=True)


class EveningSchema(Answer):
    """The performance that a ticket is for."""

    id = fields.Integer(required=True)
    show_title = fields.String(required=True)
    venue_name = fields.String(required=True)
    starts_at = fields.AwareDateTime(required=True)


class VerdictSchema(Answer):
    """The answer to a scan. `people` were let in by it; after an undo none are."""

    scan_id = fields.UUID(required=True)
    verdict = fields.String(required=True, validate=OneOf([kind.value for kind in Kind]))
    people = fields.Integer(required=True)
    replayed = fields.Boolean(required=True)
    undone = fields.Boolean(required=True)
    party = fields.Nested(PartySchema, required=True, allow_none=True)
    first = fields.Nested(FirstSchema, required=True, allow_none=True)
    evening = fields.Nested(
        EveningSchema,
        required=True,
        allow_none=True,
        metadata={"description": "With wrong_performance: the one that the ticket is for."},
    )


class HouseSchema(Answer):
    """People of one performance at this moment."""

    id = fields.Integer(required=True)
    show_title = fields.String(required=True)
    venue_name = fields.String(required=True)
    starts_at = fields.AwareDateTime(required=True)
    capacity = fields.Integer(required=True)
    expected = fields.Integer(required=True, metadata={"description": "Confirmed."})
    inside = fields.Integer(required=True)
    to_come = fields.Integer(required=True, metadata={"description": "Confirmed, not yet in."})
    pending = fields.Integer(required=True, metadata={"description": "Held, not confirmed."})
    free = fields.Integer(required=True, metadata={"description": "Seats that nobody holds."})


@blueprint.before_request
def _require_token() -> None:
    """Let nobody near the door without a token: views cannot forget to ask for it."""
    if request.method == "OPTIONS":
        return
    sent = request.authorization
    if sent is None or sent.type != "bearer" or not sent.token:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer"))
    g.device = find_device(sent.token, Scope.DOOR)
    if g.device is None:
        # RFC 6750, 3.1
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"error": "invalid_token"}))


@blueprint.route("/<int:performance_id>")
@blueprint.response(200, HouseSchema)
@blueprint.problems(404)
def house(performance_id: int) -> dict[str, Any]:
    """How many people are expected, in, and still to come."""
    performance = listing(performance_id, now())
    if performance is None:
        abort(404)
    counts = rules.house_counts([performance_id])[performance_id]
    figures = ("capacity", "expected", "inside", "to_come", "pending", "free")
    return {
        "id": performance.id,
        "show_title": performance.show_title,
        "venue_name": performance.venue_name,
        "starts_at": performance.starts_at,
        **{figure: getattr(counts, figure) for figure in figures},
    }


@blueprint.route("/<int:performance_id>/scans", methods=["POST"])
@blueprint.arguments(ScanSchema)
@blueprint.response(200, VerdictSchema)
@blueprint.problems(404, 409, body=True)
def scan(attempt: dict[str, Any], performance_id: int) -> dict[str, Any] | AnyResponse:
    """Let a party in, all of it or some."""
    try:
        verdict = rules.admit(
            performance_id,
            attempt["code"],
            attempt["scan_id"],
            _actor(attempt["door"]),
            people=attempt.get("people"),
            seen=attempt.get("seen"),
        )
    except rules.DoorUnknown:
        abort(404)
    except rules.ScanReused:
        detail = gettext("This scan_id was used for another code or performance.")
        return problem(409, "scan-reused", "Scan reused", detail)
    return _told(verdict)


@blueprint.route("/<int:performance_id>/scans/<uuid:scan_id>", methods=["DELETE"])
@blueprint.response(200, VerdictSchema)
@blueprint.problems(404)
def undo(performance_id: int, scan_id: UUID) -> dict[str, Any]:
    """Take an admission back. Its scan stays in the books."""
    try:
        return _told(rules.undo(performance_id, scan_id, _actor("")))
    except rules.ScanUnknown:
        abort(404)


@blueprint.route("/<int:performance_id>/parties", methods=["POST"])
@blueprint.arguments(SearchSchema)
@blueprint.response(200, PartiesSchema)
@blueprint.problems(404, body=True)
def search(asked: dict[str, str], performance_id: int) -> dict[str, Any]:
    """Find a party by name. A POST, since addresses end up in logs and names must not."""
    if listing(performance_id, now()) is None:
        abort(404)
    found = rules.find_parties(performance_id, asked["query"])
    return {"parties": [_party(reservation) for reservation in found]}


def _actor(door: str) -> rules.Actor:
    return rules.Actor(door=door, token_id=g.device.token_id, label=g.device.label)


def _told(verdict: rules.Verdict) -> dict[str, Any]:
    return {
        "scan_id": verdict.scan_id,
        "verdict": verdict.kind,
        "people": verdict.people,
        "replayed": verdict.replayed,
        "undone": verdict.undone,
        "party": _party(verdict.reservation) if verdict.reservation else None,
        "first": verdict.first,
        "evening": _evening(verdict),
    }


def _evening(verdict: rules.Verdict) -> dict[str, Any] | None:
    if verdict.kind is not Kind.WRONG_PERFORMANCE or verdict.reservation is None:
        return None
    performance = verdict.reservation.performance
    return {
        "id": performance.id,
        "show_title": performance.show.title,
        "venue_name": performance.venue.name,
        "starts_at": performance.starts_at,
    }


def _party(reservation: Reservation) -> dict[str, Any]:
    return {
        "reference": reservation.reference,
        "name": reservation.name,
        "state": reservation.state,
        "seats": reservation.seats,
        "admitted": reservation.admitted,
        "remaining": reservation.seats - reservation.admitted,
    }

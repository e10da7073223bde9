"""The API's programme: performances and their free seats."""

from typing import Any

from flask import Response, abort
from marshmallow import fields
from marshmallow.validate import OneOf

from azionelab.api.rest import ApiBlueprint, ResponseSchema
from azionelab.database import now
from azionelab.shows.programme import Listing, Status, find_listing, programme

blueprint = ApiBlueprint(
    "programme_api", __name__, url_prefix="performances", description="Programme."
)


class PerformanceSchema(ResponseSchema):
    """A performance. Its seats were free when the answer was made: booking them decides."""

    id = fields.Integer(required=True)
    show_id = fields.Integer(required=True)
    show_slug = fields.String(required=True)
    show_title = fields.String(required=True)
    show_summary = fields.String(required=True)
    venue_name = fields.String(required=True)
    venue_address = fields.String(required=True)
    starts_at = fields.AwareDateTime(required=True)
    moved_from = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "The start that was announced first, if it is another."},
    )
    booking_opens_at = fields.AwareDateTime(required=True)
    booking_closes_at = fields.AwareDateTime(required=True)
    party_limit = fields.Integer(required=True)
    seats_left = fields.Integer(required=True)
    wheelchair_places = fields.Integer(
        required=True, metadata={"description": "Places that only parties with a wheelchair take."}
    )
    wheelchair_left = fields.Integer(
        required=True, metadata={"description": "How many of them are left; not in `seats_left`."}
    )
    status = fields.String(required=True, validate=OneOf([status.value for status in Status]))


class ProgrammeSchema(ResponseSchema):
    """The programme, by date."""

    performances = fields.List(fields.Nested(PerformanceSchema), required=True)


@blueprint.route("")
@blueprint.response(200, ProgrammeSchema)
@blueprint.operation("listPerformances")
def performances() -> dict[str, list[Listing]]:
    """List upcoming performances of published shows."""
    return {"performances": programme(now())}


@blueprint.route("/<int:performance_id>")
@blueprint.response(200, PerformanceSchema)
@blueprint.operation("getPerformance", 404)
def performance(performance_id: int) -> Listing:
    """Get one performance of a published show, past or upcoming."""
    found = find_listing(performance_id, now())
    if found is None or not found.published:
        abort(404)
    return found


def let_cache(response: Response) -> Any:
    """Let caches keep an answer for a second (`after_request`)."""
    if response.status_code == 200:
        response.cache_control.public = True
        response.cache_control.max_age = 1
    return response


blueprint.after_request(let_cache)

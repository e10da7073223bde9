"""What the API for staff takes and answers."""

from marshmallow import RAISE, Schema, fields
from marshmallow.validate import OneOf, Range

from azionelab.api.rest import BETWEEN, ONE_OF, ResponseSchema
from azionelab.bookings.models import Kind, State
from azionelab.web.pages import MAX_ROW

MAX_PAGE_SIZE = 200


class PageQuery(Schema):
    """Which page: at most `limit` entries after the entry `after`."""

    class Meta:
        unknown = RAISE

    limit = fields.Integer(
        load_default=50,
        validate=Range(1, MAX_PAGE_SIZE, error=BETWEEN),
        metadata={"description": "Entries of a page."},
    )


class PerformancesQuery(PageQuery):
    """Filters of performances."""

    after = fields.Integer(
        validate=Range(1, MAX_ROW, error=BETWEEN),
        metadata={"description": "`next` of the page before."},
    )
    show_id = fields.Integer(validate=Range(1, MAX_ROW, error=BETWEEN))
    starts_from = fields.AwareDateTime(metadata={"description": "The earliest curtain."})
    starts_before = fields.AwareDateTime(metadata={"description": "Curtains before this time."})


class ReservationsQuery(PageQuery):
    """Filters of reservations."""

    after = fields.UUID(metadata={"description": "`next` of the page before."})
    performance_id = fields.Integer(validate=Range(1, MAX_ROW, error=BETWEEN))
    state = fields.String(validate=OneOf([state.value for state in State], error=ONE_OF))
    created_from = fields.AwareDateTime(metadata={"description": "The earliest booking."})


class ShowSchema(ResponseSchema):
    """A show, published or not."""

    id = fields.Integer(required=True)
    slug = fields.String(required=True)
    title = fields.String(required=True)
    summary = fields.String(required=True)
    description = fields.String(required=True)
    duration_minutes = fields.Integer(required=True, allow_none=True)
    published = fields.Boolean(required=True)
    archived_at = fields.AwareDateTime(required=True, allow_none=True)
    version = fields.Integer(required=True)


class ShowsSchema(ResponseSchema):
    """All shows, by title."""

    shows = fields.List(fields.Nested(ShowSchema), required=True)


class SeatCountsSchema(ResponseSchema):
    """Seats of a performance, walk-ins included."""

    capacity = fields.Integer(required=True)
    confirmed = fields.Integer(required=True)
    pending = fields.Integer(required=True)
    walk_ins = fields.Integer(required=True)
    admitted = fields.Integer(required=True)
    free = fields.Integer(required=True)
    wheelchair_free = fields.Integer(required=True)


class StaffPerformanceSchema(ResponseSchema):
    """A performance with its counts."""

    id = fields.Integer(required=True)
    version = fields.Integer(required=True)
    show_id = fields.Integer(required=True)
    venue_id = fields.Integer(required=True)
    venue_name = fields.String(required=True)
    starts_at = fields.AwareDateTime(required=True)
    booking_opens_at = fields.AwareDateTime(required=True)
    booking_closes_at = fields.AwareDateTime(required=True)
    party_limit = fields.Integer(required=True)
    wheelchair_places = fields.Integer(required=True)
    cancelled_at = fields.AwareDateTime(required=True, allow_none=True)
    seats = fields.Nested(SeatCountsSchema, required=True)


class StaffPerformancesSchema(ResponseSchema):
    """A page of performances, by their ids."""

    performances = fields.List(fields.Nested(StaffPerformanceSchema), required=True)
    next = fields.Integer(required=True, allow_none=True)


class StaffReservationSchema(ResponseSchema):
    """A reservation. Names, address, note and reason are empty once they are erased."""

    id = fields.UUID(required=True)
    version = fields.Integer(
        required=True,
        attribute="changed_in",
        metadata={
            "description": "Another number after each change; a change names the one it saw."
        },
    )
    reference = fields.String(required=True)
    performance_id = fields.Integer(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True)
    locale = fields.String(required=True)
    seats = fields.Integer(required=True)
    wheelchair_places = fields.Integer(
        required=True, metadata={"description": "How many of `seats` are wheelchair places."}
    )
    state = fields.String(required=True, validate=OneOf([state.value for state in State]))
    admitted = fields.Integer(required=True)
    walk_in = fields.Boolean(required=True)
    kind = fields.String(required=True, validate=OneOf([kind.value for kind in Kind]))
    note = fields.String(required=True)
    contact = fields.String(required=True)
    limit_reason = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    hold_expires_at = fields.AwareDateTime(required=True)
    confirmed_at = fields.AwareDateTime(required=True, allow_none=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)
    erased_at = fields.AwareDateTime(required=True, allow_none=True)


class StaffReservationsSchema(ResponseSchema):
    """A page of reservations, by their ids."""

    reservations = fields.List(fields.Nested(StaffReservationSchema), required=True)
    next = fields.UUID(required=True, allow_none=True)

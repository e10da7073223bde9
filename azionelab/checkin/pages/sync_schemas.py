"""Response bodies of a sync: counts, parties, conflicts, results of the device's actions."""

from marshmallow import fields
from marshmallow.validate import OneOf

from azionelab.api.rest import ResponseSchema
from azionelab.bookings.models import State
from azionelab.checkin.pages.response_schemas import (
    EndedSchema,
    EveningSchema,
    FirstSchema,
    Person,
    ReducedSchema,
    VerdictSchema,
    has_note_field,
    late_at_field,
    note_field,
    outside_field,
    rights_field,
    wheelchair_places_field,
)
from azionelab.checkin.verdicts import RECORDED, Way


class CountsSchema(ResponseSchema):
    """People of one performance. `expected` and `inside` include walk-ins."""

    capacity = fields.Integer(required=True)
    expected = fields.Integer(
        required=True, metadata={"description": "Confirmed people, walk-ins included."}
    )
    inside = fields.Integer(required=True)
    to_come = fields.Integer(
        required=True, metadata={"description": "Expected people who are not in yet."}
    )
    pending = fields.Integer(
        required=True, metadata={"description": "Seats held by unconfirmed bookings."}
    )
    without_hold = fields.Integer(
        required=True,
        metadata={
            "description": "Unconfirmed and without a hold: they get seats on confirmation if some are left."
        },
    )
    released = fields.Integer(required=True, metadata={"description": "Seats of no-shows."})
    walk_ins = fields.Integer(required=True)
    free = fields.Integer(required=True, metadata={"description": "Seats that nobody holds."})
    near_parties = fields.Integer(
        required=True,
        metadata={"description": "Parties on the waitlist who said that they are near."},
    )
    near_people = fields.Integer(required=True, metadata={"description": "Their people."})
    on_offer = fields.Integer(
        required=True,
        metadata={
            "description": "Seats on offer to such parties: held, and not free for walk-ins."
        },
    )
    on_offer_until = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When the last of these offers lapses."},
    )
    outside = fields.Integer(
        required=True,
        metadata={
            "description": "People who went out and may come back, with a ticket or without: not in `in_building`, but in `inside`,"
            " because they keep their seats."
        },
    )
    in_building = fields.Integer(
        required=True,
        metadata={
            "description": "All people who came in and are not out, including conflicts and people whom revoked devices let in."
        },
    )
    known_at = fields.AwareDateTime(
        required=True,
        metadata={
            "description": "When `in_building` was last certain: since then a device is silent."
        },
    )


class HouseSchema(CountsSchema, EveningSchema):
    """A performance and its counts."""


class DoorPerformanceSchema(EveningSchema):
    """A performance with its state for the door."""

    cancelled = fields.Boolean(required=True)
    cancelled_at = fields.AwareDateTime(required=True, allow_none=True)
    closes_at = fields.AwareDateTime(
        required=True,
        metadata={"description": "When the performance ends: the device then wipes its list."},
    )
    release_from = fields.AwareDateTime(
        required=True, metadata={"description": "From when on seats can be released."}
    )
    late_hold_until = fields.AwareDateTime(
        required=True,
        metadata={
            "description": "Until when the seats of late parties are kept from a release, or until their `late_at` if that is"
            " later."
        },
    )
    released_at = fields.AwareDateTime(required=True, allow_none=True)
    reentry = fields.Boolean(
        required=True, metadata={"description": "Whether people may go out and come back."}
    )


class ListedSchema(ResponseSchema):
    """A party as a device keeps it. Without the right `names`, name and note are empty."""

    reference = fields.String(required=True)
    tickets = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "Digests of the ticket tokens: the first 12 bytes of SHA-256, base64url."
        },
    )
    state = fields.String(required=True, validate=OneOf([state.value for state in State]))
    name = fields.String(required=True)
    ended = fields.Nested(EndedSchema, required=True, allow_none=True)
    reduced = fields.Nested(ReducedSchema, required=True, allow_none=True)
    late_at = late_at_field()
    note = note_field()
    has_note = has_note_field()
    seats = fields.Integer(required=True)
    wheelchair_places = wheelchair_places_field()
    admitted = fields.Integer(required=True)
    released = fields.Integer(required=True)
    outside = outside_field()
    moved = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether staff moved the party to another performance: its state is then `cancelled`, for"
            " apps that do not know this field."
        },
    )


class ConflictSchema(ResponseSchema):
    """A device let in `claimed` people, of whom only `people` could be counted.

    `first` is the earlier admission of the party; `at`, `by` and `door` are the later one, in the order of the
    scans, whichever was received first. `attempt` is the conflict's own scan, which may be either of the two.
    """

    scan_id = fields.UUID(required=True)
    reference = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    verdict = fields.String(required=True, validate=OneOf(RECORDED))
    walk_in = fields.Boolean(required=True, metadata={"description": "Whether they are walk-ins."})
    way = fields.String(
        required=True,
        validate=OneOf([Way.IN, Way.AGAIN]),
        metadata={"description": "Whether they came in, or came back after they had gone out."},
    )
    people = fields.Integer(required=True)
    claimed = fields.Integer(required=True)
    at = fields.AwareDateTime(required=True)
    by = Person(required=True)
    door = fields.String(required=True)
    first = fields.Nested(FirstSchema, required=True, allow_none=True)
    attempt = fields.Nested(FirstSchema, required=True)


class ResultSchema(ResponseSchema):
    """The result of an action: a verdict, or a problem that sending it again does not solve."""

    scan_id = fields.UUID(required=True)
    verdict = fields.Nested(VerdictSchema, required=True, allow_none=True)
    problem = fields.String(
        required=True,
        allow_none=True,
        validate=OneOf(
            ["scan-reused", "scan-unknown", "door-closed", "right-missing", "not-a-ticket"]
        ),
    )


class NewsSchema(ResponseSchema):
    """The response to a sync."""

    version = fields.Integer(required=True)
    server_time = fields.AwareDateTime(required=True)
    rights = rights_field()
    closed = fields.Boolean(
        required=True, metadata={"description": "The performance is over: wipe the list."}
    )
    performance = fields.Nested(DoorPerformanceSchema, required=True)
    counts = fields.Nested(CountsSchema, required=True)
    silent = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "Devices that have been silent for a minute: they may have let people in."
        },
    )
    results = fields.List(fields.Nested(ResultSchema), required=True)
    complete = fields.Boolean(
        required=True,
        metadata={"description": "Whether `parties` are all parties, or only those that changed."},
    )
    parties = fields.List(fields.Nested(ListedSchema), required=True)
    conflicts = fields.List(fields.Nested(ConflictSchema), required=True)
    ticket_keys = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "Ed25519 public keys to verify tickets with, base64url: one for each SECRET_KEY whose tickets are valid."
        },
    )
    cursor = fields.Integer(required=True)

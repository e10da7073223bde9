"""What a door device is told of the house: its counts, its parties, what became of what it did."""

from marshmallow import fields
from marshmallow.validate import OneOf

from azionelab.api.rest import Answer
from azionelab.bookings.models import State
from azionelab.checkin.pages.answer_schemas import (
    EndedSchema,
    EveningSchema,
    FirstSchema,
    Person,
    ReducedSchema,
    VerdictSchema,
    _has_note,
    _late_at,
    _note,
    _outside,
    _rights,
)
from azionelab.checkin.verdicts import RECORDED, Way


class CountsSchema(Answer):
    """People of one performance at this moment. Walk-ins are among those expected and inside."""

    capacity = fields.Integer(required=True)
    expected = fields.Integer(required=True, metadata={"description": "Confirmed."})
    inside = fields.Integer(required=True)
    to_come = fields.Integer(required=True, metadata={"description": "Confirmed, not yet in."})
    pending = fields.Integer(required=True, metadata={"description": "Held, not confirmed."})
    without_hold = fields.Integer(
        required=True,
        metadata={"description": "Booked, not held: theirs when they confirm, if seats are left."},
    )
    released = fields.Integer(
        required=True, metadata={"description": "Places of people who did not come in time."}
    )
    walk_ins = fields.Integer(required=True)
    free = fields.Integer(required=True, metadata={"description": "Seats that nobody holds."})
    outside = fields.Integer(
        required=True,
        metadata={
            "description": "They went out, with a ticket or without, and may come in again: not among those"
            " `in_building`, but among those `inside`, whose seats are theirs."
        },
    )
    in_building = fields.Integer(
        required=True,
        metadata={
            "description": "All who came in and are not out, those among them whom the books cannot count: conflicts, and people let"
            " in by devices that were revoked."
        },
    )
    known_at = fields.AwareDateTime(
        required=True,
        metadata={
            "description": "When `in_building` was last sure: since then a device was not heard from."
        },
    )


class HouseSchema(CountsSchema, EveningSchema):
    """A performance and its people."""


class DoorPerformanceSchema(EveningSchema):
    """The performance of a door device."""

    cancelled = fields.Boolean(required=True)
    cancelled_at = fields.AwareDateTime(required=True, allow_none=True)
    closes_at = fields.AwareDateTime(
        required=True, metadata={"description": "When it is over, and the device's list with it."}
    )
    release_from = fields.AwareDateTime(
        required=True, metadata={"description": "From when on places can be released."}
    )
    released_at = fields.AwareDateTime(required=True, allow_none=True)
    reentry = fields.Boolean(
        required=True, metadata={"description": "Whether people may go out, and come in again."}
    )


class ListedSchema(Answer):
    """A party as a device keeps it. Without the right `names`, name and note are empty."""

    reference = fields.String(required=True)
    tickets = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "Digests of the tickets' tokens: the first 12 bytes of SHA-256, base64url."
        },
    )
    state = fields.String(required=True, validate=OneOf([state.value for state in State]))
    name = fields.String(required=True)
    ended = fields.Nested(EndedSchema, required=True, allow_none=True)
    reduced = fields.Nested(ReducedSchema, required=True, allow_none=True)
    late_at = _late_at()
    note = _note()
    has_note = _has_note()
    seats = fields.Integer(required=True)
    admitted = fields.Integer(required=True)
    released = fields.Integer(required=True)
    outside = _outside()


class ConflictSchema(Answer):
    """More people are in than the books could count: `claimed` by a device, of them `people` counted.

    `first` came in before, with the party's places; `at`, `by` and `door` are whose turn was later,
    whichever of them was told first. `attempt` is the conflict's own, which may be either of the two.
    """

    scan_id = fields.UUID(required=True)
    reference = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    verdict = fields.String(required=True, validate=OneOf(RECORDED))
    walk_in = fields.Boolean(
        required=True, metadata={"description": "Whether they came without a booking."}
    )
    way = fields.String(
        required=True,
        validate=OneOf([Way.IN, Way.AGAIN]),
        metadata={"description": "Whether they came in, or came in again after they had gone out."},
    )
    people = fields.Integer(required=True)
    claimed = fields.Integer(required=True)
    at = fields.AwareDateTime(required=True)
    by = Person(required=True)
    door = fields.String(required=True)
    first = fields.Nested(FirstSchema, required=True, allow_none=True)
    attempt = fields.Nested(FirstSchema, required=True)


class ResultSchema(Answer):
    """What became of an action: a verdict, or a problem that sending it again will not cure."""

    scan_id = fields.UUID(required=True)
    verdict = fields.Nested(VerdictSchema, required=True, allow_none=True)
    problem = fields.String(
        required=True,
        allow_none=True,
        validate=OneOf(
            ["scan-reused", "scan-unknown", "door-closed", "right-missing", "not-a-ticket"]
        ),
    )


class NewsSchema(Answer):
    """What a device must know from now on."""

    version = fields.Integer(required=True)
    server_time = fields.AwareDateTime(required=True)
    rights = _rights()
    closed = fields.Boolean(
        required=True, metadata={"description": "The performance is over: the list is to be wiped."}
    )
    performance = fields.Nested(DoorPerformanceSchema, required=True)
    counts = fields.Nested(CountsSchema, required=True)
    silent = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "Devices that were not heard from for a minute: they may have let people in."
        },
    )
    results = fields.List(fields.Nested(ResultSchema), required=True)
    complete = fields.Boolean(
        required=True, metadata={"description": "Whether `parties` are all, or those that changed."}
    )
    parties = fields.List(fields.Nested(ListedSchema), required=True)
    conflicts = fields.List(fields.Nested(ConflictSchema), required=True)
    ticket_keys = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "Ed25519 keys by which the device can check tickets itself, base64url: one for"
            " each SECRET_KEY whose tickets are good."
        },
    )
    cursor = fields.Integer(required=True)

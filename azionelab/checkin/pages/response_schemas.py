"""Response bodies of the door's API, but for those of a sync (docs/door.md)."""

from typing import Any

from marshmallow import fields
from marshmallow.validate import OneOf

from azionelab.api.rest import ResponseSchema
from azionelab.bookings.history import By
from azionelab.bookings.models import State
from azionelab.checkin.devices.rights import Right
from azionelab.checkin.texts.notices import unnamed_staff_text
from azionelab.checkin.verdicts import VerdictKind


def outside_field() -> fields.Field[Any]:
    return fields.Integer(
        required=True,
        metadata={"description": "People of those `admitted` who went out and may come back."},
    )


def note_field() -> fields.Field[Any]:
    return fields.String(
        required=True,
        metadata={"description": "The staff's note on the party; may be empty."},
    )


def wheelchair_places_field() -> fields.Field[Any]:
    return fields.Integer(
        required=True,
        metadata={"description": "How many of the party's `seats` are wheelchair places."},
    )


def has_note_field() -> fields.Field[Any]:
    return fields.Boolean(
        required=True,
        metadata={"description": "Whether there is a note; also for devices that may not read it."},
    )


def late_at_field() -> fields.Field[Any]:
    return fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={
            "description": "Estimated arrival of the people who are not in, if the party announced to come late."
        },
    )


class EndedSchema(ResponseSchema):
    """When a booking was cancelled or expired, and by whom."""

    at = fields.AwareDateTime(required=True)
    by = fields.String(
        required=True,
        allow_none=True,
        validate=OneOf([by.value for by in By]),
        metadata={
            "description": "The kind of actor; null if nobody ended it, or if that is not recorded."
        },
    )


class ReducedSchema(ResponseSchema):
    """The last reduction of a party; `seats` is its original size."""

    at = fields.AwareDateTime(required=True)
    by = fields.String(required=True, validate=OneOf([By.VISITOR.value, By.STAFF.value]))
    seats = fields.Integer(required=True)


class PartySchema(ResponseSchema):
    """A party. `remaining` people are still to come. Without the right `names`, name and note are empty."""

    reference = fields.String(required=True)
    name = fields.String(required=True)
    ended = fields.Nested(EndedSchema, required=True, allow_none=True)
    reduced = fields.Nested(ReducedSchema, required=True, allow_none=True)
    late_at = late_at_field()
    note = note_field()
    has_note = has_note_field()
    state = fields.String(required=True, validate=OneOf([state.value for state in State]))
    seats = fields.Integer(required=True)
    wheelchair_places = wheelchair_places_field()
    admitted = fields.Integer(required=True)
    released = fields.Integer(required=True)
    outside = outside_field()
    remaining = fields.Integer(required=True)


class PartiesSchema(ResponseSchema):
    """Parties, by name."""

    parties = fields.List(fields.Nested(PartySchema), required=True)
    more = fields.Boolean(
        required=True, metadata={"description": "Whether more parties match than are listed."}
    )


class Person(fields.String):
    """The person or device that let somebody in; a general term for accounts without a name."""

    def _serialize(self, value: Any, *arguments: Any, **options: Any) -> Any:
        return super()._serialize(value or unnamed_staff_text(), *arguments, **options)


class FirstSchema(ResponseSchema):
    """The first admission of a party: when, by whom, at which door."""

    at = fields.AwareDateTime(required=True)
    by = Person(required=True)
    door = fields.String(required=True)


class EveningSchema(ResponseSchema):
    """A performance."""

    id = fields.Integer(required=True)
    show_title = fields.String(required=True)
    venue_name = fields.String(required=True)
    starts_at = fields.AwareDateTime(required=True)


def rights_field() -> fields.Field[Any]:
    return fields.List(
        fields.String(validate=OneOf([right.value for right in Right])),
        required=True,
        metadata={
            "description": "The rights of the device; other requests are refused as right-missing."
        },
    )


class InvitedSchema(EveningSchema):
    """The performance that an invitation is for."""

    rights = rights_field()


class VerdictSchema(ResponseSchema):
    """The verdict on a scan. `people` went in or out by it; 0 after an undo."""

    scan_id = fields.UUID(required=True)
    verdict = fields.String(required=True, validate=OneOf([kind.value for kind in VerdictKind]))
    people = fields.Integer(required=True)
    claimed = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "How many people the device let in offline; more than `people` are a conflict."
        },
    )
    replayed = fields.Boolean(required=True)
    undone = fields.Boolean(required=True)
    party = fields.Nested(PartySchema, required=True, allow_none=True)
    first = fields.Nested(FirstSchema, required=True, allow_none=True)
    evening = fields.Nested(
        EveningSchema,
        required=True,
        allow_none=True,
        metadata={"description": "With wrong_performance: the performance that the ticket is for."},
    )


class DeviceSchema(ResponseSchema):
    """A door device. Its `token` is shown only here."""

    token = fields.String(required=True)
    label = fields.String(required=True)
    performance_id = fields.Integer(required=True)
    rights = rights_field()
    pass_ = fields.String(
        required=True,
        allow_none=True,
        data_key="pass",
        attribute="pass",
        metadata={
            "description": "For a phone that may serve several performances: with it the phone enrols for the others (readPass)."
        },
    )


class OfferedEveningSchema(EveningSchema):
    """A performance that the phone may enrol for with the `invitation`."""

    invitation = fields.String(required=True)


class OfferedSchema(ResponseSchema):
    """The performances of a pass, in order of time."""

    evenings = fields.List(fields.Nested(OfferedEveningSchema), required=True)


class ReleasedSchema(ResponseSchema):
    """Seats that were released or restored. `missing` ones could not be restored: others have them.

    `late_places` stayed held, because their parties announced to come late: the last of them until `late_until`.
    """

    parties = fields.Integer(required=True)
    places = fields.Integer(required=True)
    missing = fields.Integer(required=True)
    late_parties = fields.Integer(required=True)
    late_places = fields.Integer(required=True)
    late_until = fields.AwareDateTime(required=True, allow_none=True)

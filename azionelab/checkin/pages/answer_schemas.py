"""What the door's API answers (docs/door.md)."""

from typing import Any

from marshmallow import fields
from marshmallow.validate import OneOf

from azionelab.api.rest import Answer
from azionelab.bookings.changes import By
from azionelab.bookings.models import State
from azionelab.checkin.devices.rights import Right
from azionelab.checkin.texts.notices import unnamed_staff_text
from azionelab.checkin.verdicts import Kind


def _outside() -> fields.Field[Any]:
    return fields.Integer(
        required=True,
        metadata={"description": "Of those `admitted`: they went out, and may come in again."},
    )


def _note() -> fields.Field[Any]:
    return fields.String(
        required=True,
        metadata={"description": "What staff want the door to know of the party; may be empty."},
    )


def _has_note() -> fields.Field[Any]:
    return fields.Boolean(
        required=True,
        metadata={"description": "Whether there is one, also where it is not told."},
    )


def _late_at() -> fields.Field[Any]:
    return fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={
            "description": "About when those come who are not in, if they told us that they come late."
        },
    )


class EndedSchema(Answer):
    """When a booking was cancelled or expired, and by whom."""

    at = fields.AwareDateTime(required=True)
    by = fields.String(
        required=True,
        allow_none=True,
        validate=OneOf([by.value for by in By]),
        metadata={"description": "In kind; null when nobody did, or nobody wrote it down."},
    )


class ReducedSchema(Answer):
    """When a party was made smaller last, and how large it was at first (`seats`)."""

    at = fields.AwareDateTime(required=True)
    by = fields.String(required=True, validate=OneOf([By.VISITOR.value, By.STAFF.value]))
    seats = fields.Integer(required=True)


class PartySchema(Answer):
    """A party. `remaining` of its people are still to come. Without the right `names`, name and note are empty."""

    reference = fields.String(required=True)
    name = fields.String(required=True)
    ended = fields.Nested(EndedSchema, required=True, allow_none=True)
    reduced = fields.Nested(ReducedSchema, required=True, allow_none=True)
    late_at = _late_at()
    note = _note()
    has_note = _has_note()
    state = fields.String(required=True, validate=OneOf([state.value for state in State]))
    seats = fields.Integer(required=True)
    admitted = fields.Integer(required=True)
    released = fields.Integer(required=True)
    outside = _outside()
    remaining = fields.Integer(required=True)


class PartiesSchema(Answer):
    """Parties, by name."""

    parties = fields.List(fields.Nested(PartySchema), required=True)
    more = fields.Boolean(
        required=True, metadata={"description": "Whether there are more than these."}
    )


class Person(fields.String):
    """Who let somebody in. An account without a name is somebody of the staff."""

    def _serialize(self, value: Any, *arguments: Any, **options: Any) -> Any:
        return super()._serialize(value or unnamed_staff_text(), *arguments, **options)


class FirstSchema(Answer):
    """When, by whom and at which door the first of a party who are in were let in."""

    at = fields.AwareDateTime(required=True)
    by = Person(required=True)
    door = fields.String(required=True)


class EveningSchema(Answer):
    """A performance: what is played, where and when."""

    id = fields.Integer(required=True)
    show_title = fields.String(required=True)
    venue_name = fields.String(required=True)
    starts_at = fields.AwareDateTime(required=True)


def _rights() -> fields.Field[Any]:
    return fields.List(
        fields.String(validate=OneOf([right.value for right in Right])),
        required=True,
        metadata={
            "description": "What the device may do; of anything else it is told right-missing."
        },
    )


class InvitedSchema(EveningSchema):
    """The performance that an invitation opens the door of."""

    rights = _rights()


class VerdictSchema(Answer):
    """The answer to a scan. `people` were let in by it, or out; after an undo none are."""

    scan_id = fields.UUID(required=True)
    verdict = fields.String(required=True, validate=OneOf([kind.value for kind in Kind]))
    people = fields.Integer(required=True)
    claimed = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "How many the device let in by itself; more than `people` conflict."
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
        metadata={"description": "With wrong_performance: the one that the ticket is for."},
    )


class DeviceSchema(Answer):
    """A door device. Its `token` is told this once."""

    token = fields.String(required=True)
    label = fields.String(required=True)
    performance_id = fields.Integer(required=True)
    rights = _rights()
    pass_ = fields.String(
        required=True,
        allow_none=True,
        data_key="pass",
        attribute="pass",
        metadata={
            "description": "Of a phone that staff let serve several evenings: it opens the other doors (readPass)."
        },
    )


class OfferedEveningSchema(EveningSchema):
    """A performance whose door the phone may open, by this `invitation`."""

    invitation = fields.String(required=True)


class OfferedSchema(Answer):
    """What a pass opens, the next first."""

    evenings = fields.List(fields.Nested(OfferedEveningSchema), required=True)


class ReleasedSchema(Answer):
    """Places of parties. `missing` ones could not be given back: others have them.

    `late_places` stayed held: their parties told us that they come late.
    """

    parties = fields.Integer(required=True)
    places = fields.Integer(required=True)
    missing = fields.Integer(required=True)
    late_parties = fields.Integer(required=True)
    late_places = fields.Integer(required=True)

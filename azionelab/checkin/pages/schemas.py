"""What the door's API is sent, and what it answers (docs/door.md)."""

from typing import Any

from flask_babel import gettext
from marshmallow import ValidationError, fields
from marshmallow.validate import Length, OneOf, Range

from azionelab.api.rest import (
    BETWEEN,
    LENGTH_BETWEEN,
    LENGTH_UP_TO,
    NOT_EMPTY,
    ONE_OF,
    Asked,
    RequestKeySchema,
)
from azionelab.checkin.limits import MAX_ACTIONS, MAX_DOOR, MAX_PEOPLE, MAX_QUERY, MAX_WALK_INS
from azionelab.checkin.verdicts import Kind, Way
from azionelab.shows.limits import MAX_PARTY
from azionelab.validation.text import has_visible_character, is_one_line

_WAY = (
    "Which way they go: `in`; `out`, if staff let people out this evening; `again`, who went out; `any`, whoever of"
    " the party is not in the building: `some_out` asks whether they come or come back. Of walk-ins `any` is `in`."
)
_CODE = (
    "A ticket's token, the address in its QR, or a reference. Whatever else a camera read is"
    " refused as `not-a-ticket`, and not recorded, unless the device tells it with `offline`."
)


class Line(fields.String):
    """A text of one line, without characters that cannot be kept."""

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> str:
        text = super()._deserialize(value, *arguments, **options) or ""
        if not is_one_line(text):
            raise ValidationError(gettext("Must be one line of text."))
        return text


def _seen(label: str) -> None:
    if not has_visible_character(label):
        raise ValidationError(str(NOT_EMPTY))


def _way() -> fields.Field[Any]:
    return fields.Enum(Way, by_value=True, load_default=Way.IN, metadata={"description": _WAY})


class OfflineSchema(Asked):
    """What the device decided without the server: it is told, not asked for."""

    at = fields.AwareDateTime(
        required=True,
        format="iso",
        metadata={"description": "When, by the server's clock as far as the device knows it."},
    )
    verdict = fields.Enum(
        Kind, by_value=True, required=True, metadata={"description": "Why, when nobody was let in."}
    )
    people = fields.Integer(
        required=True,
        strict=True,
        validate=Range(0, MAX_PARTY, error=BETWEEN),
        metadata={"description": "How many are in by it, or out; 0 when they were sent away."},
    )


class AttemptSchema(Asked):
    """What every attempt at the door says. Sent again with the same `scan_id` it counts once."""

    scan_id = fields.UUID(required=True)
    door = Line(
        validate=Length(max=MAX_DOOR, error=LENGTH_UP_TO),
        load_default="",
        metadata={
            "description": "The door's name, of a program; a door device's is always its own label."
        },
    )
    offline = fields.Nested(OfflineSchema)


class ScanSchema(AttemptSchema):
    """An attempt to let a party in."""

    code = fields.String(
        required=True,
        validate=Length(1, error=NOT_EMPTY),
        metadata={"description": _CODE},
    )
    people = fields.Integer(
        strict=True,
        validate=Range(1, MAX_PEOPLE, error=BETWEEN),
        metadata={"description": "How many to let in; all who are still to come without it."},
    )
    seen = fields.Integer(
        strict=True,
        validate=Range(0, MAX_PEOPLE, error=BETWEEN),
        metadata={
            "description": "How many of the party the device showed as in; of `out` and `again` as in the building."
        },
    )
    way = _way()
    late = fields.Boolean(
        load_default=False,
        metadata={
            "description": "Let in those, too, whose places were released, if some are free."
        },
    )


class WalkInSchema(AttemptSchema):
    """People without a booking."""

    people = fields.Integer(
        strict=True, load_default=1, validate=Range(1, MAX_WALK_INS, error=BETWEEN)
    )
    way = _way()


class ActionSchema(AttemptSchema):
    """One of what waited on the device: a `scan` of a `code`, a `walk_in`, or the `undo` of either."""

    kind = fields.String(required=True, validate=OneOf(["scan", "walk_in", "undo"], error=ONE_OF))
    code = fields.String(load_default="", metadata={"description": _CODE})
    people = fields.Integer(
        strict=True,
        validate=Range(1, MAX_PEOPLE, error=BETWEEN),
        metadata={"description": "As in a scan; of a walk_in 1 without it."},
    )
    seen = fields.Integer(strict=True, validate=Range(0, MAX_PEOPLE, error=BETWEEN))
    late = fields.Boolean(load_default=False)
    way = _way()


class SyncSchema(Asked):
    """What waits on the device, and what it knows already."""

    version = fields.Integer(required=True, strict=True, validate=Range(1, 1000, error=BETWEEN))
    cursor = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=Range(0, 2**62, error=BETWEEN),
        metadata={"description": "Of the last answer; null for the whole list."},
    )
    actions = fields.List(
        fields.Nested(ActionSchema),
        load_default=list,
        validate=Length(max=MAX_ACTIONS, error=LENGTH_UP_TO),
        metadata={
            "description": "In order, the oldest first. Beyond one a second since the device was enrolled, and 60,"
            " they are refused together (429): to be sent again after Retry-After."
        },
    )
    done = fields.Boolean(
        load_default=False,
        metadata={
            "description": "The device ends its evening, and has told all that it did: it is put away, and nobody"
            " waits to hear of it."
        },
    )


class InvitationSchema(Asked):
    """An invitation that staff show."""

    invitation = fields.String(required=True, validate=Length(1, 500, error=LENGTH_BETWEEN))


class EnrolSchema(InvitationSchema):
    """An invitation, and how the device shall be called."""

    label = Line(required=True, validate=[Length(1, MAX_DOOR, error=LENGTH_BETWEEN), _seen])


class EnrolKeySchema(RequestKeySchema):
    """A random key that makes it safe to send an enrolment again when its answer was lost.

    With the same invitation, while that is good, it gives the device that it made.
    """


class SearchSchema(Asked):
    """Parts of a name in any order, part of an e-mail address, or a reference."""

    query = Line(required=True, validate=Length(2, MAX_QUERY, error=LENGTH_BETWEEN))


class PassSchema(Asked):
    """The pass of a phone that staff let serve several evenings."""

    # A word of Python's.
    pass_ = fields.String(
        required=True,
        data_key="pass",
        attribute="pass",
        validate=Length(1, 500, error=LENGTH_BETWEEN),
    )


class ReleaseSchema(Asked):
    """Whose places are released."""

    late = fields.Boolean(
        load_default=False,
        metadata={"description": "Also those of parties that told us they come late."},
    )

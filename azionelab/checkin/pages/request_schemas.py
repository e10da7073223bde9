"""Request bodies of the door's API (docs/door.md)."""

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
    RequestKeySchema,
    RequestSchema,
)
from azionelab.checkin.limits import MAX_ACTIONS, MAX_DOOR, MAX_PEOPLE, MAX_QUERY, MAX_WALK_INS
from azionelab.checkin.verdicts import VerdictKind, Way
from azionelab.shows.limits import MAX_PARTY
from azionelab.validation.text import has_visible_character, is_one_line

_WAY = (
    "The direction: `in`; `out`, if re-entry is allowed for the performance; `again` for people who went out; `any`"
    " for those of the party who are not in the building: if some are out and others have not come, the verdict"
    " `some_out` asks which of them are here. For walk-ins `any` is `in`."
)
_CODE = (
    "A ticket's token, the address in its QR, or a reference. Any other code is refused as `not-a-ticket` and not"
    " recorded, unless it comes with `offline`."
)


class Line(fields.String):
    """One line of text, without control characters."""

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> str:
        text = super()._deserialize(value, *arguments, **options) or ""
        if not is_one_line(text):
            raise ValidationError(gettext("Must be a single line of text."))
        return text


def _seen(label: str) -> None:
    if not has_visible_character(label):
        raise ValidationError(str(NOT_EMPTY))


def _way() -> fields.Field[Any]:
    return fields.Enum(Way, by_value=True, load_default=Way.IN, metadata={"description": _WAY})


class OfflineSchema(RequestSchema):
    """A decision that the device made offline: the server records it and does not decide again."""

    at = fields.AwareDateTime(
        required=True,
        format="iso",
        metadata={
            "description": "The time of the scan, by the device's estimate of the server's clock."
        },
    )
    verdict = fields.Enum(
        VerdictKind,
        by_value=True,
        required=True,
        metadata={"description": "The device's verdict; the reason if it let nobody in."},
    )
    people = fields.Integer(
        required=True,
        strict=True,
        validate=Range(0, MAX_PARTY, error=BETWEEN),
        metadata={"description": "How many people went in or out; 0 if they were refused."},
    )


class AttemptSchema(RequestSchema):
    """Fields of every scan. Sent again with the same `scan_id` it counts once."""

    scan_id = fields.UUID(required=True)
    door = Line(
        validate=Length(max=MAX_DOOR, error=LENGTH_UP_TO),
        load_default="",
        metadata={
            "description": "The name of the door, from programs; for a door device it is always the device's label."
        },
    )
    offline = fields.Nested(OfflineSchema)


class ScanSchema(AttemptSchema):
    """A scan of a ticket or reference."""

    code = fields.String(
        required=True,
        validate=Length(1, error=NOT_EMPTY),
        metadata={"description": _CODE},
    )
    people = fields.Integer(
        strict=True,
        validate=Range(1, MAX_PEOPLE, error=BETWEEN),
        metadata={
            "description": "How many people to let in; by default all who are still to come."
        },
    )
    seen = fields.Integer(
        strict=True,
        validate=Range(0, MAX_PEOPLE, error=BETWEEN),
        metadata={
            "description": "How many people of the party the device showed as in; for `out` and `again` as in the building."
        },
    )
    way = _way()
    late = fields.Boolean(
        load_default=False,
        metadata={
            "description": "Also let in people whose seats were released, if seats are free."
        },
    )


class WalkInSchema(AttemptSchema):
    """Walk-ins."""

    people = fields.Integer(
        strict=True, load_default=1, validate=Range(1, MAX_WALK_INS, error=BETWEEN)
    )
    way = _way()


class ActionSchema(AttemptSchema):
    """A queued action: a `scan` of a `code`, a `walk_in`, or the `undo` of either."""

    kind = fields.String(required=True, validate=OneOf(["scan", "walk_in", "undo"], error=ONE_OF))
    code = fields.String(load_default="", metadata={"description": _CODE})
    people = fields.Integer(
        strict=True,
        validate=Range(1, MAX_PEOPLE, error=BETWEEN),
        metadata={"description": "As in a scan; for a walk_in 1 by default."},
    )
    seen = fields.Integer(strict=True, validate=Range(0, MAX_PEOPLE, error=BETWEEN))
    late = fields.Boolean(load_default=False)
    way = _way()


class SyncSchema(RequestSchema):
    """The queued actions of a device, and its last cursor."""

    version = fields.Integer(required=True, strict=True, validate=Range(1, 1000, error=BETWEEN))
    cursor = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=Range(0, 2**62, error=BETWEEN),
        metadata={"description": "The cursor of the last response; null for the whole list."},
    )
    actions = fields.List(
        fields.Nested(ActionSchema),
        load_default=list,
        validate=Length(max=MAX_ACTIONS, error=LENGTH_UP_TO),
        metadata={
            "description": "Oldest first. More than 60 plus one per second since the device was enrolled are refused together (429),"
            " to be sent again after Retry-After."
        },
    )
    done = fields.Boolean(
        load_default=False,
        metadata={
            "description": "The user ended the evening on the device, and these are its last actions: the door does not wait"
            " for it any more."
        },
    )


class InvitationSchema(RequestSchema):
    """An invitation from the QR that staff show."""

    invitation = fields.String(required=True, validate=Length(1, 500, error=LENGTH_BETWEEN))


class EnrolSchema(InvitationSchema):
    """An invitation, and the name of the device."""

    label = Line(required=True, validate=[Length(1, MAX_DOOR, error=LENGTH_BETWEEN), _seen])


class EnrolKeySchema(RequestKeySchema):
    """A random key that makes it safe to send an enrolment again if its response was lost.

    With the same invitation, while that is valid, it returns the device that it made.
    """


class SearchSchema(RequestSchema):
    """Parts of a name in any order, an e-mail address, or a reference."""

    query = Line(required=True, validate=Length(2, MAX_QUERY, error=LENGTH_BETWEEN))


class PassSchema(RequestSchema):
    """The pass of a phone that may serve several performances."""

    # `pass` is a Python keyword.
    pass_ = fields.String(
        required=True,
        data_key="pass",
        attribute="pass",
        validate=Length(1, 500, error=LENGTH_BETWEEN),
    )


class ReleaseSchema(RequestSchema):
    """Options of a release."""

    late = fields.Boolean(
        load_default=False,
        metadata={"description": "Also release the seats of parties that announced to come late."},
    )

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
    Answer,
    Asked,
    RequestKeySchema,
)
from azionelab.bookings.changes import By
from azionelab.bookings.models import State
from azionelab.checkin.devices.rights import Right
from azionelab.checkin.limits import MAX_ACTIONS, MAX_DOOR, MAX_PEOPLE, MAX_QUERY, MAX_WALK_INS
from azionelab.checkin.texts.verdict_texts import say_somebody
from azionelab.checkin.verdicts import RECORDED, Kind, Way
from azionelab.shows.limits import MAX_PARTY
from azionelab.validation.text import is_one_line, is_seen

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
    if not is_seen(label):
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
        return super()._serialize(value or say_somebody(), *arguments, **options)


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


class PassSchema(Asked):
    """The pass of a phone that staff let serve several evenings."""

    # A word of Python's.
    pass_ = fields.String(
        required=True,
        data_key="pass",
        attribute="pass",
        validate=Length(1, 500, error=LENGTH_BETWEEN),
    )


class OfferedEveningSchema(EveningSchema):
    """A performance whose door the phone may open, by this `invitation`."""

    invitation = fields.String(required=True)


class OfferedSchema(Answer):
    """What a pass opens, the next first."""

    evenings = fields.List(fields.Nested(OfferedEveningSchema), required=True)


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


class ReleaseSchema(Asked):
    """Whose places are released."""

    late = fields.Boolean(
        load_default=False,
        metadata={"description": "Also those of parties that told us they come late."},
    )


class ReleasedSchema(Answer):
    """Places of parties. `missing` ones could not be given back: others have them.

    `late_places` stayed held: their parties told us that they come late.
    """

    parties = fields.Integer(required=True)
    places = fields.Integer(required=True)
    missing = fields.Integer(required=True)
    late_parties = fields.Integer(required=True)
    late_places = fields.Integer(required=True)

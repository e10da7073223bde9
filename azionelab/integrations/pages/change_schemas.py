"""What the API for staff takes to change a reservation."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext
from marshmallow import fields, validates_schema
from marshmallow.validate import OneOf, Range

from azionelab.api.rest import (
    BETWEEN,
    ONE_OF,
    Cleaned,
    RequestKeySchema,
    RequestSchema,
    TrueOrFalse,
)
from azionelab.bookings.models import MAX_CONTACT, MAX_EMAIL, MAX_NAME, MAX_NOTE
from azionelab.bookings.pages.visitor_input import check_wheelchair_places, clean_email, clean_name
from azionelab.languages import LOCALES
from azionelab.shows.limits import MAX_PARTY
from azionelab.validation.text import has_visible_character, is_one_line
from azionelab.web.pages import MAX_ROW

_MAX_VERSION = 2**63 - 1


def _clean_any_email(typed: str) -> str:
    """A valid address, or "" for none."""
    return clean_email(typed) if typed.strip() else ""


def _clean_line(limit: int) -> Callable[[str], str]:
    """A check of one line of at most `limit` characters; without a visible character it is empty."""

    def clean(typed: str) -> str:
        line = typed.strip() if has_visible_character(typed) else ""
        if len(line) > limit:
            raise ValueError(gettext("Please use at most %(limit)s characters.", limit=limit))
        if not is_one_line(line):
            raise ValueError(gettext("This contains characters that cannot be displayed."))
        return line

    return clean


def _name(*, required: bool = False) -> Cleaned:
    return Cleaned(clean_name, required=required, metadata={"minLength": 1, "maxLength": MAX_NAME})


def _email(text: str, default: str | None = None) -> Cleaned:
    facts = {"maxLength": MAX_EMAIL, "description": text}
    if default is None:
        return Cleaned(_clean_any_email, metadata=facts)
    return Cleaned(_clean_any_email, load_default=default, metadata=facts)


def _line(limit: int, text: str, default: str | None = None) -> Cleaned:
    facts = {"maxLength": limit, "description": text}
    if default is None:
        return Cleaned(_clean_line(limit), metadata=facts)
    return Cleaned(_clean_line(limit), load_default=default, metadata=facts)


def _seats(*, required: bool = False) -> fields.Integer:
    return fields.Integer(
        required=required, strict=True, validate=Range(1, MAX_PARTY, error=BETWEEN)
    )


def _wheelchair_places(default: int | None = None) -> fields.Integer:
    facts: dict[str, Any] = {"load_default": default} if default is not None else {}
    return fields.Integer(
        strict=True,
        validate=Range(0, MAX_PARTY, error=BETWEEN),
        metadata={"description": "How many of `seats` are wheelchair places."},
        **facts,
    )


def _locale() -> fields.String:
    return fields.String(
        validate=OneOf(LOCALES, error=ONE_OF),
        metadata={"description": "The language of mails and ticket."},
    )


def _notify() -> TrueOrFalse:
    return TrueOrFalse(
        load_default=True,
        metadata={"description": "Whether the visitor is written to, if there is an address."},
    )


def _performance() -> fields.Integer:
    return fields.Integer(required=True, strict=True, validate=Range(1, MAX_ROW, error=BETWEEN))


class ProgramKeySchema(RequestKeySchema):
    """The key of a booking: sent again with the same one, a request answers the same reservation."""

    request_key = fields.UUID(data_key="Idempotency-Key", required=True)


class StaffBookingSchema(RequestSchema):
    """A booking for somebody, confirmed at once, or held until a time."""

    performance_id = _performance()
    name = _name(required=True)
    email = _email("Empty for somebody without one.", "")
    locale = _locale()
    seats = _seats(required=True)
    wheelchair_places = _wheelchair_places(0)
    limit_reason = _line(
        MAX_CONTACT, "Why a party is larger than the performance's `party_limit`.", ""
    )
    held_until = fields.AwareDateTime(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "Until when the seats are held, at the latest the curtain. Without it the booking is"
            " confirmed at once."
        },
    )
    note = _line(MAX_NOTE, "A note for the door; the visitor may ask to read it.", "")
    contact = _line(MAX_CONTACT, "Who speaks for a group, with a telephone number.", "")
    same_name = TrueOrFalse(
        load_default=False,
        metadata={
            "description": "Book although somebody of this name without an address has booked already."
        },
    )
    notify = _notify()

    @validates_schema
    def _check_places(self, entries: dict[str, Any], **_kwargs: object) -> None:
        check_wheelchair_places(entries)


class ChangeSchema(RequestSchema):
    """Which version of the reservation the program saw, and whether to write to the visitor."""

    version = fields.Integer(
        required=True,
        strict=True,
        validate=Range(0, _MAX_VERSION, error=BETWEEN),
        metadata={"description": "`version` of the reservation as it was read."},
    )
    notify = _notify()


class ReservationChangeSchema(ChangeSchema):
    """New entries of a reservation. What is not named stays."""

    name = _name()
    email = _email("Empty to remove it: nobody is written to then.")
    locale = _locale()
    seats = _seats()
    wheelchair_places = _wheelchair_places()
    limit_reason = _line(
        MAX_CONTACT, "Why the party is larger than the performance's `party_limit`.", ""
    )
    note = _line(MAX_NOTE, "A note for the door; the visitor may ask to read it.")


class MoveSchema(ChangeSchema):
    """The performance to move a party to."""

    performance_id = _performance()

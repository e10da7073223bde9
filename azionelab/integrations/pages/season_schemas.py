"""What the API for staff takes to add or change shows and performances."""

from collections.abc import Callable

from flask_babel import gettext
from marshmallow import fields
from marshmallow.validate import Length, Range, Regexp

from azionelab.api.rest import (
    BETWEEN,
    LENGTH_BETWEEN,
    N_,
    Cleaned,
    RequestSchema,
    TrueOrFalse,
)
from azionelab.shows.limits import MAX_LINE, MAX_MINUTES, MAX_PARTY, MAX_SLUG, MAX_TEXT, SLUG
from azionelab.shows.models import MAX_CAPACITY
from azionelab.validation.text import has_visible_character, is_multiline_text, is_one_line
from azionelab.web.pages import MAX_ROW


def _clean(limit: int, fits: Callable[[str], bool], *, empty: bool) -> Callable[[str], str]:
    def clean(typed: str) -> str:
        text = typed.replace("\r\n", "\n").strip() if has_visible_character(typed) else ""
        if not text and not empty:
            raise ValueError(gettext("Must not be empty."))
        if len(text) > limit:
            raise ValueError(gettext("Please use at most %(limit)s characters.", limit=limit))
        if not fits(text):
            raise ValueError(gettext("This contains characters that cannot be displayed."))
        return text

    return clean


def _title(*, required: bool = False) -> Cleaned:
    clean = _clean(MAX_LINE, is_one_line, empty=False)
    return Cleaned(clean, required=required, metadata={"minLength": 1, "maxLength": MAX_LINE})


def _row(*, required: bool = False) -> fields.Integer:
    return fields.Integer(required=required, strict=True, validate=Range(1, MAX_ROW, error=BETWEEN))


def _version() -> fields.Integer:
    return fields.Integer(
        required=True,
        strict=True,
        validate=Range(1, MAX_ROW, error=BETWEEN),
        metadata={"description": "`version` of the entry as it was read."},
    )


def _slug(*, required: bool = False) -> fields.String:
    return fields.String(
        required=required,
        validate=[
            Length(1, MAX_SLUG, error=LENGTH_BETWEEN),
            Regexp(
                f"^{SLUG}$(?!\\n)",
                error=N_("Please enter an address made of the letters a to z and digits."),
            ),
        ],
        metadata={"description": "The last part of the page's address."},
    )


class _ShowSchema(RequestSchema):
    summary = Cleaned(_clean(MAX_LINE, is_one_line, empty=True), metadata={"maxLength": MAX_LINE})
    description = Cleaned(
        _clean(MAX_TEXT, is_multiline_text, empty=True), metadata={"maxLength": MAX_TEXT}
    )
    duration_minutes = fields.Integer(
        strict=True, allow_none=True, validate=Range(1, MAX_MINUTES, error=BETWEEN)
    )
    published = TrueOrFalse(
        metadata={"description": "Only published shows are in the programme; others are drafts."}
    )


class ShowEntrySchema(_ShowSchema):
    """A new show. It is a draft unless it is published."""

    title = _title(required=True)
    slug = _slug(required=True)


class ShowChangeSchema(_ShowSchema):
    """New entries of a show. What is not named stays."""

    version = _version()
    title = _title()
    slug = _slug()


class _PerformanceSchema(RequestSchema):
    capacity = fields.Integer(strict=True, validate=Range(0, MAX_CAPACITY, error=BETWEEN))
    wheelchair_places = fields.Integer(strict=True, validate=Range(0, MAX_CAPACITY, error=BETWEEN))
    party_limit = fields.Integer(strict=True, validate=Range(1, MAX_PARTY, error=BETWEEN))
    booking_opens_at = fields.AwareDateTime()
    booking_closes_at = fields.AwareDateTime()


class PerformanceEntrySchema(_PerformanceSchema):
    """A new performance, with the venue's usual seats unless it has its own; booking opens at once by default."""

    show_id = _row(required=True)
    venue_id = _row(required=True)
    starts_at = fields.AwareDateTime(required=True)


class PerformanceChangeSchema(_PerformanceSchema):
    """New entries of a performance. Who booked is written to when its time or its venue changes."""

    version = _version()
    venue_id = _row()
    starts_at = fields.AwareDateTime()


class PerformanceCancelSchema(RequestSchema):
    """The version of the performance that the program saw."""

    version = _version()

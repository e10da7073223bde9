"""The bookings API. It uses the same rules and the same checks of name and address as the form."""

from dataclasses import replace
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

from flask import Response, abort
from flask_babel import get_locale, gettext
from marshmallow import fields, validates_schema
from marshmallow.validate import OneOf, Range
from werkzeug.wrappers import Response as AnyResponse

from azionelab.api.problems import problem
from azionelab.api.rest import (
    AT_LEAST,
    ONE_OF,
    ApiBlueprint,
    Cleaned,
    ConsentField,
    RequestKeySchema,
    RequestSchema,
    ResponseSchema,
)
from azionelab.bookings import rules
from azionelab.bookings.crowd.gate import gate
from azionelab.bookings.errors import (
    BookingClosed,
    PartyTooLarge,
    PerformanceUnknown,
    SoldOut,
    TooManyMails,
    TooManyUnproven,
    TryLater,
    TurnOver,
    WheelchairPlacesTaken,
)
from azionelab.bookings.models import MAX_EMAIL, MAX_NAME
from azionelab.bookings.pages.consent import Consent
from azionelab.bookings.pages.error_texts import explain
from azionelab.bookings.pages.rate_limits import count_booking
from azionelab.bookings.pages.visitor_input import (
    check_wheelchair_places,
    clean_name,
    clean_visitor_email,
)
from azionelab.bookings.pages.waiting import line_before
from azionelab.bookings.seats.holds import hold_minutes
from azionelab.database import now
from azionelab.languages import LOCALES
from azionelab.shows.facts.seating import Places
from azionelab.shows.window import Window
from azionelab.web.rate_limits import visitor_network
from azionelab.web.site_urls import site_url

_ASK_AGAIN = 30  # seconds, for whoever has to wait in line

blueprint = ApiBlueprint(
    "bookings_api", __name__, url_prefix="performances", description="Bookings."
)


class BookingSchema(RequestSchema):
    """A booking: name, e-mail address, number of seats and consent to be written to."""

    name = Cleaned(clean_name, required=True, metadata={"minLength": 1, "maxLength": MAX_NAME})
    email = Cleaned(
        clean_visitor_email, required=True, metadata={"format": "email", "maxLength": MAX_EMAIL}
    )
    seats = fields.Integer(required=True, strict=True, validate=Range(1, error=AT_LEAST))
    wheelchair_places = fields.Integer(
        load_default=0,
        strict=True,
        validate=Range(0, error=AT_LEAST),
        metadata={
            "description": "How many of `seats` are wheelchair places; a companion has a seat."
        },
    )
    consent = ConsentField()
    locale = fields.String(validate=OneOf(LOCALES, error=ONE_OF))

    @validates_schema
    def _check_places(self, entries: dict[str, Any], **_kwargs: object) -> None:
        check_wheelchair_places(entries)


class BookingKeySchema(RequestKeySchema):
    """A key that makes it safe to send a booking again when its response was lost.

    It names a booking for as long as that is held or confirmed.
    """


class ReceivedSchema(ResponseSchema):
    """The same whether or not the address already had a booking; its owner is told by e-mail."""

    status = fields.String(required=True, validate=OneOf(["check_your_inbox"]))
    hold_minutes = fields.Integer(
        required=True,
        metadata={"description": "Minutes within which the booking must be confirmed."},
    )
    held = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether the seats are held until then. If not, they go to whoever confirms first."
        },
    )


@blueprint.route("/<int:performance_id>/reservations", methods=["POST"])
@blueprint.arguments(BookingSchema)
@blueprint.arguments(BookingKeySchema, location="headers")
@blueprint.response(202, ReceivedSchema)
@blueprint.operation("bookSeats", 404, 409, body=True)
def book(
    booking: dict[str, Any], headers: dict[str, UUID], performance_id: int
) -> dict[str, Any] | AnyResponse:
    """Book seats. They are held until the visitor confirms by e-mail."""
    locale = booking.get("locale") or str(get_locale())
    visitor = rules.Visitor(booking["name"], booking["email"], locale, visitor_network())
    key = headers.get("request_key")
    wanted = Places.of_party(booking["seats"], booking["wheelchair_places"])
    if queue := line_before(performance_id, visitor, wanted, key):
        return _wait_in(queue)
    try:
        limit = gate().party_limit(performance_id, wanted.total)
        if limit < wanted.total:
            raise PartyTooLarge(limit)
        proven = count_booking(visitor.email_key)
        turn = gate().turn(performance_id, visitor.email_key)
        visitor = replace(visitor, proven=proven, consent=Consent.BOOKING, turn=turn)
        held = rules.reserve(
            performance_id,
            visitor,
            booking["seats"],
            key,
            wheelchair_places=booking["wheelchair_places"],
        ).shown_as_held
    except PerformanceUnknown:
        abort(404)
    except TurnOver as error:
        return _wait_in(error.queue)
    except TryLater as error:
        return _try_later(error)
    except (BookingClosed, SoldOut, PartyTooLarge) as error:
        return _refusal(error)
    return {"status": "check_your_inbox", "hold_minutes": hold_minutes(), "held": held}


def _wait_in(queue: str) -> Response:
    detail = gettext(
        "Many people want to book at the moment: this address has to wait in line first."
    )
    page = urljoin(site_url("shows.programme"), queue)
    answer = problem(429, "queue-first", "Wait in line first", detail, queue=page)
    answer.headers["Retry-After"] = str(_ASK_AGAIN)
    return answer


def _try_later(error: TryLater) -> Response:
    if isinstance(error, TooManyMails):
        answer = problem(429, "too-many-mails", "Too many confirmation e-mails", explain(error))
    elif isinstance(error, TooManyUnproven):
        detail = gettext("Very many bookings are coming in at this moment.")
        answer = problem(429, "too-many-bookings", "Too many bookings", detail)
    else:
        answer = problem(
            409, "too-many-unconfirmed", "Too many unconfirmed bookings", explain(error)
        )
    answer.headers["Retry-After"] = str(error.seconds_left(now()))
    return answer


def _refusal(error: BookingClosed | SoldOut | PartyTooLarge) -> Response:
    detail = explain(error)
    match error:
        case WheelchairPlacesTaken():
            return problem(
                409,
                "wheelchair-places-taken",
                "Wheelchair places taken",
                detail,
                seats_left=error.seats_left,
                wheelchair_left=error.wheelchair_left,
            )
        case SoldOut():
            return problem(409, "sold-out", "Sold out", detail, seats_left=error.seats_left)
        case PartyTooLarge():
            errors = [{"field": "seats", "detail": detail}]
            return problem(
                422, "party-too-large", "Party too large", detail, limit=error.limit, errors=errors
            )
        case BookingClosed():
            opens_at = error.opens_at if error.window is Window.NOT_YET_OPEN else None
            return problem(
                409,
                "booking-closed",
                "Booking closed",
                detail,
                window=error.window,
                opens_at=opens_at and opens_at.isoformat(),
            )

"""Problem details for the refusals of the booking rules, for programs."""

from dataclasses import dataclass
from typing import Any

from flask import Response, abort
from flask_babel import gettext

from azionelab.api.problems import problem
from azionelab.bookings.box_office.errors import Double, HoldTooLong, PerformanceOver, SameName
from azionelab.bookings.errors import (
    AddressTaken,
    BookingClosed,
    BookingError,
    HoldExpired,
    NotMovable,
    PartyInside,
    PartyOverLimit,
    PartyTooLarge,
    PerformanceStarted,
    PerformanceUnknown,
    ReservationChanged,
    ReservationEnded,
    ReservationUnknown,
    SeatsOfHouse,
    SoldOut,
    VisitorErased,
    WheelchairPlacesAboveSeats,
    WheelchairPlacesTaken,
)
from azionelab.bookings.pages.error_texts import explain
from azionelab.bookings.pages.office_error_texts import explain_to_staff


@dataclass(frozen=True)
class _Kind:
    """How a refusal is told. `field` is the entry that it is about; `facts` are attributes of the error."""

    status: int
    name: str
    title: str
    field: str = ""
    facts: tuple[str, ...] = ()


# The first class that an error is of counts.
_KINDS: dict[type[BookingError], _Kind] = {
    WheelchairPlacesTaken: _Kind(
        409,
        "wheelchair-places-taken",
        "Wheelchair places taken",
        "wheelchair_places",
        facts=("seats_left", "wheelchair_left"),
    ),
    WheelchairPlacesAboveSeats: _Kind(
        422, "invalid-fields", "Unprocessable Content", "wheelchair_places"
    ),
    SoldOut: _Kind(409, "sold-out", "Sold out", facts=("seats_left",)),
    PartyOverLimit: _Kind(
        422, "party-too-large", "Party too large", "limit_reason", facts=("limit",)
    ),
    PartyTooLarge: _Kind(422, "party-too-large", "Party too large", "seats", facts=("limit",)),
    HoldTooLong: _Kind(422, "invalid-fields", "Unprocessable Content", "held_until"),
    PerformanceUnknown: _Kind(422, "invalid-fields", "Unprocessable Content", "performance_id"),
    NotMovable: _Kind(422, "invalid-fields", "Unprocessable Content", "performance_id"),
    BookingClosed: _Kind(409, "performance-cancelled", "Performance cancelled"),
    PerformanceOver: _Kind(409, "performance-over", "Performance over"),
    PerformanceStarted: _Kind(409, "performance-started", "Performance started"),
    SameName: _Kind(
        409, "same-name", "Same name", "name", facts=("reservation_id", "reference", "seats")
    ),
    Double: _Kind(
        409,
        "already-booked",
        "Already booked",
        "email",
        facts=("reservation_id", "reference", "seats"),
    ),
    AddressTaken: _Kind(409, "already-booked", "Already booked", "email", facts=("reference",)),
    ReservationChanged: _Kind(409, "reservation-changed", "Reservation changed", "version"),
    ReservationEnded: _Kind(409, "reservation-ended", "Reservation ended"),
    HoldExpired: _Kind(409, "reservation-ended", "Reservation ended"),
    PartyInside: _Kind(409, "party-inside", "Party inside", facts=("admitted",)),
    VisitorErased: _Kind(409, "visitor-erased", "Visitor erased"),
    SeatsOfHouse: _Kind(409, "house-seats", "House seats"),
}


def refuse(refusal: BookingError) -> Response:
    """The problem of a refusal; 404 for an unknown reservation."""
    if isinstance(refusal, ReservationUnknown):
        abort(404)
    told = next((told for kind, told in _KINDS.items() if isinstance(refusal, kind)), None)
    if told is None:
        raise refusal
    detail = _explain(refusal)
    errors = [{"field": told.field, "detail": detail}] if told.field else None
    facts: dict[str, Any] = {name: getattr(refusal, name) for name in told.facts}
    return problem(told.status, told.name, told.title, detail, errors=errors, **facts)


def _explain(refusal: BookingError) -> str:
    match refusal:
        case ReservationChanged():
            return gettext(
                "Somebody else has changed the reservation since it was read. Read it again and send the change"
                " with its new version."
            )
        case SameName():
            return gettext(
                "Somebody of this name has booked already. If it is another person, send same_name as true."
            )
        case Double():
            return gettext("This address already has a booking for this performance.")
        case PerformanceUnknown():
            return gettext("There is no such performance.")
        case BookingClosed():
            return explain(refusal)
        case _:
            return explain_to_staff(refusal)

"""Texts of the box office: why a booking was refused, and at which field of the form."""

from flask_babel import gettext, ngettext

from azionelab.bookings.box_office.errors import HoldTooLong, HouseSeatsGone, PerformanceOver
from azionelab.bookings.errors import (
    BookingError,
    PartyInside,
    PartyOverLimit,
    PartyTooLarge,
    ReservationChanged,
    ReservationUnknown,
    SoldOut,
    WheelchairPlacesTaken,
)
from azionelab.bookings.pages.error_texts import explain
from azionelab.bookings.pages.office_error_texts import explain_to_staff


def describe_refusal(refusal: BookingError) -> tuple[str, str]:  # noqa: PLR0911 (one each)
    """The field that a refusal is about, and its text."""
    match refusal:
        case WheelchairPlacesTaken():
            return "wheelchair_places", explain(refusal)
        case SoldOut(seats_left=0):
            return "seats", gettext("No seats are free. House seats can still be given.")
        case SoldOut():
            return "seats", ngettext(
                "Only %(num)s seat is free.", "Only %(num)s seats are free.", refusal.seats_left
            )
        case PartyOverLimit():
            return "limit_reason", ngettext(
                "A party has at most %(num)s seat here. Say why this one is larger.",
                "A party has at most %(num)s seats here. Say why this one is larger.",
                refusal.limit,
            )
        case PartyTooLarge():
            return "seats", explain(refusal)
        case HoldTooLong():
            return "held_until", explain_to_staff(refusal)
        case HouseSeatsGone():
            return "from_house", ngettext(
                "Only %(num)s of these house seats is still kept back.",
                "Only %(num)s of these house seats are still kept back.",
                refusal.left,
            )
        case PerformanceOver():
            return "seats", explain_to_staff(refusal)
        case PartyInside():
            return "seats", gettext("Somebody of the party is in already.")
        case ReservationUnknown():
            return "seats", gettext("Reservation not found.")
        case ReservationChanged():
            return "seats", gettext("Somebody else has changed that booking meanwhile.")
        case _:
            return "seats", explain(refusal)

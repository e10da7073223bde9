"""Texts for staff for the errors of the booking rules, for the back office and the API for programs."""

from flask_babel import gettext, ngettext

from azionelab.bookings.box_office.errors import HoldTooLong, PerformanceOver
from azionelab.bookings.errors import (
    AddressTaken,
    BookingError,
    HoldExpired,
    NotFewerSeats,
    NotMergeable,
    NotMovable,
    NotSplittable,
    PartyInside,
    PartyOverLimit,
    PartyTooLarge,
    PerformanceStarted,
    PerformanceUnknown,
    ReservationChanged,
    ReservationEnded,
    SeatsOfHouse,
    SeatsReleased,
    SoldOut,
    UndoOver,
    VisitorErased,
    WheelchairPlacesAboveSeats,
    WheelchairPlacesTaken,
)
from azionelab.bookings.pages.error_texts import explain_wheelchair_places
from azionelab.web.dates import format_datetime


def explain_to_staff(refusal: BookingError) -> str:  # noqa: PLR0911, PLR0912 (one text for each refusal)
    """The text of a refusal."""
    match refusal:
        case HoldExpired():
            return gettext("It was not confirmed in time, and its seats have been released.")
        case ReservationEnded():
            return gettext("This reservation is no longer active.")
        case ReservationChanged():
            return gettext(
                "Somebody else has changed this reservation while you had the page open. Nothing was saved: look"
                " at it as it is now, and press again."
            )
        case PartyInside():
            return ngettext(
                "%(num)s of the party is already in.",
                "%(num)s of the party are already in.",
                refusal.admitted,
            )
        case WheelchairPlacesTaken():
            return explain_wheelchair_places(refusal)
        case SoldOut(seats_left=0):
            return gettext("There is no free seat.")
        case SoldOut():
            return ngettext(
                "Only %(num)s seat is free.", "Only %(num)s seats are free.", refusal.seats_left
            )
        case PartyOverLimit():
            return gettext(
                "More than %(limit)s seats need a reason: write it in the field for it.",
                limit=refusal.limit,
            )
        case PartyTooLarge():
            return gettext("A reservation can have at most %(limit)s seats.", limit=refusal.limit)
        case AddressTaken(reference=""):
            return gettext("This address already has a booking for this performance.")
        case AddressTaken():
            return gettext(
                "This address already has a booking for this performance: %(reference)s. You can merge the two.",
                reference=refusal.reference,
            )
        case WheelchairPlacesAboveSeats():
            return gettext("There cannot be more wheelchair places than seats.")
        case NotFewerSeats():
            return gettext("A party has one person at least. To give up all seats, cancel it.")
        case NotMovable() | PerformanceUnknown():
            return gettext(
                "The party cannot be moved there: choose a performance that is still to come."
            )
        case NotSplittable():
            return gettext("One person at least has to be in each of the two reservations.")
        case NotMergeable():
            return gettext(
                "Only two live reservations of one performance can be merged. A confirmed one is merged with one"
                " that is not confirmed from its own page."
            )
        case SeatsReleased():
            return gettext(
                "Seats of this party were released as no-shows. Restore them on the page of the performance first."
            )
        case SeatsOfHouse():
            return gettext(
                "These seats are kept back for the house: give them to somebody, or release them."
            )
        case UndoOver():
            return gettext(
                "It cannot be undone (any more): it was undone already, the time is over, or something has changed since."
            )
        case VisitorErased():
            return gettext("The name has been erased: nothing about the visitor can be kept.")
        case PerformanceStarted():
            return gettext("The curtain is up: the reservation can no longer be changed.")
        case HoldTooLong():
            return gettext(
                "Choose a moment to come, at the latest the curtain: %(at)s.",
                at=format_datetime(refusal.curtain),
            )
        case PerformanceOver():
            return gettext("The performance is over.")
        case _:
            return gettext("Reservation not found.")

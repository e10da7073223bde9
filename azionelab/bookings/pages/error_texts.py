"""Texts for the errors of the booking rules, for the pages and the API."""

from flask_babel import gettext, ngettext

from azionelab.bookings.errors import (
    AddressTaken,
    BookingClosed,
    BookingError,
    HoldExpired,
    LatenessClosed,
    NotConfirmed,
    NotFewerSeats,
    NotMovable,
    NotOffered,
    PartyInside,
    PartyTooLarge,
    PerformanceStarted,
    PerformanceUnknown,
    ReservationChanged,
    ReservationEnded,
    SeatsChanged,
    SeatsReleased,
    SoldOut,
    TooManyMails,
    TooManyUnconfirmed,
    TooManyUnproven,
    VisitorErased,
    WheelchairPlacesTaken,
)
from azionelab.bookings.hand_over.errors import (
    FriendHasBooking,
    HandOverEnded,
    HandOverOpen,
    HandOverTaken,
    OwnAddress,
)
from azionelab.shows.window import Window
from azionelab.web.dates import format_datetime, format_time


def explain_wheelchair_places(error: WheelchairPlacesTaken) -> str:
    """How many wheelchair places are left, for visitors and staff."""
    if not error.wheelchair_left:
        return gettext("All wheelchair places of this performance are taken.")
    return ngettext(
        "Only %(num)s wheelchair place is left.",
        "Only %(num)s wheelchair places are left.",
        error.wheelchair_left,
    )


def explain(error: BookingError) -> str:  # noqa: PLR0911, PLR0912 (a sentence for each)
    """The text of an error for the visitor."""
    match error:
        case BookingClosed(window=Window.NOT_YET_OPEN):
            return gettext("Booking opens on %(when)s.", when=format_datetime(error.opens_at))
        case BookingClosed(window=Window.CANCELLED):
            return gettext("This performance is cancelled.")
        case BookingClosed(window=Window.PAST):
            return gettext("This performance has begun already, or is over.")
        case BookingClosed():
            return gettext("Booking for this performance is closed.")
        case WheelchairPlacesTaken():
            return explain_wheelchair_places(error)
        case SoldOut(seats_left=0) if error.wheelchair_left:
            return gettext("All ordinary seats are taken: only wheelchair places are left.")
        case SoldOut(seats_left=0):
            return gettext("This performance is sold out.")
        case SoldOut():
            return ngettext(
                "Only %(num)s seat is left. Please choose fewer seats.",
                "Only %(num)s seats are left. Please choose fewer seats.",
                error.seats_left,
            )
        case TooManyUnconfirmed():
            return gettext(
                "Too many bookings from your network are waiting for confirmation, so we cannot hold more seats"
                " right now. Please confirm those from their e-mails first, or try again after %(at)s.",
                at=format_time(error.free_at),
            )
        case TooManyMails():
            return gettext(
                "We have already sent several e-mails to this address. Please check your inbox and spam folder"
                " first, or try again after %(at)s.",
                at=format_time(error.free_at),
            )
        case TooManyUnproven():
            return gettext(
                "Very many bookings are coming in at this moment. Your entries are still here: please submit again."
                " If your browser runs no scripts, try again after %(at)s.",
                at=format_time(error.free_at),
            )
        case PartyTooLarge():
            return gettext("A booking can have at most %(limit)s seats.", limit=error.limit)
        case HoldExpired():
            return gettext("The time to confirm has passed, and the seats have been released.")
        case NotOffered():
            return gettext("No seats have come free for you yet.")
        case ReservationEnded():
            return gettext("This booking is no longer active.")
        case PerformanceStarted():
            return gettext("The performance has started, so the booking can no longer be changed.")
        case LatenessClosed():
            return gettext(
                "You can tell us this on the day of the performance, until half an hour after it starts."
            )
        case PartyInside():
            return gettext("Some of your party have already been admitted.")
        case SeatsChanged():
            return ngettext(
                "This booking was changed in the meantime: it is now for %(num)s seat.",
                "This booking was changed in the meantime: it is now for %(num)s seats. Please look at it,"
                " and submit again if you need another number.",
                error.seats,
            )
        case NotFewerSeats():
            return gettext("Please choose another number of seats.")
        case NotConfirmed():
            return gettext("Please confirm the booking first. Then you can change it.")
        case ReservationChanged():
            return gettext(
                "This booking was changed in the meantime. Please look at it as it is now, and try again."
            )
        case SeatsReleased():
            return gettext(
                "Seats of this booking were released at the door, so it cannot be handed over."
            )
        case HandOverEnded() | VisitorErased():
            return gettext("This booking is no longer offered.")
        case HandOverTaken():
            return gettext("Your friend has accepted already: the booking is theirs now.")
        case HandOverOpen():
            return gettext(
                "You have offered this booking to somebody already. Take that back first."
            )
        case OwnAddress():
            return gettext("This is your own address. Please enter your friend's.")
        case FriendHasBooking():
            return gettext(
                "You have a booking for this evening already, and each address has one. To take these seats, cancel"
                " yours first, on the page that its e-mail leads to."
            )
        case AddressTaken():
            return gettext(
                "You already have a booking for that evening. Please choose another evening, or open that booking from"
                " its e-mail."
            )
        case NotMovable() | PerformanceUnknown():
            return gettext("This evening can no longer be chosen. Please choose another one.")
    raise error

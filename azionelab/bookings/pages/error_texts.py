"""What the booking rules refuse, in words, for the pages and the API."""

from flask_babel import gettext, ngettext

from azionelab.bookings.errors import (
    BookingClosed,
    BookingError,
    HoldExpired,
    LatenessClosed,
    NotFewerSeats,
    PartyInside,
    PartyTooLarge,
    PerformanceStarted,
    ReservationEnded,
    SeatsChanged,
    SoldOut,
    TooManyMails,
    TooManyUnconfirmed,
)
from azionelab.shows.window import Window
from azionelab.web.dates import format_datetime, format_time


def explain(error: BookingError) -> str:  # noqa: PLR0911, PLR0912 (a sentence for each)
    """What a rule refused, in the visitor's words."""
    match error:
        case BookingClosed(window=Window.NOT_YET_OPEN):
            return gettext("Booking opens on %(when)s.", when=format_datetime(error.opens_at))
        case BookingClosed(window=Window.CANCELLED):
            return gettext("This performance is cancelled.")
        case BookingClosed():
            return gettext("Booking for this performance is closed.")
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
                "Many seats booked from your network wait to be confirmed, and no more can be held for it"
                " now. Please confirm those from their e-mails first, or try again from %(at)s on.",
                at=format_time(error.free_at),
            )
        case TooManyMails():
            return gettext(
                "We have just written to this mailbox several times. Please look there first (in the spam"
                " folder, too), or try again from %(at)s on.",
                at=format_time(error.free_at),
            )
        case PartyTooLarge():
            return gettext("A party can have at most %(limit)s seats.", limit=error.limit)
        case HoldExpired():
            return gettext("The time to confirm is over, and the seats went back to others.")
        case ReservationEnded():
            return gettext("This booking has ended.")
        case PerformanceStarted():
            return gettext("The performance has begun: the booking can no longer be changed.")
        case LatenessClosed():
            return gettext("This can be told on the day, until half an hour after the beginning.")
        case PartyInside():
            return gettext("Part of your party is in already.")
        case SeatsChanged():
            return ngettext(
                "Meanwhile this booking was changed: it is for %(num)s seat now.",
                "Meanwhile this booking was changed: it is for %(num)s seats now. If you need fewer,"
                " please press once more.",
                error.seats,
            )
        case NotFewerSeats():
            return gettext("Please choose a smaller number of seats.")
    raise error

"""The errors of handing a booking over. Raising one rolls the use case back."""

from azionelab.bookings.errors import BookingError


class HandOverEnded(BookingError):
    """The offer was taken back, refused or has lapsed, or the booking cannot be handed over any more."""


class HandOverTaken(BookingError):
    """The friend has accepted already: the booking is theirs."""


class HandOverOpen(BookingError):
    """The booking is offered to somebody else already, who has not answered."""


class OwnAddress(BookingError):
    """The address is that of the booking."""


class FriendHasBooking(BookingError):
    """The friend has a live booking of the performance: an address has one."""

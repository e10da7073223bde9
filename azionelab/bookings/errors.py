"""The errors of the booking rules. Raising one rolls the use case back."""

from datetime import datetime
from math import ceil

from azionelab.shows.facts.seating import Places
from azionelab.shows.window import Window


class BookingError(Exception):
    """A rule refused the request. Nothing was changed."""


class PerformanceUnknown(BookingError):
    """No published performance has this number."""


class ReservationUnknown(BookingError):
    """No reservation has this identity."""


class BookingClosed(BookingError):
    """The performance cannot be booked now: not yet open, closed, past or cancelled."""

    def __init__(self, window: Window, opens_at: datetime) -> None:
        super().__init__(window.value)
        self.window = window
        self.opens_at = opens_at


class TurnOver(BookingError):
    """There is a line, and this mailbox has no turn: another booking has just used it up. `queue` is where to wait."""

    def __init__(self, queue: str) -> None:
        super().__init__(queue)
        self.queue = queue


class SoldOut(BookingError):
    """Fewer ordinary seats are left than were asked for; `seats_left` may be 0, while wheelchair places are left."""

    def __init__(self, seats_left: int, wheelchair_left: int = 0) -> None:
        super().__init__(f"{seats_left} seats left")
        self.seats_left = seats_left
        self.wheelchair_left = wheelchair_left


class WheelchairPlacesTaken(SoldOut):
    """Fewer wheelchair places are left than were asked for; `wheelchair_left` may be 0."""


def refuse_unless_free(wanted: Places, free: Places) -> None:
    """Raise SoldOut or WheelchairPlacesTaken unless the places `wanted` are `free`."""
    left = free.missing_none
    if wanted.wheelchair > left.wheelchair:
        raise WheelchairPlacesTaken(left.seats, left.wheelchair)
    if wanted.seats > left.seats:
        raise SoldOut(left.seats, left.wheelchair)


class TryLater(BookingError):
    """A limit is reached; it allows more from `free_at`."""

    def __init__(self, free_at: datetime) -> None:
        super().__init__(f"until {free_at.isoformat()}")
        self.free_at = free_at

    def seconds_left(self, at: datetime) -> int:
        """Seconds until `free_at`; one at least."""
        return max(1, ceil((self.free_at - at).total_seconds()))


class TooManyUnconfirmed(TryLater):
    """The visitor's network holds `held` unconfirmed seats; some must be confirmed or expire first."""

    def __init__(self, held: int, free_at: datetime) -> None:
        super().__init__(free_at)
        self.held = held


class TooManyMails(TryLater):
    """The mailbox was asked to confirm bookings too often (MAILBOX_RATE_LIMIT)."""


class TooManyUnproven(TryLater):
    """Too many bookings come in, and this one has no proof of work (UNPROVEN_BOOKING_LIMIT)."""


class PartyTooLarge(BookingError):
    """A party of this performance has 1 to `limit` people."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a party has at most {limit} seats")
        self.limit = limit


class HoldExpired(BookingError):
    """The reservation was not confirmed in time."""


class NotOffered(BookingError):
    """The reservation is on the waitlist: no seats have been offered to it yet."""


class ReservationEnded(BookingError):
    """The reservation is cancelled or expired, and cannot be changed."""


class PerformanceStarted(BookingError):
    """The performance has begun: the booking cannot be changed any more."""


class PartyInside(BookingError):
    """`admitted` people of the party are in already."""

    def __init__(self, admitted: int) -> None:
        super().__init__(f"{admitted} people are in")
        self.admitted = admitted


class NotFewerSeats(BookingError):
    """A party can only be reduced, to one person at least."""


class WheelchairPlacesAboveSeats(BookingError):
    """More wheelchair places than the party has seats: each is one of them."""


class SeatsChanged(BookingError):
    """The party has `seats` people now, another number than the form showed."""

    def __init__(self, seats: int) -> None:
        super().__init__(f"{seats} seats now")
        self.seats = seats


class NamesErased(BookingError):
    """The performance cannot be moved: its visitors' names were erased after RETENTION_DAYS."""


class NotConfirmed(BookingError):
    """The visitor has not confirmed the booking yet: it takes no other seats than it holds."""


class SeatsOfHouse(BookingError):
    """These seats are kept back for the house: they are given to somebody or released, not confirmed."""


class VisitorErased(BookingError):
    """The visitor's data was erased, or there never was a visitor (walk-ins)."""


class NoteChanged(BookingError):
    """Somebody else changed the booking's `note` since the form showed it."""

    def __init__(self, note: str) -> None:
        super().__init__("the note was changed")
        self.note = note


class LatenessClosed(BookingError):
    """It is too early or too late to announce a late arrival."""


class ReleaseTooEarly(BookingError):
    """Seats of no-shows can be released from `opens_at`; until then people may still come."""

    def __init__(self, opens_at: datetime) -> None:
        super().__init__(f"from {opens_at.isoformat()} on")
        self.opens_at = opens_at


class CapacityBelowHeld(BookingError):
    """The capacity asked for is below the `held` seats, and the wheelchair places that are kept beside them."""

    def __init__(self, held: int) -> None:
        super().__init__(f"{held} seats are held")
        self.held = held


class WheelchairPlacesBelowHeld(BookingError):
    """The wheelchair places asked for are fewer than the `held` ones."""

    def __init__(self, held: int) -> None:
        super().__init__(f"{held} wheelchair places are held")
        self.held = held


class ReservationChanged(BookingError):
    """Somebody else changed the reservation since the page showed it."""


class AddressTaken(BookingError):
    """The address has another live booking of the performance: its `reference`, "" when a visitor was faster."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"the address has booking {reference}")
        self.reference = reference


class PartyOverLimit(PartyTooLarge):
    """The party is larger than the performance's `limit`, and no reason was given."""


class NotMovable(BookingError):
    """The reservation cannot be moved there: the same performance, one that is over, or a cancelled one."""


class SeatsReleased(BookingError):
    """Seats of the party were released as no-shows: they have to be restored first."""


class NotSplittable(BookingError):
    """Each of both parties needs one person at least."""


class NotMergeable(BookingError):
    """Only two live reservations of one performance can be merged: confirmed ones into a confirmed one."""


class UndoOver(BookingError):
    """The change can no longer be undone: too late, undone already, or the world went on."""

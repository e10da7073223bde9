"""Rules for a performance's start and its booking window, without a database."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

LAST_HOURS = timedelta(hours=3)  # before the curtain, in which seats go to who is near
MAX_AHEAD_YEARS = 5  # seasons are planned a year ahead; a later date is a typing error


class CurtainPast(Exception):
    """A new start is in the past."""


class CurtainTooFar(Exception):
    """A start is more than MAX_AHEAD_YEARS away."""


def check_curtain(starts_at: datetime, at: datetime) -> None:
    """Check a coming performance's start; raises CurtainPast, CurtainTooFar."""
    if starts_at <= at:
        raise CurtainPast
    if starts_at > at + timedelta(days=366 * MAX_AHEAD_YEARS):
        raise CurtainTooFar


class ClosesAfterCurtain(Exception):
    """Booking would close after the curtain."""


class NoTimeToBook(Exception):
    """Booking would close before it opens."""


def check_window(opens_at: datetime, closes_at: datetime, starts_at: datetime) -> None:
    """Check a booking window; raises ClosesAfterCurtain, NoTimeToBook."""
    if closes_at > starts_at:
        raise ClosesAfterCurtain
    if opens_at >= closes_at:
        raise NoTimeToBook


class Bookable(Protocol):
    """The fields of a performance that decide whether it can be booked."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def booking_opens_at(self) -> datetime: ...
    @property
    def booking_closes_at(self) -> datetime: ...
    @property
    def cancelled_at(self) -> datetime | None: ...


def move_booking_window(
    was: Bookable, starts_at: datetime, at: datetime
) -> tuple[datetime, datetime]:
    """The booking window after the start moves to `starts_at`: both its ends move by the same time.

    Booking that is open already stays open. It closes at the curtain at the latest, even if it was set later.
    """
    moved_by = starts_at - was.starts_at
    opens_at, closes_at = was.booking_opens_at, was.booking_closes_at
    return (opens_at + moved_by if opens_at > at else opens_at), min(
        closes_at + moved_by, starts_at
    )


class Window(StrEnum):
    """The booking window's state."""

    OPEN = "open"
    NOT_YET_OPEN = "not_yet_open"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    PAST = "past"


def booking_window(performance: Bookable, at: datetime) -> Window:
    """The window's state at `at`; from the curtain on the performance is past."""
    if performance.cancelled_at is not None:
        return Window.CANCELLED
    if at >= performance.starts_at:
        return Window.PAST
    if at < performance.booking_opens_at:
        return Window.NOT_YET_OPEN
    if at >= performance.booking_closes_at:
        return Window.CLOSED
    return Window.OPEN


def is_last_minute(performance: Bookable, at: datetime) -> bool:
    """Whether booking is closed and the curtain is near: whoever is near the theatre can still wait for seats."""
    is_closed = booking_window(performance, at) is Window.CLOSED
    return is_closed and performance.starts_at - at <= LAST_HOURS

"""When a performance can take place and be booked: decided from facts alone."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

MAX_AHEAD_YEARS = 5  # a season is planned a year ahead; what is further away was mistyped


class CurtainPast(Exception):
    """A performance that is to come cannot have begun already."""


class CurtainTooFar(Exception):
    """A performance cannot be more than MAX_AHEAD_YEARS away."""


def check_curtain(starts_at: datetime, at: datetime) -> None:
    """Refuse a time for a performance that is to come: CurtainPast, CurtainTooFar."""
    if starts_at <= at:
        raise CurtainPast
    if starts_at > at + timedelta(days=366 * MAX_AHEAD_YEARS):
        raise CurtainTooFar


class Bookable(Protocol):
    """The facts of a performance that decide whether it can be booked."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def booking_opens_at(self) -> datetime: ...
    @property
    def booking_closes_at(self) -> datetime: ...
    @property
    def cancelled_at(self) -> datetime | None: ...


class Window(StrEnum):
    """The booking window's state."""

    OPEN = "open"
    NOT_YET_OPEN = "not_yet_open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


def booking_window(performance: Bookable, at: datetime) -> Window:
    """The window's state at the moment `at`; it closes at the curtain at the latest."""
    if performance.cancelled_at is not None:
        return Window.CANCELLED
    if at < performance.booking_opens_at:
        return Window.NOT_YET_OPEN
    if at >= min(performance.booking_closes_at, performance.starts_at):
        return Window.CLOSED
    return Window.OPEN

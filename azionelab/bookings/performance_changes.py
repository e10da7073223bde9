"""A performance that is moved, changed or cancelled, and the parties that are written to."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime

from azionelab.bookings import transitions
from azionelab.bookings.erasure import retention
from azionelab.bookings.errors import CapacityBelowHeld, NamesErased
from azionelab.bookings.locks import lock_live_parties, lock_performance
from azionelab.bookings.seats.holds import expire_holds
from azionelab.database import now, transaction
from azionelab.database.row_versions import require_version, write_as
from azionelab.shows.models import Performance
from azionelab.shows.window import check_curtain, check_window, move_booking_window


def change_performance(performance_id: int, change: Callable[[Performance], object]) -> int:
    """Let `change` write what a performance is, its seats included: all of it, or nothing.

    Live parties of an evening to come are written to when its time or its place changed; returns how
    many are. One yet to come is not moved into the past, as if it had been played, and one whose
    visitors' names were erased is not moved at all (docs/decisions/0001). The times of booking move with
    the curtain unless `change` writes them too.

    Raises PerformanceUnknown, CurtainPast, CurtainTooFar, NamesErased, ClosesAfterCurtain, NoTimeToBook,
    and CapacityBelowHeld with the figure.
    """
    with transaction() as session:
        performance = lock_performance(session, performance_id)
        at = now()
        expire_holds(session, performance, at)
        before = _Evening.of(performance)
        change(performance)
        moved = (before.starts_at, before.venue_id) != (
            performance.starts_at,
            performance.venue_id,
        )
        _check_move(before.starts_at, performance.starts_at, at)
        _let_booking_follow(performance, before, at)
        if performance.capacity < performance.seats_held:
            raise CapacityBelowHeld(performance.seats_held)
        if not moved:
            return 0
        live = lock_live_parties(session, performance_id)
        for reservation in live:
            # They told it of another hour.
            reservation.late_at = None
        if performance.starts_at <= at or performance.cancelled_at is not None:
            return 0
        how = transitions.Change.PERFORMANCE_MOVED
        return sum(transitions.reservation_changed(session, party, how) for party in live)


def cancel_performance(
    performance_id: int, *, seen_version: int | None = None, by: int | None = None
) -> int | None:
    """Call an evening off: every live reservation ends and its visitor is written to.

    Parties of whom somebody is in are written to as well, but stay confirmed in the books, which
    say who was there. Returns how many parties are written to; when the performance was cancelled
    already, None. Raises PerformanceUnknown, and EditConflict when it is not any more as it was in the
    `seen_version`. `by` is the account of whoever does it.
    """
    with transaction() as session:
        performance = lock_performance(session, performance_id)
        if performance.cancelled_at is not None:
            return None
        if seen_version is not None:
            require_version(session, performance, seen_version)
        write_as(session, by)
        expire_holds(session, performance, now())
        performance.cancelled_at = now()
        live = lock_live_parties(session, performance_id)
        return transitions.cancel_with_performance(session, performance, live)


def _check_move(starts_at: datetime, moved_to: datetime, at: datetime) -> None:
    if starts_at < at - retention() and moved_to != starts_at:
        raise NamesErased
    if starts_at > at or moved_to > at:
        check_curtain(moved_to, at)


@dataclass(frozen=True)
class _Evening:
    """When and where a performance is, and when it can be booked, before it is changed."""

    starts_at: datetime
    venue_id: int
    booking_opens_at: datetime
    booking_closes_at: datetime
    cancelled_at: datetime | None

    @classmethod
    def of(cls, performance: Performance) -> "_Evening":
        return cls(**{each.name: getattr(performance, each.name) for each in fields(cls)})


def _let_booking_follow(performance: Performance, before: _Evening, at: datetime) -> None:
    if before == _Evening.of(performance):
        return
    opens_at, closes_at = move_booking_window(before, performance.starts_at, at)
    if performance.released_at is not None:
        # Released places are for whoever waits at the door: booking stays closed, as it was with them.
        closes_at = min(before.booking_closes_at, performance.starts_at)
    if performance.booking_opens_at == before.booking_opens_at:
        performance.booking_opens_at = opens_at
    if performance.booking_closes_at == before.booking_closes_at:
        performance.booking_closes_at = closes_at
    check_window(performance.booking_opens_at, performance.booking_closes_at, performance.starts_at)

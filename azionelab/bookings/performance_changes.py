"""Moves, changes and cancels a performance, and enqueues the mails to its parties."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy.orm import Session

from azionelab.bookings.erasure import retention
from azionelab.bookings.errors import CapacityBelowHeld, NamesErased, WheelchairPlacesBelowHeld
from azionelab.bookings.locks import lock_live_parties, lock_performance, lock_waiting_parties
from azionelab.bookings.seats.holds import expire_holds
from azionelab.bookings.transitions import box_office, consequences, parties, waitlist
from azionelab.database import now, transaction
from azionelab.database.row_versions import record_author, require_version
from azionelab.shows.models import Performance
from azionelab.shows.window import check_curtain, check_window, move_booking_window


def change_performance(
    performance_id: int, change: Callable[[Performance], object], *, notify: bool = True
) -> int:
    """Apply `change` to a performance, capacity included; how many mails to its parties go out.

    The live parties of a performance to come get a mail when its time or its venue changes, if `notify`. A performance to
    come is not moved into the past, and one whose visitors' names were erased is not moved at all
    (docs/decisions/0001). The booking window moves with the curtain unless `change` writes it too.

    Raises PerformanceUnknown, CurtainPast, CurtainTooFar, NamesErased, ClosesAfterCurtain, NoTimeToBook,
    CapacityBelowHeld and WheelchairPlacesBelowHeld with the figure.
    """
    with transaction() as session:
        performance = lock_performance(session, performance_id)
        at = now()
        expire_holds(session, performance, at)
        return change_locked(session, performance, change, at, notify=notify)


def change_locked(
    session: Session,
    performance: Performance,
    change: Callable[[Performance], object],
    at: datetime,
    *,
    notify: bool,
) -> int:
    """`change_performance` of a locked performance without lapsed holds, as part of the caller's transaction."""
    before = _Schedule.of(performance)
    change(performance)
    moved = (before.starts_at, before.venue_id) != (performance.starts_at, performance.venue_id)
    _check_move(before.starts_at, performance.starts_at, at)
    _keep_announced_start(performance, before.starts_at)
    _let_booking_follow(performance, before, at)
    if performance.wheelchair_places < performance.wheelchair_held:
        raise WheelchairPlacesBelowHeld(performance.wheelchair_held)
    if performance.free.seats < 0:
        raise CapacityBelowHeld(performance.capacity - performance.free.seats)
    consequences.seats_may_be_free(performance)
    closes_at = performance.booking_closes_at
    if not moved and closes_at >= before.booking_closes_at:
        return 0
    live = lock_live_parties(session, performance.id)
    waitlist.follow_closing(live, closes_at)
    if not moved:
        return 0
    for reservation in live:
        # It was announced for the old time.
        reservation.late_at = None
    box_office.follow_curtain(live, before.starts_at, performance.starts_at)
    if performance.starts_at <= at or performance.cancelled_at is not None:
        return 0
    how = consequences.Change.PERFORMANCE_MOVED
    mails = sum(
        consequences.reservation_changed(session, party, how, with_mail=notify) for party in live
    )
    waiting = lock_waiting_parties(session, performance.id)
    return mails + waitlist.tell_moved(session, waiting, notify=notify)


def cancel_performance(
    performance_id: int,
    *,
    seen_version: int | None = None,
    by: int | None = None,
    notify: bool = True,
) -> int | None:
    """Cancel a performance and its live reservations; how many mails go out, None if it was cancelled already.

    A party of which somebody is in gets a mail, too, but stays confirmed, since it was there. `by` is the
    account that cancels. Without `notify` nobody is written to. Raises PerformanceUnknown, and EditConflict when the performance has changed since
    `seen_version`.
    """
    with transaction() as session:
        performance = lock_performance(session, performance_id)
        if performance.cancelled_at is not None:
            return None
        if seen_version is not None:
            require_version(session, performance, seen_version)
        record_author(session, by)
        at = now()
        expire_holds(session, performance, at)
        return cancel_locked(session, performance, at, notify=notify)


def cancel_locked(session: Session, performance: Performance, at: datetime, *, notify: bool) -> int:
    """`cancel_performance` of a locked performance without lapsed holds, as part of the caller's transaction."""
    performance.cancelled_at = at
    live = lock_live_parties(session, performance.id)
    mails = parties.cancel_with_performance(session, performance, live, notify=notify)
    waiting = lock_waiting_parties(session, performance.id)
    return mails + waitlist.cancel_with_performance(session, waiting, notify=notify)


def _check_move(starts_at: datetime, moved_to: datetime, at: datetime) -> None:
    if starts_at < at - retention() and moved_to != starts_at:
        raise NamesErased
    if starts_at > at or moved_to > at:
        check_curtain(moved_to, at)


def _keep_announced_start(performance: Performance, was: datetime) -> None:
    """Remember the first start that visitors could see; nobody saw that of a draft."""
    if performance.starts_at == was or not performance.show.published:
        return
    first = performance.moved_from or was
    performance.moved_from = None if performance.starts_at == first else first


@dataclass(frozen=True)
class _Schedule:
    """Time, venue and booking window of a performance before the change."""

    starts_at: datetime
    venue_id: int
    booking_opens_at: datetime
    booking_closes_at: datetime
    cancelled_at: datetime | None

    @classmethod
    def of(cls, performance: Performance) -> "_Schedule":
        return cls(**{each.name: getattr(performance, each.name) for each in fields(cls)})


def _let_booking_follow(performance: Performance, before: _Schedule, at: datetime) -> None:
    if before == _Schedule.of(performance):
        return
    opens_at, closes_at = move_booking_window(before, performance.starts_at, at)
    if performance.released_at is not None:
        # Seats of no-shows are for people who wait at the door: booking stays closed.
        closes_at = min(before.booking_closes_at, performance.starts_at)
    if performance.booking_opens_at == before.booking_opens_at:
        performance.booking_opens_at = opens_at
    if performance.booking_closes_at == before.booking_closes_at:
        performance.booking_closes_at = closes_at
    check_window(performance.booking_opens_at, performance.booking_closes_at, performance.starts_at)

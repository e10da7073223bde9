"""Offers seats that come free to those who wait, in their order.

`pass_on` runs at the end of every transaction that frees seats, under the performance's lock. So after each commit,
while booking is open, the seats that are free fit nobody in line (docs/decisions/0011-waitlist.md). From then on until
the curtain they fit nobody in line who said that they are near (docs/decisions/0013-near-the-door.md).
"""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, Select, bindparam, exists, select
from sqlalchemy.orm import Session

from azionelab.bookings.locks import lock_performance, lock_reservation
from azionelab.bookings.models import Reservation, unconfirmed
from azionelab.bookings.seats.holds import expire_holds
from azionelab.bookings.transitions import waitlist
from azionelab.bookings.transitions.consequences import when_seats_come_free
from azionelab.database import now, transaction
from azionelab.mail.models import Mail, MailKind
from azionelab.settings.config import Config
from azionelab.settings.night import theatres_night
from azionelab.shows.models import Performance
from azionelab.shows.window import Window, booking_window
from azionelab.waitlist.deadlines import near_offer_until, offer_times
from azionelab.waitlist.line import IN_LINE, NEAR, NEAR_ORDER, ORDER, WAITS, minutes_left

_HERE = Reservation.performance_id == bindparam("performance")
_ANYBODY = select(Reservation.id).where(_HERE, WAITS).limit(1)


def _first_that_fits(who: ColumnElement[bool], order: tuple[Any, ...]) -> Select[Any]:
    return (
        select(Reservation)
        .where(
            _HERE,
            who,
            Reservation.seats - Reservation.wheelchair_places <= bindparam("seats"),
            Reservation.wheelchair_places <= bindparam("wheelchair"),
        )
        .order_by(*order)
        .limit(1)
        .with_for_update(key_share=True, of=Reservation)
        .execution_options(populate_existing=True)
    )


_FIRST_IN_LINE = _first_that_fits(IN_LINE, ORDER)
_FIRST_NEAR = _first_that_fits(NEAR, NEAR_ORDER)
_IS_TOLD = exists().where(Mail.reservation_id == Reservation.id, Mail.kind == MailKind.OFFER)


def follow_freed_seats() -> None:
    """Let every transaction that frees seats offer them; called once, when the application starts."""
    when_seats_come_free(pass_on)


def pass_on(session: Session, performance_id: int) -> None:
    """Offer the free seats of a performance in order, each to the first party that fits, as part of the transaction.

    Once booking is closed, as by the release of no-shows, only those who are near are offered them. Nothing is offered of
    a performance that has begun, is cancelled, not published or not open yet.
    """
    session.flush()
    if session.scalar(_ANYBODY, {"performance": performance_id}) is None:
        return
    performance = lock_performance(session, performance_id)
    at = now()
    if not performance.show.published:
        return
    match booking_window(performance, at):
        case Window.OPEN:
            times = offer_times(at, performance.booking_closes_at, theatres_night(), _longest())
            is_told = times.told_at <= at
            for first in _each_that_fits(session, performance, at, _FIRST_IN_LINE):
                waitlist.offer(session, first, times.told_at, times.until, now_told=is_told)
        case Window.CLOSED if until := near_offer_until(at, performance.starts_at):
            for first in _each_that_fits(session, performance, at, _FIRST_NEAR):
                waitlist.offer(session, first, at, until, now_told=True, near=True)


def _each_that_fits(
    session: Session, performance: Performance, at: datetime, first_that_fits: Select[Any]
) -> Iterator[Reservation]:
    """Those whom the free seats fit, one after the other; the caller offers each its seats."""
    expire_holds(session, performance, at)
    free = performance.free
    here = {
        "performance": performance.id,
        "at": at,
        "minutes_left": minutes_left(performance.starts_at, at),
    }
    while free.missing_none.total:
        first = session.scalar(first_that_fits, here | asdict(free))
        if first is None:
            return
        free -= first.places
        yield first


def settle() -> None:
    """What the clock brings: offers that wait for the morning, entries that nobody confirmed, seats left free.

    Seats that a rule freed are offered already. Left are those that came free without one: by psql, by the release
    before, or because booking opened.
    """
    with transaction() as session:
        at = now()
        unproven = Reservation.waiting_since.is_(None) & (Reservation.hold_expires_at <= at)
        waitlist.expire(session, unproven, at)
    with transaction() as session:
        untold = _untold(session)
        performances = list(
            session.scalars(select(Reservation.performance_id).where(WAITS).distinct())
        )
    for reservation_id in untold:
        _tell(reservation_id)
    for performance_id in sorted(performances):
        with transaction() as session:
            lock_performance(session, performance_id)
            pass_on(session, performance_id)


def _untold(session: Session) -> list[UUID]:
    at = now()
    due = select(Reservation.id).where(unconfirmed(at), Reservation.offered_at <= at, ~_IS_TOLD)
    return list(session.scalars(due.order_by(Reservation.id)))


def _tell(reservation_id: UUID) -> None:
    """Write the mail of an offer, unless it was answered or told meanwhile."""
    with transaction() as session:
        reservation = lock_reservation(session, reservation_id)
        if reservation.is_pending and reservation_id in _untold(session):
            waitlist.tell(session, reservation)


def _longest() -> timedelta:
    settings: Config = current_app.config["AZIONELAB"]
    return timedelta(hours=settings.waitlist_offer_hours)

"""Offers seats that come free to those who wait, in their order.

`pass_on` runs at the end of every transaction that frees seats, under the performance's lock. So after each commit,
while booking is open, the seats that are free fit nobody in line (docs/decisions/0011-waitlist.md).
"""

from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

from flask import current_app
from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from azionelab.bookings.locks import lock_performance, lock_reservation
from azionelab.bookings.models import Reservation, unconfirmed
from azionelab.bookings.seats.holds import expire_holds
from azionelab.bookings.transitions import waitlist
from azionelab.bookings.transitions.consequences import when_seats_come_free
from azionelab.database import now, transaction
from azionelab.mail.models import Mail, MailKind
from azionelab.settings.config import Config
from azionelab.shows.window import Window, booking_window
from azionelab.waitlist.deadlines import Night, offer_times
from azionelab.waitlist.line import IN_LINE, ORDER

_HERE = Reservation.performance_id == bindparam("performance")
_ANYBODY = select(Reservation.id).where(_HERE, IN_LINE).limit(1)
_FIRST_THAT_FITS = (
    select(Reservation)
    .where(
        _HERE,
        IN_LINE,
        Reservation.seats - Reservation.wheelchair_places <= bindparam("seats"),
        Reservation.wheelchair_places <= bindparam("wheelchair"),
    )
    .order_by(*ORDER)
    .limit(1)
    .with_for_update(key_share=True, of=Reservation)
    .execution_options(populate_existing=True)
)
_IS_TOLD = exists().where(Mail.reservation_id == Reservation.id, Mail.kind == MailKind.OFFER)


def follow_freed_seats() -> None:
    """Let every transaction that frees seats offer them; called once, when the application starts."""
    when_seats_come_free(pass_on)


def pass_on(session: Session, performance_id: int) -> None:
    """Offer the free seats of a performance in order, each to the first party that fits, as part of the transaction.

    Nothing is offered of a performance that cannot be booked: begun, cancelled, closed, not published.
    """
    session.flush()
    if session.scalar(_ANYBODY, {"performance": performance_id}) is None:
        return
    performance = lock_performance(session, performance_id)
    at = now()
    if not performance.show.published or booking_window(performance, at) is not Window.OPEN:
        return
    expire_holds(session, performance, at)
    free = performance.free
    times = offer_times(at, performance.booking_closes_at, _night(), _longest())
    while free.missing_none.total:
        first = session.scalar(_FIRST_THAT_FITS, {"performance": performance_id, **asdict(free)})
        if first is None:
            return
        free -= first.places
        waitlist.offer(session, first, times.told_at, times.until, now_told=times.told_at <= at)


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
            session.scalars(select(Reservation.performance_id).where(IN_LINE).distinct())
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


def _night() -> Night:
    settings: Config = current_app.config["AZIONELAB"]
    return Night(settings.night_begins, settings.night_ends, settings.time_zone)


def _longest() -> timedelta:
    settings: Config = current_app.config["AZIONELAB"]
    return timedelta(hours=settings.waitlist_offer_hours)

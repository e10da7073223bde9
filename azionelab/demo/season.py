"""Writes the demonstration season: venues, shows, evenings, bookings, admissions and mails.

Bookings, admissions and walk-ins are made by the rules, so that every count and guard of the database holds. The
rules date what they write with the present moment; dates.py moves it to the past.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select

from azionelab.bookings.door_notes import set_lateness, write_note
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_performance, lock_reservation
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.bookings.seats.holds import expire_holds_of, hold_until
from azionelab.bookings.tickets.references import new_reference
from azionelab.bookings.transitions import parties as transitions
from azionelab.database import db, now, transaction
from azionelab.demo import dates, door
from azionelab.demo.facts import DIRECTIONS, POINT, facts_of
from azionelab.demo.parties import PARTY_LIMIT, Audience, Booking, Fate
from azionelab.demo.programme import (
    CLOSES_BEFORE,
    MAIN,
    OPENS_BEFORE,
    STUDIO,
    Evening,
    evenings,
    shows,
)
from azionelab.shows.models import Performance, Show, Venue
from azionelab.validation.email_addresses import mailbox_key

_SEED = 1789
_HELD_FOR = timedelta(days=2)  # the bookings that wait, so that they still do when somebody looks
_LATE_PARTIES = 2  # of this evening
_LEAVE_SEATS = (Fate.CANCELLED, Fate.EXPIRED, Fate.REDUCED)


class DatabaseInUse(Exception):
    """The database has reservations: a demonstration would be mixed with real people."""


@dataclass(frozen=True)
class Written:
    """What was written."""

    performances: int
    reservations: Counter[str]  # by state

    def __str__(self) -> str:
        states = ", ".join(
            f"{number} {state}" for state, number in sorted(self.reservations.items())
        )
        return (
            f"{self.performances} performances, {self.reservations.total()} reservations ({states})"
        )


def write_demo_season(*, into_used: bool = False) -> Written:
    """Write the demonstration season around today.

    Raises DatabaseInUse when the database has reservations, unless `into_used`.
    """
    if not into_used and db.session.scalar(select(select(Reservation.id).exists())):
        raise DatabaseInUse
    at, random = now(), Random(_SEED)  # noqa: S311  # no secret
    programme = evenings(at.astimezone(_zone()).date(), _zone())
    ids = _write_programme(programme)
    audience = Audience(random)
    by_id = dict(zip(ids, programme, strict=True))
    for performance_id, evening in by_id.items():
        bookings = audience.bookings(evening, _booked_until(evening, at))
        _book(performance_id, bookings)
        closes_at = evening.starts_at - CLOSES_BEFORE
        if at < closes_at < at + timedelta(days=9) and not evening.cancelled:
            taken = {booking.person.email for booking in bookings}
            _book(performance_id, audience.fresh_bookings(at, taken, _free(performance_id)))
    cancelled = {i: _booked_until(each, at) for i, each in by_id.items() if each.cancelled}
    for performance_id in cancelled:
        cancel_performance(performance_id)
    dates.date_cancellations(cancelled)
    played = {i: each for i, each in by_id.items() if each.starts_at <= at and not each.cancelled}
    door.play(played, random)
    _announce_late([i for i, each in by_id.items() if each.starts_at > at])
    dates.date_mails(at)
    return Written(len(ids), _count_states(ids))


def _zone() -> ZoneInfo:
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    return zone


def _write_programme(programme: list[Evening]) -> list[int]:
    """Write venues, shows and performances; the performances' ids in the programme's order."""
    with transaction() as session:
        venues = {
            each.name: session.scalar(select(Venue).where(Venue.name == each.name))
            or Venue(
                name=each.name,
                address=each.address,
                default_capacity=each.capacity,
                directions=DIRECTIONS,
                latitude=POINT[0],
                longitude=POINT[1],
            )
            for each in (MAIN, STUDIO)
        }
        written = {
            each.slug: Show(
                slug=each.slug,
                title=each.title,
                summary=each.summary,
                duration_minutes=each.minutes,
                published=each.published,
                **facts_of(each.slug),
            )
            for each in shows()
        }
        performances = [
            Performance(
                show=written[each.show.slug],
                venue=venues[each.venue.name],
                starts_at=each.starts_at,
                booking_opens_at=each.starts_at - OPENS_BEFORE,
                booking_closes_at=each.starts_at - CLOSES_BEFORE,
                capacity=each.venue.capacity,
                wheelchair_places=each.venue.wheelchair_places,
                party_limit=PARTY_LIMIT,
            )
            for each in programme
        ]
        session.add_all([*written.values(), *performances])
        session.flush()
        return [performance.id for performance in performances]


def _book(performance_id: int, bookings: list[Booking]) -> None:
    """Reserve, then confirm, reduce, cancel or expire: those that leave seats come first."""
    decided: dict[UUID, datetime] = {}
    leaving = [each for each in bookings if each.fate in _LEAVE_SEATS]
    staying = [each for each in bookings if each.fate not in _LEAVE_SEATS]
    for booking in (*leaving, *staying):
        reservation_id = _reserve(performance_id, booking)
        decided[reservation_id] = booking.decided_at
        _decide(performance_id, reservation_id, booking)
    dates.date_endings(decided)


def _reserve(performance_id: int, booking: Booking) -> UUID:
    is_open = booking.fate in (Fate.PENDING, Fate.WAITING)
    values = {
        "id": uuid4(),
        "reference": new_reference(),
        "performance_id": performance_id,
        "name": booking.person.name,
        "email": booking.person.email,
        "email_key": mailbox_key(booking.person.email),
        "locale": booking.person.locale,
        "seats": booking.seats,
        "wheelchair_places": booking.wheelchair_places,
        "state": State.PENDING,
        "holds_seats": booking.fate is not Fate.WAITING,
        "request_key": uuid4(),
        "created_at": booking.booked_at,
        "hold_expires_at": now() + _HELD_FOR if is_open else hold_until(booking.booked_at),
    }
    with transaction() as session:
        return transitions.add(session, values).id


def _decide(performance_id: int, reservation_id: UUID, booking: Booking) -> None:
    if booking.fate is Fate.EXPIRED:
        expire_holds_of(performance_id)
    if booking.fate in (Fate.PENDING, Fate.WAITING, Fate.EXPIRED):
        return
    with transaction() as session:
        lock_performance(session, performance_id)
        reservation = lock_reservation(session, reservation_id)
        transitions.confirm(session, reservation, booking.decided_at)
    if booking.fate in (Fate.CANCELLED, Fate.REDUCED):
        with transaction() as session:
            lock_performance(session, performance_id)
            reservation = lock_reservation(session, reservation_id)
            if booking.fate is Fate.CANCELLED:
                transitions.cancel(session, reservation, By.VISITOR)
            else:
                kept = reservation.places.of_fewer(booking.seats_kept)
                transitions.reduce(session, reservation, kept, By.VISITOR)
    if booking.note and booking.fate is Fate.CONFIRMED:
        write_note(reservation_id, booking.note, "")


def _free(performance_id: int) -> int:
    performance = db.session.get_one(Performance, performance_id, populate_existing=True)
    return performance.free.seats


def _booked_until(evening: Evening, at: datetime) -> datetime:
    """Now, or when the evening was cancelled: two days before, or yesterday."""
    if not evening.cancelled:
        return at
    return min(evening.starts_at - timedelta(days=2), at - timedelta(days=1))


def _announce_late(coming: list[int]) -> None:
    """Some parties of the next evening announce that they come late."""
    confirmed = (
        select(Reservation.id)
        .where(Reservation.performance_id == coming[0], Reservation.state == State.CONFIRMED)
        .order_by(Reservation.created_at)
        .limit(_LATE_PARTIES)
    )
    for minutes, reservation_id in zip((10, 20), db.session.scalars(confirmed).all(), strict=False):
        set_lateness(reservation_id, minutes, by_staff=True)


def _count_states(performance_ids: list[int]) -> Counter[str]:
    states = select(Reservation.state).where(Reservation.performance_id.in_(performance_ids))
    return Counter(db.session.scalars(states))

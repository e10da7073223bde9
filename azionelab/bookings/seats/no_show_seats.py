"""Seats of no-shows: counts, releases and restores them.

The performance is locked first, as for every change of the seats held (docs/locking.md), and the database refuses
to oversell the house.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from azionelab.bookings.errors import ReleaseTooEarly, ReservationEnded
from azionelab.bookings.locks import lock_live_parties, lock_performance
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.seats.holds import count_free, expire_holds
from azionelab.bookings.transitions import no_shows as seats_of_no_shows
from azionelab.database import db, now, transaction
from azionelab.settings.config import Config
from azionelab.shows.models import Performance

RELEASE_FROM = timedelta(minutes=30)  # before the curtain, at the earliest
_NOBODY: Mapping[UUID, int] = MappingProxyType({})


@dataclass(frozen=True)
class NoShowSeats:
    """How many seats (`places`) of how many parties. `missing` ones could not be restored.

    `late_places` of parties that announced a late arrival stay held, the last of them until `late_until`, unless their
    release is asked for.
    """

    parties: int
    places: int
    missing: int = 0
    late_parties: int = 0
    late_places: int = 0
    late_until: datetime | None = None


def kept_until(curtain: datetime, late_at: datetime | None, at: datetime) -> datetime | None:
    """Until when no release takes the seats of a party that comes about `late_at`; None when one may take them `at` once.

    They are kept for LATE_HOLD_MINUTES after the curtain, or until the time that the party said, if that is later.
    """
    if late_at is None:
        return None
    until = max(late_at, late_hold_ends(curtain))
    return until if until > at else None


def late_hold_ends(curtain: datetime) -> datetime:
    """Until when the seats of whoever said to come late are kept, whatever they said: LATE_HOLD_MINUTES."""
    settings: Config = current_app.config["AZIONELAB"]
    return curtain + timedelta(minutes=settings.late_hold_minutes)


def no_shows(performance_id: int, inside: Mapping[UUID, int] = _NOBODY) -> NoShowSeats:
    """The seats that `release_no_shows` would release now, and would keep for parties that come late."""
    at = now()
    confirmed = db.session.execute(
        select(Reservation.id, Reservation.to_come, Reservation.late_at, Performance.starts_at)
        .join(Reservation.performance)
        .where(Reservation.performance_id == performance_id, Reservation.state == State.CONFIRMED)
    )
    return _sum_up(
        (_missing(to_come, inside.get(party_id, 0)), kept_until(curtain, late_at, at))
        for party_id, to_come, late_at, curtain in confirmed
    )


def _missing(to_come: int, inside: int) -> int:
    return max(0, to_come - inside)


def _sum_up(missing: Iterable[tuple[int, datetime | None]]) -> NoShowSeats:
    """Sum up missing people by party, each with the time until which its seats are kept from the release."""
    places: list[int] = []
    late: list[tuple[int, datetime]] = []
    for people, until in missing:
        if people and until is None:
            places.append(people)
        elif people and until is not None:
            late.append((people, until))
    return NoShowSeats(
        len(places),
        sum(places),
        late_parties=len(late),
        late_places=sum(people for people, _until in late),
        late_until=max((until for _people, until in late), default=None),
    )


def release_no_shows(
    performance_id: int, inside: Mapping[UUID, int] = _NOBODY, *, with_late: bool = False
) -> NoShowSeats:
    """Release the seats of confirmed people who are not in, and close online booking.

    It is allowed from RELEASE_FROM before the curtain. Doing it again releases the seats of those who are
    missing by then. Parties that announced a late arrival keep theirs until `kept_until`, unless released
    `with_late`. `inside` are people of each party who are in without being counted: they keep their seats.

    Raises PerformanceUnknown, ReservationEnded for one that is cancelled, ReleaseTooEarly.
    """
    with transaction() as session:
        performance = lock_performance(session, performance_id)
        at = now()
        opens_at = performance.starts_at - RELEASE_FROM
        if performance.cancelled_at is not None:
            raise ReservationEnded
        if at < opens_at:
            raise ReleaseTooEarly(opens_at)
        expire_holds(session, performance, at)
        found: list[tuple[int, datetime | None]] = []
        released: list[tuple[Reservation, int]] = []
        live = lock_live_parties(session, performance_id)
        for reservation in (party for party in live if party.state == State.CONFIRMED):
            missing = _missing(reservation.to_come, inside.get(reservation.id, 0))
            late_at = None if with_late else reservation.late_at
            until = kept_until(performance.starts_at, late_at, at)
            found.append((missing, until))
            if missing and until is None:
                released.append((reservation, missing))
        seats_of_no_shows.release_seats(session, performance, released)
        performance.released_at = at
        if performance.booking_opens_at < at < performance.booking_closes_at:
            performance.booking_closes_at = at
        return _sum_up(found)


def restore_no_shows(performance_id: int) -> NoShowSeats:
    """Hold released seats again for their parties while seats are free, in the order of confirmation.

    Returns what was restored, and how many seats were `missing`. Raises PerformanceUnknown.
    """
    with transaction() as session:
        performance = lock_performance(session, performance_id)
        free = count_free(session, performance, now())
        parties = places = missing = 0
        live = lock_live_parties(session, performance_id)
        for reservation in sorted(live, key=lambda live: live.confirmed_at or live.created_at):
            given = min(reservation.released, reservation.seatable(free))
            missing += reservation.released - given
            if given:
                free -= seats_of_no_shows.restore_seats(session, reservation, given)
                parties, places = parties + 1, places + given
        if not missing:
            performance.released_at = None
        return NoShowSeats(parties, places, missing)


def hold_again(session: Session, reservation: Reservation, people: int) -> None:
    """Hold seats again for `people` of a locked party who come late, as far as theirs were released.

    The caller's transaction has locked the performance before.
    """
    seats_of_no_shows.restore_seats(session, reservation, max(0, people - reservation.to_come))

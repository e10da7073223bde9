"""Seats of no-shows: counts, releases and restores them.

The performance is locked first, as for every change of the seats held (docs/locking.md), and the database refuses
to oversell the house.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from azionelab.bookings.errors import ReleaseTooEarly, ReservationEnded
from azionelab.bookings.locks import lock_live_parties, lock_performance
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.seats.holds import count_free_seats, expire_holds
from azionelab.bookings.transitions import no_shows as seats_of_no_shows
from azionelab.database import db, now, transaction

RELEASE_FROM = timedelta(minutes=30)  # before the curtain, at the earliest
_NOBODY: Mapping[UUID, int] = MappingProxyType({})


@dataclass(frozen=True)
class NoShowSeats:
    """How many seats (`places`) of how many parties. `missing` ones could not be restored.

    `late_places` of parties that announced a late arrival stay held unless their release is asked for.
    """

    parties: int
    places: int
    missing: int = 0
    late_parties: int = 0
    late_places: int = 0


def no_shows(performance_id: int, inside: Mapping[UUID, int] = _NOBODY) -> NoShowSeats:
    """The seats that `release_no_shows` would release now, and would keep for parties that come late."""
    confirmed = db.session.execute(
        select(Reservation.id, Reservation.to_come, Reservation.late_at).where(
            Reservation.performance_id == performance_id,
            Reservation.state == State.CONFIRMED,
        )
    )
    return _sum_up(
        (_missing(to_come, inside.get(party_id, 0)), late_at is not None)
        for party_id, to_come, late_at in confirmed
    )


def _missing(to_come: int, inside: int) -> int:
    return max(0, to_come - inside)


def _sum_up(missing: Iterable[tuple[int, bool]]) -> NoShowSeats:
    """Sum up missing people by party, each with whether its seats are kept because it comes late."""
    found: dict[bool, list[int]] = {False: [], True: []}
    for people, is_late in missing:
        if people:
            found[is_late].append(people)
    places, late = found[False], found[True]
    return NoShowSeats(len(places), sum(places), late_parties=len(late), late_places=sum(late))


def release_no_shows(
    performance_id: int, inside: Mapping[UUID, int] = _NOBODY, *, with_late: bool = False
) -> NoShowSeats:
    """Release the seats of confirmed people who are not in, and close online booking.

    It is allowed from RELEASE_FROM before the curtain. Doing it again releases the seats of those who are
    missing by then. Parties that announced a late arrival keep theirs, unless released `with_late`. `inside`
    are people of each party who are in without being counted: they keep their seats.

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
        found: list[tuple[int, bool]] = []
        released: list[tuple[Reservation, int]] = []
        live = lock_live_parties(session, performance_id)
        for reservation in (party for party in live if party.state == State.CONFIRMED):
            missing = _missing(reservation.to_come, inside.get(reservation.id, 0))
            is_late = reservation.late_at is not None and not with_late
            found.append((missing, is_late))
            if missing and not is_late:
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
        free = count_free_seats(session, performance, now())
        parties = places = missing = 0
        live = lock_live_parties(session, performance_id)
        for reservation in sorted(live, key=lambda live: live.confirmed_at or live.created_at):
            given = min(reservation.released, free)
            missing += reservation.released - given
            if given:
                seats_of_no_shows.restore_seats(session, reservation, given)
                free -= given
                parties, places = parties + 1, places + given
        if not missing:
            performance.released_at = None
        return NoShowSeats(parties, places, missing)


def hold_again(session: Session, reservation: Reservation, people: int) -> None:
    """Hold seats again for `people` of a locked party who come late, as far as theirs were released.

    The caller's transaction has locked the performance before.
    """
    seats_of_no_shows.restore_seats(session, reservation, max(0, people - reservation.to_come))

"""Places that change hands at the door: walk-ins, and those of people who did not come.

Performances are locked first, as for every change of the seats held (docs/locking.md), and the
database refuses whatever would oversell the house.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from azionelab.bookings import transitions
from azionelab.bookings.errors import ReleaseTooEarly, ReservationEnded
from azionelab.bookings.locks import lock_live_parties, lock_performance
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.seats.holds import expire_holds, free_seats
from azionelab.database import db, now, transaction

RELEASE_FROM = timedelta(minutes=30)  # before the curtain, at the earliest
_NOBODY: Mapping[UUID, int] = MappingProxyType({})


@dataclass(frozen=True)
class NoShowSeats:
    """How many places of how many parties. `missing` ones could not be given back.

    Those of parties that told us they come late stay held, unless it is asked for: `late_places`.
    """

    parties: int
    places: int
    missing: int = 0
    late_parties: int = 0
    late_places: int = 0


def no_shows(performance_id: int, inside: Mapping[UUID, int] = _NOBODY) -> NoShowSeats:
    """The places that `release_no_shows` would release at this moment, and would keep for who comes late."""
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
    """How many are missing of parties, each with whether its places are kept since it comes late."""
    found: dict[bool, list[int]] = {False: [], True: []}
    for people, is_late in missing:
        if people:
            found[is_late].append(people)
    places, late = found[False], found[True]
    return NoShowSeats(len(places), sum(places), late_parties=len(late), late_places=sum(late))


def release_no_shows(
    performance_id: int, inside: Mapping[UUID, int] = _NOBODY, *, with_late: bool = False
) -> NoShowSeats:
    """Give the places of confirmed people who are not in to whoever waits at the door.

    Parties that told us they come late keep theirs, unless it is done `with_late`.

    All at once, from RELEASE_FROM before the curtain on. Booking on the web is closed with it. Doing
    it again releases the places of those who are missing by then. So many of each party are `inside`, though the
    books do not count them: they keep their places.

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
        transitions.release_seats(session, performance, released)
        performance.released_at = at
        if performance.booking_opens_at < at < performance.booking_closes_at:
            performance.booking_closes_at = at
        return _sum_up(found)


def restore_no_shows(performance_id: int) -> NoShowSeats:
    """Hold released places again for their parties while there are any; who confirmed first comes first.

    Says what was given back, and how many places were `missing` by then. Raises PerformanceUnknown.
    """
    with transaction() as session:
        performance = lock_performance(session, performance_id)
        free = free_seats(session, performance, now())
        parties = places = missing = 0
        live = lock_live_parties(session, performance_id)
        for reservation in sorted(live, key=lambda live: live.confirmed_at or live.created_at):
            given = min(reservation.released, free)
            missing += reservation.released - given
            if given:
                transitions.restore_seats(session, reservation, given)
                free -= given
                parties, places = parties + 1, places + given
        if not missing:
            performance.released_at = None
        return NoShowSeats(parties, places, missing)


def hold_again(session: Session, reservation: Reservation, people: int) -> None:
    """Hold places again for `people` of a locked party who come late, as far as theirs were released.

    Part of its caller's transaction, which has locked the performance before.
    """
    transitions.restore_seats(session, reservation, max(0, people - reservation.to_come))

"""The evenings that were played: who came and when, who did not, who came without a booking."""

from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from sqlalchemy import select

from azionelab.bookings.models import Reservation, State
from azionelab.checkin.no_shows import release_no_shows
from azionelab.checkin.scanning.scan_log import Actor, Claim
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import db, now
from azionelab.demo import dates
from azionelab.demo.programme import Evening
from azionelab.staff.models import Role, RoleName, User

_DOORS = ("Ingresso", "Ingresso", "Ingresso", "Cortile")
_NO_SHOWS, _INCOMPLETE = 0.08, 0.05  # shares of the parties
_CONFLICT_WITHIN = timedelta(days=4)


def play(played: dict[int, Evening], random: Random) -> None:
    """Admit the parties of evenings that have begun, and date their scans around the curtain."""
    user_id = _door_account()
    scanned: dict[UUID, datetime] = {}
    latest = max(played, key=lambda each: played[each].starts_at, default=None)
    for performance_id, evening in played.items():
        parties = _confirmed(performance_id)
        late = [party for party in parties if random.random() < 0.04]
        for party in parties:
            if party in late or random.random() < _NO_SHOWS:
                continue
            came = _came_at(evening, random)
            scanned[_admit(party, _actor(user_id, random), random)] = came
        if random.random() < 0.6:
            for number in range(random.randint(1, 3)):
                scan_id, people = _new_id(random), random.randint(1, 3)
                let_in_walk_ins(performance_id, people, scan_id, _actor(user_id, random))
                scanned[scan_id] = evening.starts_at - timedelta(minutes=8 - number * 3)
        if random.random() < 0.4:
            # Since seats were asked for at the door.
            release_no_shows(performance_id)
        for party in late:
            scan_id = _new_id(random)
            admit(performance_id, party.reference, scan_id, _actor(user_id, random), late=True)
            scanned[scan_id] = evening.starts_at + timedelta(minutes=random.uniform(3, 18))
        scanned |= _refused(performance_id, evening, user_id, random)
        if performance_id == latest and now() - evening.starts_at < _CONFLICT_WITHIN and parties:
            # A phone without a network let a party in whom another door had admitted.
            scan_id = _new_id(random)
            actor = Actor(door="Cortile", user_id=user_id)
            claim = Claim(evening.starts_at - timedelta(minutes=9), VerdictKind.ADMITTED, 2)
            admit(performance_id, _someone_inside(performance_id), scan_id, actor, claim=claim)
            scanned[scan_id] = claim.at
    dates.date_scans(scanned, {i: evening.starts_at for i, evening in played.items()})


def _door_account() -> int | None:
    door = select(User.id).join(User.roles).where(Role.name == RoleName.DOOR).order_by(User.id)
    return db.session.scalar(door.limit(1))


def _actor(user_id: int | None, random: Random) -> Actor:
    return Actor(door=random.choice(_DOORS), user_id=user_id)


def _confirmed(performance_id: int) -> list[Reservation]:
    return list(
        db.session.scalars(
            select(Reservation)
            .where(Reservation.performance_id == performance_id)
            .where(Reservation.state == State.CONFIRMED)
            .order_by(Reservation.created_at)
        )
    )


def _admit(party: Reservation, actor: Actor, random: Random) -> UUID:
    scan_id = _new_id(random)
    incomplete = party.seats > 1 and random.random() < _INCOMPLETE
    people = party.seats - 1 if incomplete else None
    admit(party.performance_id, party.reference, scan_id, actor, people=people)
    return scan_id


def _refused(
    performance_id: int, evening: Evening, user_id: int | None, random: Random
) -> dict[UUID, datetime]:
    """A cancelled party that came all the same, on some evenings."""
    cancelled = db.session.scalar(
        select(Reservation.reference)
        .where(Reservation.performance_id == performance_id)
        .where(Reservation.state == State.CANCELLED)
        .order_by(Reservation.created_at)
        .limit(1)
    )
    if cancelled is None or random.random() < 0.6:
        return {}
    scan_id = _new_id(random)
    admit(performance_id, cancelled, scan_id, _actor(user_id, random))
    return {scan_id: _came_at(evening, random)}


def _someone_inside(performance_id: int) -> str:
    inside = select(Reservation.reference).where(
        Reservation.performance_id == performance_id,
        Reservation.admitted == Reservation.seats,
        Reservation.seats >= 2,
        Reservation.walk_in.is_(False),
    )
    return db.session.scalars(inside.order_by(Reservation.created_at).limit(1)).one()


def _came_at(evening: Evening, random: Random) -> datetime:
    return evening.starts_at - timedelta(minutes=min(55, max(-4, random.gauss(17, 11))))


def _new_id(random: Random) -> UUID:
    return UUID(int=random.getrandbits(128), version=4)

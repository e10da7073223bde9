"""The door's rules: every admission, and every undoing of one, is a function here.

A scan locks the party's reservation and nothing else, so that twenty phones admit twenty parties of
one performance at the same time, and two phones with the same ticket one after the other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from prometheus_client import Counter
from sqlalchemy import ColumnElement, func, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from azionelab.bookings.errors import ReservationUnknown
from azionelab.bookings.locks import lock_party, lock_reservation
from azionelab.bookings.models import LIVE, Reservation, State
from azionelab.bookings.references import read_reference
from azionelab.checkin.models import Admission, Scan
from azionelab.checkin.verdicts import REUSED, Kind, Party, decide
from azionelab.database import last_words, now, transaction, violated_constraint
from azionelab.extensions import db
from azionelab.shows.models import Performance
from azionelab.tokens import Purpose, read_token

# inline(): no answer is read before the commit.
_NEW_SCAN, _NEW_ADMISSION = insert(Scan).inline(), insert(Admission).inline()
MAX_FOUND = 20  # parties a search shows
MAX_CODE = 500  # characters: a ticket's whole address; what is longer names no party
_VERDICTS = Counter("azionelab_door_scans", "Scans at the door, by verdict.", ["verdict"])
for _kind in Kind:
    _VERDICTS.labels(_kind)  # begins at 0, so that its first one shows as an increase


class DoorUnknown(Exception):
    """No performance has this number."""


class ScanUnknown(Exception):
    """No scan of this performance has this identity."""


class ScanReused(Exception):
    """The device used the identity of an earlier scan for another code or performance."""


@dataclass(frozen=True)
class Actor:
    """Who holds the device: a member of staff or an API token, at a door with a name of its own."""

    door: str = ""
    user_id: int | None = None
    token_id: int | None = None
    label: str = ""


@dataclass(frozen=True)
class FirstAdmission:
    """When, by whom and at which door the first of a party who are in were let in."""

    at: datetime
    by: str
    door: str


@dataclass(frozen=True)
class Verdict:
    """The answer to a scan. `people` were let in by it; `reservation` is None for UNKNOWN."""

    kind: Kind
    scan_id: UUID
    people: int
    reservation: Reservation | None
    first: FirstAdmission | None
    undone: bool = False
    replayed: bool = False


@dataclass(frozen=True)
class HouseCounts:
    """People of one performance, counted over its live reservations."""

    expected: int  # confirmed
    inside: int
    pending: int  # held, not confirmed
    capacity: int

    @property
    def to_come(self) -> int:
        """Confirmed people who are not in yet."""
        return self.expected - self.inside

    @property
    def free(self) -> int:
        """Seats nobody holds."""
        return self.capacity - self.expected - self.pending


def admit(
    performance_id: int,
    code: str,
    scan_id: UUID,
    actor: Actor,
    *,
    people: int | None = None,
    seen: int | None = None,
) -> Verdict:
    """Let in the party that `code` names, all of it or `people` of it, and record the attempt.

    `code` is a ticket's token, the address its QR holds, or a reference as somebody typed it. The
    same `scan_id` again answers what it answered first and counts nothing (verdict `replayed`).

    Raises DoorUnknown, and ScanReused when `scan_id` was used for something else, which is recorded
    as well, and lets nobody in.
    """
    try:
        verdict = _admit(performance_id, code, scan_id, actor, (people, seen))
    except IntegrityError as error:
        # Sent again, by a double tap or for want of an answer. The insert finds that out, so that
        # first scans, which are nearly all, need not ask.
        if violated_constraint(error) != "pk_scan":
            raise
        return _answer_again(performance_id, code, scan_id, actor)
    _VERDICTS.labels(verdict.kind).inc()
    return verdict


def _admit(
    performance_id: int,
    code: str,
    scan_id: UUID,
    actor: Actor,
    pressed: tuple[int | None, int | None],
) -> Verdict:
    with transaction() as session:
        reservation, cancelled_at = _read_code(session, code)
        if reservation is None or reservation.performance_id != performance_id:
            cancelled_at = _read_door(session, performance_id)
        party = _party(reservation)
        kind, let_in = decide(party, performance_id, cancelled_at is not None, *pressed)
        first = _first_admission(session, reservation) if party and party.admitted else None
        scan = _attempt(scan_id, performance_id, reservation, actor)
        last_words(session, _NEW_SCAN, scan | {"verdict": kind, "people": let_in})
        if reservation and let_in:
            admission = {
                "scan_id": scan_id,
                "reservation_id": reservation.id,
                "people": let_in,
                "admitted_at": scan["scanned_at"],
            }
            last_words(session, _NEW_ADMISSION, admission)
            # What the trigger makes of it: the row is locked, nobody else can have counted.
            set_committed_value(reservation, "admitted", reservation.admitted + let_in)
        return Verdict(kind, scan_id, let_in, reservation, first)


def _answer_again(performance_id: int, code: str, scan_id: UUID, actor: Actor) -> Verdict:
    with transaction() as session:
        reservation, _ = _read_code(session, code)
        scan = session.get_one(Scan, scan_id)
        reservation_id = reservation.id if reservation else None
        if (scan.performance_id, scan.reservation_id) == (performance_id, reservation_id):
            admission = _admission_of(session, scan.id)
            return Verdict(
                Kind(scan.verdict),
                scan.id,
                scan.people,
                reservation,
                _first_admission(session, reservation) if scan.admitted_before else None,
                undone=admission is not None and admission.undone_at is not None,
                replayed=True,
            )
        # Under an identity of its own: the one that the device gave is another scan's.
        attempt = _attempt(uuid4(), performance_id, reservation, actor)
        last_words(session, _NEW_SCAN, attempt | {"verdict": REUSED, "people": 0})
    raise ScanReused


def _attempt(
    scan_id: UUID, performance_id: int, reservation: Reservation | None, actor: Actor
) -> dict[str, Any]:
    """An attempt as the books keep it, but for what came of it."""
    return {
        "id": scan_id,
        "performance_id": performance_id,
        "reservation_id": reservation.id if reservation else None,
        "admitted_before": reservation.admitted if reservation else 0,
        "scanned_at": now(),
        "door": actor.door,
        "user_id": actor.user_id,
        "token_id": actor.token_id,
    }


def undo(performance_id: int, scan_id: UUID, actor: Actor) -> Verdict:
    """Take an admission back: its people count as outside again. Undoing twice changes nothing.

    Raises ScanUnknown for a scan of another performance, or one that let nobody in.
    """
    with transaction() as session:
        scan = session.get(Scan, scan_id)
        if scan is None or scan.performance_id != performance_id or scan.reservation_id is None:
            raise ScanUnknown
        reservation = lock_reservation(session, scan.reservation_id)
        admission = _admission_of(session, scan_id)
        if admission is None:
            raise ScanUnknown
        if admission.undone_at is None:
            admission.undone_at, admission.undone_by = now(), actor.label
            session.flush()
            session.refresh(reservation, ["admitted"])
        return Verdict(Kind(scan.verdict), scan_id, 0, reservation, None, undone=True)


def find_parties(performance_id: int, query: str) -> list[Reservation]:
    """Live reservations of a performance whose name, e-mail or reference holds `query`.

    At most MAX_FOUND, by name; none for a query of fewer than two characters.
    """
    wanted = query.strip()
    if len(wanted) < 2 or "\0" in wanted:
        return []
    conditions = [
        Reservation.name.icontains(wanted, autoescape=True),
        Reservation.email.icontains(wanted, autoescape=True),
    ]
    reference = read_reference(wanted)
    if reference:
        conditions.append(Reservation.reference == reference)
    return list(
        db.session.scalars(
            select(Reservation)
            .where(
                Reservation.performance_id == performance_id,
                Reservation.state.in_(LIVE),
                or_(*conditions),
            )
            .order_by(func.lower(Reservation.name), Reservation.id)
            .limit(MAX_FOUND)
        )
    )


def house_counts(performance_ids: list[int], at: datetime | None = None) -> dict[int, HouseCounts]:
    """The house of each performance at this moment. Lapsed holds count as free."""
    confirmed = Reservation.state == State.CONFIRMED
    pending = (Reservation.state == State.PENDING) & (Reservation.hold_expires_at > (at or now()))
    rows = db.session.execute(
        select(
            Performance.id,
            _people(Reservation.seats, confirmed),
            _people(Reservation.admitted, confirmed),
            _people(Reservation.seats, pending),
            Performance.capacity,
        )
        .outerjoin(
            Reservation,
            (Reservation.performance_id == Performance.id) & Reservation.state.in_(LIVE),
        )
        .where(Performance.id.in_(performance_ids))
        .group_by(Performance.id)
    )
    return {identity: HouseCounts(*figures) for identity, *figures in rows}


def evenings(at: datetime | None = None) -> list[Performance]:
    """The performances a door may open for: from a day ago to a week ahead, the nearest first."""
    moment = at or now()
    near = db.session.scalars(
        select(Performance)
        .options(joinedload(Performance.show), joinedload(Performance.venue))
        .where(
            Performance.starts_at.between(moment - timedelta(days=1), moment + timedelta(days=7))
        )
    ).all()
    return sorted(near, key=lambda performance: abs(performance.starts_at - moment))


def _party(reservation: Reservation | None) -> Party | None:
    if reservation is None:
        return None
    return Party(
        reservation.performance_id, reservation.state, reservation.seats, reservation.admitted
    )


def _people(counted: InstrumentedAttribute[int], which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(counted).filter(which), 0)


def _read_code(session: Session, code: str) -> tuple[Reservation | None, datetime | None]:
    """The reservation a code names, locked, and when its performance was cancelled.

    Whatever a camera read is a code: what makes no sense names nobody.
    """
    typed = code.strip()
    if len(typed) > MAX_CODE:
        return None, None
    identity = read_token(Purpose.TICKET, typed.rstrip("/").rpartition("/")[2])
    if identity is None and (reference := read_reference(typed)):
        identity = session.scalar(select(Reservation.id).where(Reservation.reference == reference))
    if identity is None:
        return None, None
    try:
        return lock_party(session, identity)
    except ReservationUnknown:
        return None, None


def _read_door(session: Session, performance_id: int) -> datetime | None:
    """When the performance of this door was cancelled; DoorUnknown."""
    performance = session.get(Performance, performance_id, populate_existing=True)
    if performance is None:
        raise DoorUnknown
    return performance.cancelled_at


def _admission_of(session: Session, scan_id: UUID) -> Admission | None:
    return session.scalar(select(Admission).where(Admission.scan_id == scan_id))


def _first_admission(session: Session, reservation: Reservation | None) -> FirstAdmission | None:
    if reservation is None:
        return None
    scan = session.scalar(
        select(Scan)
        .join(Admission, Admission.scan_id == Scan.id)
        .where(Admission.reservation_id == reservation.id, Admission.undone_at.is_(None))
        .order_by(Admission.id)
        .limit(1)
        .options(joinedload(Scan.user), joinedload(Scan.token))
    )
    return FirstAdmission(scan.scanned_at, scan.by, scan.door) if scan else None

"""The scan log: records every scan at the door and reads it back. (undoing.py undoes scans.)

A Scan has an Admission if it let people in, and a Passage if people went out or came back. All scans are recorded
through this module, except first scans of a ticket, which scans.py records in one statement.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import String, and_, bindparam, func, insert, literal_column, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from azionelab.bookings.models import Reservation, party_of
from azionelab.bookings.party import Party
from azionelab.checkin.models import Admission, Passage, Scan
from azionelab.checkin.scanning.facts import lock_party_by_code, read_cancelled_at
from azionelab.checkin.verdicts import REVOKED, VerdictKind, Way
from azionelab.database import db, now, read_row, transaction, violated_constraint
from azionelab.shows.models import Performance
from azionelab.staff.models import ApiToken, User

_NEW_SCAN = insert(Scan)
_NEW_ADMISSION = insert(Admission)
_NEW_PASSAGE = insert(Passage)
_OLDEST_CLAIM = timedelta(days=7)  # a claimed time before that is replaced by the current time


class ScanUnknown(Exception):
    """The performance has no such scan."""


class DeviceRevoked(Exception):
    """The device was revoked meanwhile."""


class ScanReused(Exception):
    """The device used the id of an earlier scan for another code or performance."""


@dataclass(frozen=True)
class Actor:
    """Who scans: an account or an API token, and the name of the door."""

    door: str = ""
    user_id: int | None = None
    token_id: int | None = None
    label: str = ""


@dataclass(frozen=True)
class Claim:
    """The offline decision of a device: its verdict, and how many people it let through."""

    at: datetime
    verdict: VerdictKind
    people: int


@dataclass(frozen=True)
class FirstAdmission:
    """The first admission of a party.

    `by` is empty for an account without a name: its e-mail address is not shown at a door.
    """

    at: datetime
    by: str
    door: str


@dataclass(frozen=True)
class Verdict:
    """The result of a scan. `people` went in or out by it; `party` is None if the code names none.

    `claimed` people were let through by the device's offline decision; None if it made none. The party of `walk_ins`
    has no name. `elsewhere` is the performance of the ticket with WRONG_PERFORMANCE.
    """

    kind: VerdictKind
    scan_id: UUID
    people: int
    party: Party | None
    first: FirstAdmission | None
    claimed: int | None = None
    undone: bool = False
    replayed: bool = False
    way: Way = Way.IN
    walk_ins: bool = False
    elsewhere: Performance | None = None


@contextmanager
def refuse_revoked_device() -> Iterator[None]:
    """Raise DeviceRevoked if the database refuses the scan of a revoked device."""
    try:
        yield
    except IntegrityError as error:
        if violated_constraint(error) == "scan_by_valid_device":
            raise DeviceRevoked from error
        raise


@contextmanager
def refuse_reused_scan() -> Iterator[None]:
    """Raise ScanReused if a scan of another performance, which takes other locks, used the id meanwhile."""
    try:
        yield
    except IntegrityError as error:
        # The reservation of walk-ins is inserted before their scan, under the same id.
        if violated_constraint(error) in {"pk_scan", "uq_reservation_live_request"}:
            raise ScanReused from error
        raise


def scan_values(
    scan_id: UUID,
    performance_id: int,
    party: Party | None,
    actor: Actor,
    claim: Claim | None = None,
    *,
    walk_in: bool = False,
    way: Way = Way.IN,
) -> dict[str, Any]:
    """The column values of a scan, without its verdict and people."""
    at = now()
    return {
        "id": scan_id,
        "performance_id": performance_id,
        "reservation_id": party.id if party else None,
        "walk_in": walk_in,
        "way": Way.IN if way is Way.ANY else way,
        "admitted_before": party.admitted if party else 0,
        "scanned_at": _plausible_time(claim.at, at) if claim else at,
        "received_at": at,
        "claimed": claimed_people(claim),
        "claim_undone_at": None,
        "door": actor.door,
        "user_id": actor.user_id,
        "token_id": actor.token_id,
    }


def claimed_people(claim: Claim | None) -> int | None:
    """How many people the device let through offline; None without a claim."""
    return None if claim is None else claim.people


def _plausible_time(told: datetime, at: datetime) -> datetime:
    """The claimed time, or the current one if the claim is impossible."""
    return told if at - _OLDEST_CLAIM < told <= at else at


def record_scan(
    session: Session, scan: dict[str, Any], kind: VerdictKind | str, entered: int, gone: int = 0
) -> None:
    """Insert a scan with its admission or passage. `gone` is negative if people came back."""
    session.execute(_NEW_SCAN, scan | {"verdict": kind, "people": entered + abs(gone)})
    of_scan = {"scan_id": scan["id"], "reservation_id": scan["reservation_id"]}
    if entered:
        admission = of_scan | {"people": entered, "admitted_at": scan["scanned_at"]}
        session.execute(_NEW_ADMISSION, admission)
    if gone:
        session.execute(_NEW_PASSAGE, of_scan | {"people": gone})


def add_admission(session: Session, scan: Scan, reservation_id: UUID, people: int) -> None:
    """Add an admission to a scan that is recorded already."""
    session.add(
        Admission(
            scan_id=scan.id,
            reservation_id=reservation_id,
            people=people,
            admitted_at=scan.scanned_at,
        )
    )


def find_admission(session: Session, scan_id: UUID) -> Admission | None:
    """The admission of a scan, undone or not; None if it let nobody in."""
    return session.scalar(select(Admission).where(Admission.scan_id == scan_id))


def first_admission(
    session: Session, reservation_id: UUID | None, besides: UUID
) -> FirstAdmission | None:
    """The first admission of a party, without that of the scan `besides`."""
    if reservation_id is None:
        return None
    asked = {"reservation": reservation_id, "besides": besides}
    row = read_row(session.connection(), _FIRST, asked)
    return FirstAdmission(*row) if row else None


def recorded_verdict(
    scan: Scan,
    reservation: Reservation | None,
    written: Admission | Passage | None,
    first: FirstAdmission | None,
) -> Verdict:
    """The verdict of a recorded scan, for a repeated request. `written` is its admission or passage."""
    undone_at = written.undone_at if written is not None else None
    kind = VerdictKind(scan.verdict)
    is_elsewhere = kind is VerdictKind.WRONG_PERFORMANCE
    return Verdict(
        kind,
        scan.id,
        scan.people,
        party_of(reservation),
        first,
        claimed=scan.claimed,
        undone=(undone_at or scan.claim_undone_at) is not None,
        replayed=True,
        way=Way(scan.way),
        walk_ins=reservation is not None and reservation.walk_in,
        elsewhere=reservation.performance if reservation and is_elsewhere else None,
    )


def record_revoked_scan(
    performance_id: int,
    code: str | None,
    scan_id: UUID,
    actor: Actor,
    claim: Claim | None,
    *,
    way: Way = Way.IN,
) -> None:
    """Record a scan of a revoked device, which does not count, for the staff's information.

    `code` is None for walk-ins. The same `scan_id` is recorded once. Raises DoorUnknown.
    """
    try:
        with transaction() as session:
            read_cancelled_at(session, performance_id)
            party = None if code is None else lock_party_by_code(session, code)
            scan = scan_values(
                scan_id, performance_id, party, actor, claim, walk_in=code is None, way=way
            )
            record_scan(session, scan, REVOKED, 0)
    except IntegrityError as error:
        if violated_constraint(error) != "pk_scan":
            raise


def count_revoked_scans(token_id: int) -> int:
    """Count the recorded scans that a device sent after its revocation."""
    sent = select(func.count()).where(Scan.token_id == token_id, Scan.verdict == REVOKED)
    return db.session.scalar(sent) or 0


# Join condition: the admission of a scan, unless it was undone.
COUNTED_IN = and_(Admission.scan_id == Scan.id, Admission.undone_at.is_(None))
# Join condition: the passage of a scan, unless it was undone.
COUNTED_OUT = and_(Passage.scan_id == Scan.id, Passage.undone_at.is_(None))
# The scan let people in, conflicts included. For queries that outer-join admissions to scans.
HAS_PEOPLE_IN = or_(
    and_(Admission.id.is_not(None), Admission.undone_at.is_(None)),
    and_(
        Scan.claimed > literal_column("0"),
        Scan.way == literal_column(f"'{Way.IN}'"),
        Scan.verdict != literal_column(f"'{REVOKED}'"),
    ),
)
_NOTHING = literal_column("''", String)
# The account's name, which may be empty, or the device's label: as Scan.shown_by.
_FIRST = (
    select(
        Scan.scanned_at,
        func.coalesce(func.nullif(User.name, _NOTHING), ApiToken.label, _NOTHING),
        Scan.door,
    )
    .outerjoin(Admission, Admission.scan_id == Scan.id)
    .outerjoin(User, User.id == Scan.user_id)
    .outerjoin(ApiToken, ApiToken.id == Scan.token_id)
    .where(
        Scan.reservation_id == bindparam("reservation"),
        Scan.id != bindparam("besides"),
        HAS_PEOPLE_IN,
    )
    # By the time of the scan, not of its arrival.
    .order_by(Scan.scanned_at, Scan.id)
    .limit(literal_column("1"))
)

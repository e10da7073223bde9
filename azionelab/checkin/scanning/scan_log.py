"""The scan log: records every scan at the door and reads it back. (undoing.py takes scans back.)

An attempt is a Scan, and an Admission if it lets people in. scans.py and walk_ins.py decide, and write it
down through here, but for the one statement of a ticket that is shown for the first time.
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

from azionelab.bookings.models import Reservation
from azionelab.bookings.party import Party, party_of
from azionelab.checkin.models import Admission, Passage, Scan
from azionelab.checkin.scanning.facts import lock_code, read_door
from azionelab.checkin.verdicts import REVOKED, Kind, Way
from azionelab.database import db, now, read_row, transaction, violated_constraint
from azionelab.shows.models import Performance
from azionelab.staff.models import ApiToken, User

_NEW_SCAN = insert(Scan)
_NEW_ADMISSION = insert(Admission)
_NEW_PASSAGE = insert(Passage)
_OLDEST_CLAIM = timedelta(days=7)  # what a device says of a time before that is taken for now


class ScanUnknown(Exception):
    """No scan of this performance has this identity."""


class DeviceRevoked(Exception):
    """The device that scans was revoked meanwhile."""


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
class Claim:
    """What a device decided without the server: its verdict, and how many people are in by it."""

    at: datetime
    verdict: Kind
    people: int


@dataclass(frozen=True)
class FirstAdmission:
    """When, by whom and at which door the first of a party who are in were let in.

    `by` is empty for an account without a name: nobody at a door is told its address.
    """

    at: datetime
    by: str
    door: str


@dataclass(frozen=True)
class Verdict:
    """The answer to a scan. `people` were let in by it, or out; `party` is None when nobody is named.

    `claimed` people are in by the device's own decision; None when it made none. The party of `walk_ins` has no
    name. `elsewhere` is the performance that a ticket of the WRONG_PERFORMANCE is for.
    """

    kind: Kind
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
def by_valid_device() -> Iterator[None]:
    """Tell that the database refused the scan of a device that was revoked meanwhile."""
    try:
        yield
    except IntegrityError as error:
        if violated_constraint(error) == "scan_by_valid_device":
            raise DeviceRevoked from error
        raise


@contextmanager
def by_new_scan() -> Iterator[None]:
    """Tell that somebody's scan took the identity in between, who does not wait for this performance."""
    try:
        yield
    except IntegrityError as error:
        # Walk-ins are booked before their scan is written, by its identity as well.
        if violated_constraint(error) in {"pk_scan", "uq_reservation_live_request"}:
            raise ScanReused from error
        raise


def describe_attempt(
    scan_id: UUID,
    performance_id: int,
    party: Party | None,
    actor: Actor,
    claim: Claim | None = None,
    *,
    walk_in: bool = False,
    way: Way = Way.IN,
) -> dict[str, Any]:
    """An attempt as the books keep it, but for what came of it."""
    at = now()
    return {
        "id": scan_id,
        "performance_id": performance_id,
        "reservation_id": party.id if party else None,
        "walk_in": walk_in,
        "way": Way.IN if way is Way.ANY else way,
        "admitted_before": party.admitted if party else 0,
        "scanned_at": _believe(claim.at, at) if claim else at,
        "received_at": at,
        "claimed": claimed_people(claim),
        "claim_undone_at": None,
        "door": actor.door,
        "user_id": actor.user_id,
        "token_id": actor.token_id,
    }


def claimed_people(claim: Claim | None) -> int | None:
    """How many people are in by the device's own decision; None when it made none."""
    return None if claim is None else claim.people


def _believe(told: datetime, at: datetime) -> datetime:
    """The time that a device tells, unless it cannot be."""
    return told if at - _OLDEST_CLAIM < told <= at else at


def write_down(
    session: Session, scan: dict[str, Any], kind: Kind | str, entered: int, gone: int = 0
) -> None:
    """Put a scan into the books, and with it the people that it lets in, and those who went out.

    `gone` is negative when they came back.
    """
    session.execute(_NEW_SCAN, scan | {"verdict": kind, "people": entered + abs(gone)})
    of_scan = {"scan_id": scan["id"], "reservation_id": scan["reservation_id"]}
    if entered:
        admission = of_scan | {"people": entered, "admitted_at": scan["scanned_at"]}
        session.execute(_NEW_ADMISSION, admission)
    if gone:
        session.execute(_NEW_PASSAGE, of_scan | {"people": gone})


def add_admission(session: Session, scan: Scan, reservation_id: UUID, people: int) -> None:
    """Put people into the books whom a scan that is there already lets in after all."""
    session.add(
        Admission(
            scan_id=scan.id,
            reservation_id=reservation_id,
            people=people,
            admitted_at=scan.scanned_at,
        )
    )


def admission_of(session: Session, scan_id: UUID) -> Admission | None:
    """The people that a scan let in, undone or not; None when it let in nobody."""
    return session.scalar(select(Admission).where(Admission.scan_id == scan_id))


def first_admission(
    session: Session, reservation_id: UUID | None, besides: UUID
) -> FirstAdmission | None:
    """Who of a party came first, but for those whom the scan `besides` let in."""
    if reservation_id is None:
        return None
    asked = {"reservation": reservation_id, "besides": besides}
    row = read_row(session.connection(), _FIRST, asked)
    return FirstAdmission(*row) if row else None


def read_verdict(
    scan: Scan,
    reservation: Reservation | None,
    written: Admission | Passage | None,
    first: FirstAdmission | None,
) -> Verdict:
    """The answer to a scan that is in the books, for whoever sends it again. `written` is who went through by it."""
    undone_at = written.undone_at if written is not None else None
    kind = Kind(scan.verdict)
    is_elsewhere = kind is Kind.WRONG_PERFORMANCE
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


def record_of_revoked(
    performance_id: int,
    code: str | None,
    scan_id: UUID,
    actor: Actor,
    claim: Claim | None,
    *,
    way: Way = Way.IN,
) -> None:
    """Record what a revoked device sends: it counts for nobody, but staff shall know of it.

    `code` is None of walk-ins, who have none. The same `scan_id` again is recorded once. Raises DoorUnknown.
    """
    try:
        with transaction() as session:
            read_door(session, performance_id)
            party = None if code is None else lock_code(session, code)
            scan = describe_attempt(
                scan_id, performance_id, party, actor, claim, walk_in=code is None, way=way
            )
            write_down(session, scan, REVOKED, 0)
    except IntegrityError as error:
        if violated_constraint(error) != "pk_scan":
            raise


def count_revoked(token_id: int) -> int:
    """How many attempts of a device are in the books that it sent after it was revoked."""
    sent = select(func.count()).where(Scan.token_id == token_id, Scan.verdict == REVOKED)
    return db.session.scalar(sent) or 0


# The admission of a scan, if its people were not taken back.
COUNTED_IN = and_(Admission.scan_id == Scan.id, Admission.undone_at.is_(None))
# Who went out or came back by a scan, if it was not undone.
COUNTED_OUT = and_(Passage.scan_id == Scan.id, Passage.undone_at.is_(None))
# People are in by a scan, of those whom devices let in also such as the books cannot count. To be asked of
# scans with their admission, if they have one, beside them.
HAS_PEOPLE_IN = or_(
    and_(Admission.id.is_not(None), Admission.undone_at.is_(None)),
    and_(
        Scan.claimed > literal_column("0"),
        Scan.way == literal_column(f"'{Way.IN}'"),
        Scan.verdict != literal_column(f"'{REVOKED}'"),
    ),
)
_NOTHING = literal_column("''", String)
# Of a person the name, which they need not have; of a device the label: as Scan.shown_by says it.
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
    # By when they came, not by whose news arrived first.
    .order_by(Scan.scanned_at, Scan.id)
    .limit(literal_column("1"))
)

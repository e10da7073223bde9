"""The door's rules: every admission, and every undoing of one, is a function here.

A scan locks the party's reservation and nothing else, so that twenty phones admit twenty parties of
one performance at the same time, and two phones with the same ticket one after the other. Only what
takes places, a walk-in or somebody who comes late, locks the performance before (docs/locking.md).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from prometheus_client import Counter
from sqlalchemy import (
    ClauseElement,
    Select,
    String,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from azionelab.bookings.errors import PerformanceUnknown, ReservationUnknown
from azionelab.bookings.locks import (
    EXPECTED_PARTY,
    PartyRow,
    lock_party,
    lock_performance,
    lock_reservation,
    lock_with_performance,
)
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.places import free_places, hold_again, seat_walk_ins
from azionelab.bookings.references import read_reference
from azionelab.bookings.rules import end
from azionelab.checkin.limits import MAX_WALK_INS
from azionelab.checkin.models import Admission, Scan
from azionelab.checkin.verdicts import (
    REUSED,
    REVOKED,
    Asked,
    Door,
    Kind,
    Party,
    count_claim,
    decide,
    lets_all_in,
)
from azionelab.database import now, read_row, transaction, violated_constraint, write_at_once
from azionelab.extensions import db
from azionelab.shows.models import Performance
from azionelab.shows.programme import listing
from azionelab.staff.models import ApiToken, User
from azionelab.tokens import Purpose, read_token


def let_in(expected: Select[UUID, str, str, int]) -> ClauseElement:
    """A statement that records a scan of a party and lets all of it in, if it is an `expected` one."""
    party = expected.cte("party")
    of_party = {"reservation_id": party.c.id, "people": party.c.seats}
    facts = {
        column.name: of_party.get(column.name, bindparam(column.name, type_=column.type))
        for column in Scan.__table__.columns
    }
    made = (
        insert(Scan)
        .from_select(list(facts), select(*facts.values()), include_defaults=False)
        .returning(Scan.id, Scan.reservation_id, Scan.people, Scan.scanned_at)
        .cte("made")
    )
    entered = (
        insert(Admission)
        .from_select(
            ["scan_id", "reservation_id", "people", "admitted_at"],
            select(made),
            include_defaults=False,
        )
        .inline()
        .cte("entered")
    )
    return select(party.c.reference, party.c.name, party.c.seats).add_cte(entered)


_NEW_SCAN = insert(Scan)
_NEW_ADMISSION = insert(Admission)
_LET_IN = let_in(EXPECTED_PARTY)
MAX_CODE = 500  # characters: a ticket's whole address; what is longer names no party
_OLDEST_CLAIM = timedelta(days=7)  # what a device says of a time before that is taken for now
_VERDICTS = Counter("azionelab_door_scans", "Scans at the door, by verdict.", ["verdict"])
for _kind in Kind:
    _VERDICTS.labels(_kind)  # begins at 0, so that its first one shows as an increase


class DoorUnknown(Exception):
    """No performance has this number."""


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
    """When, by whom and at which door the first of a party who are in were let in."""

    at: datetime
    by: str
    door: str


@dataclass(frozen=True)
class Verdict:
    """The answer to a scan. `people` were let in by it; `reservation` is None when nobody is named.

    `claimed` people are in by the device's own decision; None when it made none.
    """

    kind: Kind
    scan_id: UUID
    people: int
    reservation: Reservation | PartyRow | None
    first: FirstAdmission | None
    claimed: int | None = None
    undone: bool = False
    replayed: bool = False

    @property
    def is_conflict(self) -> bool:
        """Whether more people are in than the books could count."""
        return self.claimed is not None and self.claimed > self.people


def admit(
    performance_id: int,
    code: str,
    scan_id: UUID,
    actor: Actor,
    *,
    people: int | None = None,
    seen: int | None = None,
    late: bool = False,
    claim: Claim | None = None,
) -> Verdict:
    """Let in the party that `code` names, all of it or `people` of it, and record the attempt.

    `code` is a ticket's token, the address its QR holds, or a reference as somebody typed it. The
    same `scan_id` again answers what it answered first and counts nothing (verdict `replayed`).

    `seen` and `late` are as in `verdicts.Asked`. With a `claim` the device has decided already, and the
    books follow as far as they can: as many of the people count as have places. One that comes after its
    scan was answered here, since that answer did not reach the device, is taken down with it.

    Raises DoorUnknown, DeviceRevoked, and ScanReused when `scan_id` was used for something else, which is
    recorded as well, and lets nobody in.
    """
    attempt, asked = (performance_id, code, scan_id, actor), Asked(people, seen, late)
    try:
        with _by_valid_device():
            ordinary = claim is None and lets_all_in(asked)
            verdict = _admit_expected(attempt) if ordinary else None
            try:
                verdict = verdict or _admit(attempt, asked, claim, among_others=late)
            except _PlacesReleased:
                verdict = _admit(attempt, asked, claim, among_others=True)
    except IntegrityError as error:
        # Sent again, by a double tap or for want of an answer. The insert finds that out, so that
        # first scans, which are nearly all, need not ask.
        if violated_constraint(error) != "pk_scan":
            raise
        return _answer_again(performance_id, code, scan_id, actor, claim)
    _VERDICTS.labels(verdict.kind).inc()
    return verdict


@contextmanager
def _by_valid_device() -> Iterator[None]:
    """Tell that the database refused the scan of a device that was revoked meanwhile."""
    try:
        yield
    except IntegrityError as error:
        if violated_constraint(error) == "scan_by_valid_device":
            raise DeviceRevoked from error
        raise


class _PlacesReleased(Exception):
    """People are in whose places were released: others may be taking them, the house must be locked."""


def _admit_expected(attempt: tuple[int, str, UUID, Actor]) -> Verdict | None:
    """Let all of a party in, of which nobody is in yet; None when that is a case for `_admit`.

    Nearly every scan is such a one: a ticket that is shown for the first time. It is one statement, which
    writes if it finds the party as expected (`lets_all_in`), and locks it for as long as that takes.
    """
    performance_id, code, scan_id, actor = attempt
    identity = _ticket_of(code)
    if identity is None:
        return None
    scan = _attempt(scan_id, performance_id, None, actor)
    found = write_at_once(_LET_IN, scan | {"reservation_id": identity, "verdict": Kind.ADMITTED})
    if found is None:
        return None
    party = PartyRow(
        identity, performance_id, found.reference, found.name, State.CONFIRMED,
        seats=found.seats, admitted=found.seats, released=0, cancelled_at=None,
    )  # fmt: skip
    return Verdict(Kind.ADMITTED, scan_id, found.seats, party, None)


def _admit(
    attempt: tuple[int, str, UUID, Actor],
    asked: Asked,
    claim: Claim | None,
    *,
    among_others: bool,
) -> Verdict:
    """With `among_others` under the performance's lock: it may take places that nobody holds."""
    performance_id, code, scan_id, actor = attempt
    with transaction() as session:
        performance = _lock_door(session, performance_id) if among_others else None
        party = _lock_code(session, code)
        released = party is not None and party.released > 0
        if performance is not None:
            door = _door(session, performance)
        elif released and claim is not None and claim.people:
            raise _PlacesReleased
        else:
            door = _look_at_door(session, performance_id, party)
        kind, people = _decide(_facts(party), door, asked, claim)
        first = _first_admission(session, party.id, scan_id) if party and party.admitted else None
        scan = _attempt(scan_id, performance_id, party, actor, claim)
        told: PartyRow | Reservation | None = party
        if party and people:
            if released:
                # As it is now: an earlier action of the same sync may have left it in the session.
                reservation = session.get_one(Reservation, party.id, populate_existing=True)
                hold_again(reservation, people)
                session.flush()
            told = _with_more_in(party, people)
        elif party and kind is Kind.WRONG_PERFORMANCE:
            told = session.get_one(Reservation, party.id)
        _write_down(session, scan, kind, people)
        return Verdict(kind, scan_id, people, told, first, _claimed(claim))


def _look_at_door(session: Session, performance_id: int, party: PartyRow | None) -> Door:
    """The door as it is without its lock, which who takes nobody's place does not need."""
    if party is not None and party.performance_id == performance_id:
        cancelled_at = party.cancelled_at
    else:
        cancelled_at = _read_door(session, performance_id)
    # Only who has places that were released is told whether others are free.
    evening = listing(performance_id, now()) if party is not None and party.released else None
    return Door(performance_id, cancelled_at is not None, evening.seats_left if evening else 0)


def _with_more_in(party: PartyRow, people: int) -> PartyRow:
    """What the triggers make of it: the row is locked, nobody else can have counted."""
    late = max(0, people - party.to_come)
    return replace(party, admitted=party.admitted + people, released=party.released - late)


def _write_down(session: Session, scan: dict[str, Any], kind: Kind | str, people: int) -> None:
    """Put a scan into the books, and with it the people that it lets in."""
    session.execute(_NEW_SCAN, scan | {"verdict": kind, "people": people})
    if people:
        admission = {
            "scan_id": scan["id"],
            "reservation_id": scan["reservation_id"],
            "people": people,
            "admitted_at": scan["scanned_at"],
        }
        session.execute(_NEW_ADMISSION, admission)


def _decide(party: Party | None, door: Door, asked: Asked, claim: Claim | None) -> tuple[Kind, int]:
    if claim is None:
        return decide(party, door, asked)
    if claim.people:
        return count_claim(party, door, claim.people)
    # Nobody at all is no number of people to have let in.
    return (Kind.TOO_MANY if claim.verdict is Kind.ADMITTED else claim.verdict), 0


def _answer_again(
    performance_id: int, code: str, scan_id: UUID, actor: Actor, claim: Claim | None
) -> Verdict:
    with transaction() as session:
        performance = _lock_door(session, performance_id) if claim else None
        party = _lock_code(session, code)
        scan = session.get_one(Scan, scan_id)
        party_id = party.id if party else None
        same = (scan.performance_id, scan.reservation_id) == (performance_id, party_id)
        if same and scan.verdict in set(Kind):
            reservation = _read_party(session, party_id)
            if performance is not None and claim is not None and scan.claimed is None:
                # The device did not get our answer, and decided by itself what really happened.
                _follow(session, scan, claim, performance, reservation)
            admission = _admission_of(session, scan.id)
            return Verdict(
                Kind(scan.verdict),
                scan.id,
                scan.people,
                reservation,
                _first_admission(session, party_id, scan.id) if scan.admitted_before else None,
                claimed=scan.claimed,
                undone=_is_undone(scan, admission),
                replayed=True,
            )
        # Under an identity of its own: the one that the device gave is another scan's.
        attempt = _attempt(uuid4(), performance_id, party, actor, claim)
        _write_down(session, attempt, REUSED, 0)
    raise ScanReused


def _follow(
    session: Session,
    scan: Scan,
    claim: Claim,
    performance: Performance,
    reservation: Reservation | None,
) -> None:
    """Make the books of a scan say what its device did."""
    admission = _admission_of(session, scan.id)
    scan.claimed = claim.people
    more = claim.people - scan.people
    if more > 0:
        door = _door(session, performance)
        kind, counted = count_claim(_facts(reservation), door, more)
        if reservation is None or not counted:
            return
        hold_again(reservation, counted)
        scan.verdict, scan.people = kind, scan.people + counted
        if admission is not None:
            admission.people = scan.people
        else:
            session.add(
                Admission(
                    scan_id=scan.id,
                    reservation_id=reservation.id,
                    people=counted,
                    admitted_at=scan.scanned_at,
                )
            )
    elif more < 0 and admission is not None and admission.undone_at is None:
        # Fewer went in than we had said, or nobody.
        scan.people = claim.people
        if claim.people:
            admission.people = claim.people
        else:
            scan.verdict = claim.verdict
            session.delete(admission)
    session.flush()
    if reservation is not None:
        session.refresh(reservation, ["admitted"])


def let_in_walk_ins(
    performance_id: int, people: int, scan_id: UUID, actor: Actor, claim: Claim | None = None
) -> Verdict:
    """Let in `people` who have no booking, if as many places are free, and record it.

    The same `scan_id` again answers what it answered first. With a `claim` they are in already: as many
    count as there are places. Verdicts are ADMITTED, FULL and PERFORMANCE_CANCELLED.

    Raises DoorUnknown, DeviceRevoked, and ScanReused when `scan_id` was used for something else.
    """
    try:
        with _by_valid_device(), transaction() as session:
            performance = _lock_door(session, performance_id)
            before = session.get(Scan, scan_id)
            if before is not None:
                return _same_walk_ins(session, before, performance, claim)
            wanted = people if claim is None else claim.people
            kind, counted = _decide_walk_ins(_door(session, performance), wanted, claim)
            reservation = None
            if counted:
                reservation = seat_walk_ins(session, performance_id, counted, scan_id)
            scan = _attempt(scan_id, performance_id, reservation, actor, claim)
            _write_down(session, scan, kind, counted)
            if reservation is not None:
                set_committed_value(reservation, "admitted", counted)
            verdict = Verdict(kind, scan_id, counted, reservation, None, _claimed(claim))
    except IntegrityError as error:
        # Somebody's scan took the identity in between, who does not wait for this performance.
        if violated_constraint(error) == "pk_scan":
            raise ScanReused from error
        raise
    _VERDICTS.labels(kind).inc()
    return verdict


def _decide_walk_ins(door: Door, people: int, claim: Claim | None) -> tuple[Kind, int]:
    """The verdict on walk-ins and how many count; those of a claim are in, as far as there are places."""
    if door.cancelled:
        return Kind.PERFORMANCE_CANCELLED, 0
    counted = people if claim is None else min(people, door.free, MAX_WALK_INS)
    if people == 0 and claim is not None:
        return (Kind.FULL if claim.verdict is Kind.ADMITTED else claim.verdict), 0
    return (Kind.ADMITTED, counted) if 0 < counted <= door.free else (Kind.FULL, 0)


def _same_walk_ins(
    session: Session, scan: Scan, performance: Performance, claim: Claim | None
) -> Verdict:
    of_walk_ins = scan.reservation is None or scan.reservation.walk_in
    if scan.performance_id != performance.id or not of_walk_ins:
        raise ScanReused
    if claim is not None and scan.claimed is None:
        # As in `_follow`: our answer was not heard.
        _follow_walk_ins(session, scan, claim, performance)
    admission = _admission_of(session, scan.id)
    return Verdict(
        Kind(scan.verdict),
        scan.id,
        scan.people,
        scan.reservation,
        None,
        claimed=scan.claimed,
        undone=_is_undone(scan, admission),
        replayed=True,
    )


def _follow_walk_ins(session: Session, scan: Scan, claim: Claim, performance: Performance) -> None:
    """Make the books of walk-ins say what their device did: so many are in, and have that many places."""
    kind, counted = scan.verdict, min(scan.people, claim.people)
    admission = _admission_of(session, scan.id)
    if claim.people > scan.people:
        more = claim.people - scan.people
        kind, added = _decide_walk_ins(_door(session, performance), more, claim)
        kind, counted = (scan.verdict if scan.people else kind), scan.people + added
    elif claim.people == 0 and claim.verdict is not Kind.ADMITTED:
        kind = claim.verdict
    if admission is not None and scan.reservation_id is not None:
        # What they were let in with goes, and what is true is written in its place.
        session.delete(admission)
        session.flush()
        end(lock_reservation(session, scan.reservation_id), State.CANCELLED)
        session.flush()
    scan.claimed, scan.verdict, scan.people = claim.people, kind, counted
    scan.reservation = None
    if counted:
        scan.reservation = seat_walk_ins(session, performance.id, counted, scan.id)
        session.add(
            Admission(
                scan_id=scan.id,
                reservation_id=scan.reservation.id,
                people=counted,
                admitted_at=scan.scanned_at,
            )
        )
    session.flush()
    if scan.reservation is not None:
        session.refresh(scan.reservation, ["admitted"])


def _attempt(
    scan_id: UUID,
    performance_id: int,
    party: PartyRow | Reservation | None,
    actor: Actor,
    claim: Claim | None = None,
) -> dict[str, Any]:
    """An attempt as the books keep it, but for what came of it."""
    at = now()
    return {
        "id": scan_id,
        "performance_id": performance_id,
        "reservation_id": party.id if party else None,
        "admitted_before": party.admitted if party else 0,
        "scanned_at": _believe(claim.at, at) if claim else at,
        "received_at": at,
        "claimed": _claimed(claim),
        "claim_undone_at": None,
        "door": actor.door,
        "user_id": actor.user_id,
        "token_id": actor.token_id,
    }


def _claimed(claim: Claim | None) -> int | None:
    return None if claim is None else claim.people


def _believe(told: datetime, at: datetime) -> datetime:
    """The time that a device tells, unless it cannot be."""
    return told if at - _OLDEST_CLAIM < told <= at else at


def record_of_revoked(
    performance_id: int, code: str | None, scan_id: UUID, actor: Actor, claim: Claim | None
) -> None:
    """Record what a revoked device sends: it counts for nobody, but staff shall know of it.

    The same `scan_id` again is recorded once. Raises DoorUnknown.
    """
    try:
        with transaction() as session:
            _read_door(session, performance_id)
            party = _lock_code(session, code or "")
            scan = _attempt(scan_id, performance_id, party, actor, claim)
            _write_down(session, scan, REVOKED, 0)
    except IntegrityError as error:
        if violated_constraint(error) != "pk_scan":
            raise


def count_revoked(token_id: int) -> int:
    """How many attempts of a device are in the books that it sent after it was revoked."""
    sent = select(func.count()).where(Scan.token_id == token_id, Scan.verdict == REVOKED)
    return db.session.scalar(sent) or 0


def undo(performance_id: int, scan_id: UUID, actor: Actor) -> Verdict:
    """Take an admission back: its people count as outside again. Undoing twice changes nothing.

    Walk-ins' places are free again with it. Raises ScanUnknown for a scan of another performance, or
    one that let nobody in.
    """
    with transaction() as session:
        scan = session.get(Scan, scan_id)
        if scan is None or scan.performance_id != performance_id:
            raise ScanUnknown
        reservation = _lock_party_of(session, scan)
        session.refresh(scan, ["claimed"])
        admission = _admission_of(session, scan_id)
        if admission is None and scan.claimed is None:
            raise ScanUnknown
        if scan.claimed:
            scan.claimed, scan.claim_undone_at = 0, now()
        if admission is not None and reservation is not None and admission.undone_at is None:
            admission.undone_at, admission.undone_by = now(), actor.label
            session.flush()
            session.refresh(reservation, ["admitted"])
            if reservation.walk_in:
                end(reservation, State.CANCELLED)
        return Verdict(
            Kind(scan.verdict), scan_id, 0, reservation, None, claimed=scan.claimed, undone=True
        )


def _is_undone(scan: Scan, admission: Admission | None) -> bool:
    of_counted = admission.undone_at if admission is not None else None
    return (of_counted or scan.claim_undone_at) is not None


def _lock_party_of(session: Session, scan: Scan) -> Reservation | None:
    if scan.reservation_id is None:
        return None
    if scan.reservation is not None and scan.reservation.walk_in:
        return lock_with_performance(session, scan.reservation_id)
    return lock_reservation(session, scan.reservation_id)


def _facts(party: Reservation | PartyRow | None) -> Party | None:
    if party is None:
        return None
    return Party(party.performance_id, party.state, party.seats, party.admitted, party.released)


def _read_party(session: Session, reservation_id: UUID | None) -> Reservation | None:
    if reservation_id is None:
        return None
    return session.get_one(Reservation, reservation_id, populate_existing=True)


def _lock_code(session: Session, code: str) -> PartyRow | None:
    """The party a code names, locked.

    Whatever a camera read is a code: what makes no sense names nobody.
    """
    if len(code.strip()) > MAX_CODE:
        return None
    identity = _ticket_of(code)
    if identity is None and (reference := read_reference(code.strip())):
        identity = session.scalar(select(Reservation.id).where(Reservation.reference == reference))
    if identity is None:
        return None
    try:
        return lock_party(session, identity)
    except ReservationUnknown:
        return None


def _ticket_of(code: str) -> UUID | None:
    """Whose ticket a code is, if it is one: the token, or the address that ends with it."""
    typed = code.strip()
    if len(typed) > MAX_CODE:
        return None
    return read_token(Purpose.TICKET, typed.rstrip("/").rpartition("/")[2])


def _lock_door(session: Session, performance_id: int) -> Performance:
    try:
        return lock_performance(session, performance_id)
    except PerformanceUnknown:
        raise DoorUnknown from None


def _door(session: Session, performance: Performance) -> Door:
    free = free_places(session, performance, now())
    return Door(performance.id, performance.cancelled_at is not None, free)


def _read_door(session: Session, performance_id: int) -> datetime | None:
    """When the performance of this door was cancelled; DoorUnknown."""
    performance = session.get(Performance, performance_id, populate_existing=True)
    if performance is None:
        raise DoorUnknown
    return performance.cancelled_at


def _admission_of(session: Session, scan_id: UUID) -> Admission | None:
    return session.scalar(select(Admission).where(Admission.scan_id == scan_id))


def _first_admission(
    session: Session, reservation_id: UUID | None, besides: UUID
) -> FirstAdmission | None:
    """Who of a party came first, but for those whom the scan `besides` let in."""
    if reservation_id is None:
        return None
    asked = {"reservation": reservation_id, "besides": besides}
    row = read_row(session.connection(), _FIRST, asked)
    return FirstAdmission(*row) if row else None


# People are in by a scan, of those whom devices let in also such as the books cannot count. To be asked of
# scans with their admission, if they have one, beside them.
HAS_PEOPLE_IN = or_(
    and_(Admission.id.is_not(None), Admission.undone_at.is_(None)),
    and_(
        Scan.claimed > literal_column("0"),
        Scan.verdict != literal_column(f"'{REVOKED}'"),
    ),
)
_NOTHING = literal_column("''", String)
# Of a person the name, or else the address; of a device the label: as Scan.by says it.
_FIRST = (
    select(
        Scan.scanned_at,
        func.coalesce(func.nullif(User.name, _NOTHING), User.email, ApiToken.label, _NOTHING),
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

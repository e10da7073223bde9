"""What a door device must know to go on without a network, and what changed since it last asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, case, select, text
from sqlalchemy.orm import aliased, joinedload

from azionelab.bookings.changes import Ended, Reduced, ended, reduced
from azionelab.bookings.models import LIVE, Reservation
from azionelab.bookings.tickets.signing import sign_ticket
from azionelab.checkin.devices.registry import ticket_digest
from azionelab.checkin.models import Admission, Passage, Scan
from azionelab.checkin.scan_log import COUNTED_IN, COUNTED_OUT, FirstAdmission
from azionelab.checkin.verdicts import Kind, Way
from azionelab.database import db
from azionelab.staff.models import User
from azionelab.tokens import Purpose, honoured_tokens

# With these nobody but walk-ins is refused without naming a booking, in scans that do not say so themselves.
_OF_WALK_INS = (Kind.FULL, Kind.PERFORMANCE_CANCELLED)
# Who held the device, without what they may do.
_BY = (joinedload(Scan.user).lazyload(User.roles), joinedload(Scan.token))
MAX_CONFLICTS = 200  # more than a device can show
# Added to cursors. One without it is of a list from before 0.4, which lacks the digests of signed tickets: an app
# that was kept from then knows these by nothing else.
_WITH_SIGNED_TICKETS = 1 << 52


@dataclass(frozen=True, slots=True)
class Listed:
    """A party as a device keeps it. `tickets` are digests; name and note are empty when the booking ended."""

    reference: str
    tickets: list[str]
    state: str
    name: str
    seats: int
    admitted: int
    released: int
    outside: int
    ended: Ended | None
    reduced: Reduced | None
    late_at: datetime | None  # about when the rest comes
    note: str
    has_note: bool  # also for who is not told what it says

    def without_names(self) -> "Listed":
        """As it is told to a device that may not know who booked."""
        return replace(self, name="", note="")


@dataclass(frozen=True)
class Changes:
    """Parties that changed since a cursor, or all of them (`complete`), and the next cursor."""

    parties: list[Listed]
    complete: bool
    cursor: int


@dataclass(frozen=True)
class Conflict:
    """More people are in than the books could count: `claimed` by a device, `people` counted, `beyond` not.

    If the reason is that the party's places were taken, `first` is who came in first, and `at`, `by` and
    `door` tell of the other: in the order in which they came, whichever door was heard first.
    """

    scan_id: UUID
    reference: str | None
    name: str
    walk_in: bool
    way: str  # in, or in again
    verdict: str
    people: int
    claimed: int
    beyond: int
    at: datetime
    by: str
    door: str
    first: FirstAdmission | None
    attempt: FirstAdmission  # its own, before or after that of the others

    def without_names(self) -> "Conflict":
        """As it is told to a device that may not know who booked."""
        return replace(self, name="")


def changes_since(performance_id: int, cursor: int | None) -> Changes:
    """The parties of a performance that were changed by transactions from number `cursor` on.

    The next cursor is the oldest transaction that may be under way, asked for before the rows are read:
    what it, or a later one, will have changed is seen next time. A row may come twice, none is missed.
    A cursor from the future is of another database, as before a restore: everything is sent. So it is for a
    cursor of an earlier release.
    """
    now = db.session.execute(_TRANSACTIONS).one()
    oldest, newest = int(now.xmin), int(now.xmax)
    since = -1 if cursor is None else cursor - _WITH_SIGNED_TICKETS
    complete = not 0 <= since <= newest
    asked = [Reservation.performance_id == performance_id, Reservation.walk_in.is_(False)]
    if not complete:
        # Rows of a restored database may name transactions that are still to come here.
        asked.append(Reservation.changed_in.between(since, newest))
    rows = db.session.execute(select(*_LISTED).where(and_(*asked)))
    parties = [_listed(performance_id, row) for row in rows]
    return Changes(parties, complete, oldest + _WITH_SIGNED_TICKETS)


def conflicts(performance_id: int) -> list[Conflict]:
    """What went wrong at the doors of a performance, the latest first."""
    scans = db.session.scalars(
        select(Scan)
        .where(
            Scan.performance_id == performance_id,
            Scan.claimed > Scan.people,
            # Of those who went out too many nobody is in beyond the books.
            Scan.way != Way.OUT,
        )
        .order_by(Scan.scanned_at.desc())
        .limit(MAX_CONFLICTS)
        .options(joinedload(Scan.reservation), *_BY)
    ).all()
    before = _first_of_others(scans) if scans else {}
    return [_conflict(scan, before.get(scan.id)) for scan in scans]


def _listed(performance_id: int, row: Row[Any]) -> Listed:
    is_live = row.state in LIVE
    return Listed(
        row.reference,
        _tickets(performance_id, row.id, row.reference),
        row.state,
        row.name if is_live else "",
        row.seats,
        row.admitted,
        row.released,
        row.outside,
        ended=ended(row),
        reduced=reduced(row),
        late_at=row.late_at if is_live and row.admitted < row.seats else None,
        note=row.note if is_live else "",
        has_note=is_live and bool(row.note),
    )


def _tickets(performance_id: int, identity: UUID, reference: str) -> list[str]:
    """The digests of a party's tickets: of those before 0.4, and of today's behind its slash."""
    signed = sign_ticket(performance_id, reference).partition("/")[2]
    older = honoured_tokens(Purpose.TICKET, identity)
    return [ticket_digest(token) for token in (signed, *older)]


def _conflict(scan: Scan, other: FirstAdmission | None) -> Conflict:
    here = FirstAdmission(scan.scanned_at, scan.shown_by, scan.door)
    party = scan.reservation
    first, last = (other, here) if other is None or other.at <= here.at else (here, other)
    return Conflict(
        scan_id=scan.id,
        reference=party.reference if party else None,
        # Of another performance's visitors its doors learn nothing.
        name=party.name if party and party.performance_id == scan.performance_id else "",
        walk_in=_is_of_walk_ins(scan),
        way=scan.way,
        verdict=scan.verdict,
        people=scan.people,
        claimed=scan.claimed or 0,
        beyond=scan.beyond,
        at=last.at,
        by=last.by,
        door=last.door,
        first=first,
        attempt=here,
    )


def _is_of_walk_ins(scan: Scan) -> bool:
    if scan.walk_in:
        return True
    return scan.reservation.walk_in if scan.reservation else scan.verdict in _OF_WALK_INS


def _first_of_others(scans: Sequence[Scan]) -> dict[UUID, FirstAdmission]:
    """By conflict, the first scan that let in people of the same party; of those in again, the first such one."""
    conflict = aliased(Scan)
    came_back = and_(COUNTED_OUT, Passage.people < 0)
    rows = db.session.execute(
        select(conflict.id, Scan)
        .join(Scan, Scan.reservation_id == conflict.reservation_id)
        .outerjoin(Admission, COUNTED_IN)
        .outerjoin(Passage, came_back)
        .where(
            conflict.id.in_([scan.id for scan in scans]),
            Scan.id != conflict.id,
            case((conflict.way == Way.AGAIN, Passage.id), else_=Admission.id).is_not(None),
        )
        .order_by(conflict.id, Scan.scanned_at.desc())
        .options(*_BY)
    )
    # Of several the earliest stays: it comes last.
    return {
        identity: FirstAdmission(scan.scanned_at, scan.shown_by, scan.door)
        for identity, scan in rows
    }


_TRANSACTIONS = text(
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin,"
    " pg_snapshot_xmax(pg_current_snapshot())::text AS xmax"
)
_LISTED: tuple[Any, ...] = (
    Reservation.id,
    Reservation.reference,
    Reservation.state,
    Reservation.name,
    Reservation.seats,
    Reservation.admitted,
    Reservation.released,
    Reservation.outside,
    Reservation.note,
    Reservation.late_at,
    Reservation.ended_at,
    Reservation.ended_by,
    Reservation.reduced_from,
    Reservation.reduced_at,
    Reservation.reduced_by,
)

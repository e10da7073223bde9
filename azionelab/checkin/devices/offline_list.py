"""The party list that a door device keeps for offline use, its changes since the last sync, and conflicts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, text
from sqlalchemy.orm import joinedload

from azionelab.bookings.box_office.models import PartyMove
from azionelab.bookings.history import By, Ended, Reduced, ended, reduced
from azionelab.bookings.models import LIVE, PARTY_COLUMNS, Kind, Reservation, State
from azionelab.bookings.party import Party
from azionelab.bookings.tickets.signing import sign_ticket
from azionelab.checkin.devices.registry import ticket_digest
from azionelab.checkin.models import Admission, Passage, Scan
from azionelab.checkin.scanning.scan_log import COUNTED_IN, COUNTED_OUT, FirstAdmission
from azionelab.checkin.verdicts import VerdictKind, Way
from azionelab.database import db
from azionelab.staff.models import User
from azionelab.tokens import Purpose, valid_tokens

# Scans before 0.4 do not say whether they are of walk-ins: without a reservation only walk-ins get these verdicts.
_OF_WALK_INS = (VerdictKind.FULL, VerdictKind.PERFORMANCE_CANCELLED)
# Of accounts the name is needed, not the roles.
_ACTOR = (joinedload(Scan.user).lazyload(User.roles), joinedload(Scan.token))
MAX_CONFLICTS = 200  # more than a device can show
# Added to cursors. A cursor without it belongs to a list from before 0.4, without the digests of signed tickets:
# such a list is sent anew, because an old cached app recognises tickets by digests only.
_SIGNED_TICKETS_FLAG = 1 << 52


@dataclass(frozen=True, slots=True)
class ListedParty:
    """A party as a device keeps it. `tickets` are digests; name and note are empty once the booking has ended."""

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
    late_at: datetime | None  # estimated time at which the others come
    note: str
    has_note: bool  # told to all devices; the text only to those with the right `names`
    # It left for another performance. An app that does not know this takes it for cancelled.
    moved: bool
    wheelchair_places: int = 0

    def without_names(self) -> "ListedParty":
        """For devices without the right `names`."""
        return replace(self, name="", note="")


@dataclass(frozen=True)
class Changes:
    """Parties that changed since a cursor, or all parties (`complete`), and the next cursor."""

    parties: list[ListedParty]
    complete: bool
    cursor: int


@dataclass(frozen=True)
class Conflict:
    """An offline device let in `claimed` people, of whom the scan log counts `people` and not `beyond`.

    If others of the party had used its seats, `first` is the earlier admission, and `at`, `by` and `door` are
    the later one: in the order of the scans, whichever device sent its own first.
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
    attempt: FirstAdmission  # of this scan, whether it came first or later

    def without_names(self) -> "Conflict":
        """For devices without the right `names`."""
        return replace(self, name="")


def changes_since(performance_id: int, cursor: int | None) -> Changes:
    """The parties of a performance that transactions from number `cursor` on have changed.

    The next cursor is the oldest transaction that may still run, read before the rows are: its changes, and
    those of later ones, are sent next time. A row may be sent twice, none is missed. For a cursor from the
    future (of another database, before a restore) or of an earlier release all parties are sent.
    """
    now = db.session.execute(_TRANSACTIONS).one()
    oldest, newest = int(now.xmin), int(now.xmax)
    since = -1 if cursor is None else cursor - _SIGNED_TICKETS_FLAG
    complete = not 0 <= since <= newest
    asked = [
        Reservation.walk_in.is_(False),
        Reservation.kind != Kind.HOUSE,
        Reservation.state != State.WAITING,
    ]
    if not complete:
        # Rows of a restored database may name transactions that this server has not reached.
        asked.append(Reservation.changed_in.between(since, newest))
    here = select(*PARTY_COLUMNS).where(Reservation.performance_id == performance_id, *asked)
    found = [Party(*row) for row in db.session.execute(here)]
    # Nearly every sync brings nothing new.
    earlier = _earlier_performances(performance_id) if found else {}
    parties = [_listed(party, earlier.get(party.id, ())) for party in found]
    return Changes(
        [*parties, *_moved_away(performance_id, asked)], complete, oldest + _SIGNED_TICKETS_FLAG
    )


def _earlier_performances(performance_id: int) -> dict[UUID | None, list[int]]:
    """The performances that parties of this one were moved from: their tickets name those."""
    rows = db.session.execute(
        select(PartyMove.reservation_id, PartyMove.performance_id)
        .join(Reservation, Reservation.id == PartyMove.reservation_id)
        .where(
            Reservation.performance_id == performance_id,
            PartyMove.performance_id != performance_id,
        )
    )
    earlier: dict[UUID | None, list[int]] = {}
    for reservation_id, left in rows:
        earlier.setdefault(reservation_id, []).append(left)
    return earlier


def _moved_away(performance_id: int, asked: Sequence[ColumnElement[bool]]) -> list[ListedParty]:
    """The parties that left the performance, without anything that concerns only the other one."""
    rows = db.session.execute(
        select(*PARTY_COLUMNS, PartyMove.moved_at)
        .join(PartyMove, PartyMove.reservation_id == Reservation.id)
        .where(
            PartyMove.performance_id == performance_id,
            Reservation.performance_id != performance_id,
            *asked,
        )
    )
    return [_left(Party(*row[:-1]), performance_id, row[-1]) for row in rows]


def _left(party: Party, performance_id: int, moved_at: datetime) -> ListedParty:
    return ListedParty(
        party.reference,
        _tickets(party, [performance_id]),
        State.CANCELLED,
        name="",
        seats=party.seats,
        admitted=0,
        released=0,
        outside=0,
        ended=Ended(moved_at, By.STAFF),
        reduced=None,
        late_at=None,
        note="",
        has_note=False,
        moved=True,
    )


def conflicts(performance_id: int) -> list[Conflict]:
    """The conflicts of a performance, latest first."""
    scans = db.session.scalars(
        select(Scan)
        .where(
            Scan.performance_id == performance_id,
            Scan.claimed > Scan.people,
            # Too many people counted as out are no conflict: nobody is in who should not be.
            Scan.way != Way.OUT,
        )
        .order_by(Scan.scanned_at.desc())
        .limit(MAX_CONFLICTS)
        .options(joinedload(Scan.reservation), *_ACTOR)
    ).all()
    before = _first_of_others(scans) if scans else {}
    return [_conflict(scan, before.get(scan.id)) for scan in scans]


def _listed(party: Party, earlier: Sequence[int]) -> ListedParty:
    is_live = party.state in LIVE
    return ListedParty(
        party.reference,
        _tickets(party, [party.performance_id, *earlier]),
        party.state,
        party.name if is_live else "",
        party.seats,
        party.admitted,
        party.released,
        party.outside,
        ended=ended(party),
        reduced=reduced(party),
        late_at=party.awaited_at if is_live else None,
        note=party.note if is_live else "",
        has_note=is_live and bool(party.note),
        moved=False,
        wheelchair_places=party.wheelchair_places if is_live else 0,
    )


def _tickets(party: Party, performances: Sequence[int]) -> list[str]:
    """Digests of a party's tickets: of those signed for `performances` (the part behind the slash), and older ones.

    Older ones are from before 0.4, and name no performance.
    """
    signed = [sign_ticket(one, party.reference).partition("/")[2] for one in performances]
    older = valid_tokens(Purpose.TICKET, party.id) if party.id is not None else []
    return [ticket_digest(token) for token in (*signed, *older)]


def _conflict(scan: Scan, other: FirstAdmission | None) -> Conflict:
    here = FirstAdmission(scan.scanned_at, scan.shown_by, scan.door)
    party = scan.reservation
    first, last = (other, here) if other is None or other.at <= here.at else (here, other)
    return Conflict(
        scan_id=scan.id,
        reference=party.reference if party else None,
        # A door must not see visitors of other performances.
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
    """For each conflict the first other scan that let in, or in again, people of the same party; by scan id."""
    came_back = and_(COUNTED_OUT, Passage.people < 0)
    parties = {scan.reservation_id for scan in scans if scan.reservation_id is not None}
    # Parties and conflicts are paired here: a join of the scans with themselves takes the database minutes when it
    # guesses wrong how many there are, as it does before its first statistics.
    rows = db.session.execute(
        select(Scan, Admission.id, Passage.id)
        .outerjoin(Admission, COUNTED_IN)
        .outerjoin(Passage, came_back)
        .where(
            Scan.reservation_id.in_(list(parties)),
            or_(Admission.id.is_not(None), Passage.id.is_not(None)),
        )
        .order_by(Scan.scanned_at, Scan.id)
        .options(*_ACTOR)
    ).all()
    by_party: dict[UUID | None, list[tuple[Scan, bool, bool]]] = defaultdict(list)
    for scan, admission, passage in rows:
        by_party[scan.reservation_id].append((scan, admission is not None, passage is not None))
    found = {}
    for conflict in scans:
        for scan, let_in, let_in_again in by_party[conflict.reservation_id]:
            counts = let_in_again if conflict.way == Way.AGAIN else let_in
            if counts and scan.id != conflict.id:
                found[conflict.id] = FirstAdmission(scan.scanned_at, scan.shown_by, scan.door)
                break
    return found


_TRANSACTIONS = text(
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin,"
    " pg_snapshot_xmax(pg_current_snapshot())::text AS xmax"
)

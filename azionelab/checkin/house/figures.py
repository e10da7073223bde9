"""What happened at a performance's doors: arrivals, refusals, revoked devices, the scan log. Seats and people now: counts.py."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, func, not_, select
from sqlalchemy.orm import aliased, joinedload

from azionelab.checkin.models import Admission, Passage, Scan
from azionelab.checkin.scanning.scan_log import COUNTED_IN
from azionelab.checkin.verdicts import REVOKED, VerdictKind, Way
from azionelab.database import db
from azionelab.staff.models import ApiToken

STEP = timedelta(minutes=5)
MAX_REFUSED = 50  # the latest ones; the scan log page lists all
_ASKING = (
    VerdictKind.RELEASED,
    VerdictKind.CHANGED,
    VerdictKind.TOO_MANY,
    VerdictKind.SOME_OUT,
)  # questions to the person at the door, not refusals
_LET_IN = (VerdictKind.ADMITTED, VerdictKind.IN_AGAIN)
_MIDNIGHT = datetime(2001, 1, 1, tzinfo=UTC)  # any midnight: the steps are aligned to it
_NAMES = (
    joinedload(Scan.reservation),
    joinedload(Scan.user),
    joinedload(Scan.token),
)


class Arrivals(NamedTuple):
    """People admitted within the STEP that begins `at`."""

    at: datetime
    people: int


class DoorFigures(NamedTuple):
    """The scans of one door, the people it admitted, and its refused scans."""

    door: str
    scans: int
    people: int
    refused: int


class RevokedFigures(NamedTuple):
    """Scans that a device sent after it was revoked, and the people it claims to have let in. None count."""

    label: str
    scans: int
    people: int
    last_at: datetime


class Activity(NamedTuple):
    """What happened at a performance's doors."""

    arrivals: list[Arrivals]  # in order of time; empty steps are left out
    doors: list[DoorFigures]  # by name
    refusals: dict[str, int]  # refused scans by verdict, most frequent first


def activity(performance_id: int) -> Activity:
    """What the doors did, read in one statement: arrivals by time, scans by door, refusals by verdict."""
    scans = (
        select(
            func.date_bin(STEP, Scan.scanned_at, _MIDNIGHT).label("step"),
            Scan.door,
            Scan.verdict,
            Admission.people,
            _refused().label("refused"),
        )
        .outerjoin(Admission, COUNTED_IN)
        .where(Scan.performance_id == performance_id)
        .subquery()
    )
    kind = scans.c.step, scans.c.door, scans.c.verdict, scans.c.refused
    rows = db.session.execute(select(*kind, func.count(), func.sum(scans.c.people)).group_by(*kind))
    came: Counter[datetime] = Counter()
    refused: Counter[str] = Counter()
    by_door: dict[str, list[int]] = {}
    for at, door, verdict, is_refused, tried, people in rows:
        if people is not None:
            came[at] += people
        if is_refused:
            refused[verdict] += tried
        sums = by_door.setdefault(door, [0, 0, 0])
        sums[0] += tried
        sums[1] += people or 0
        sums[2] += tried if is_refused else 0
    return Activity(
        [Arrivals(*one) for one in sorted(came.items())],
        [DoorFigures(door, *sums) for door, sums in sorted(by_door.items())],
        dict(sorted(refused.items(), key=lambda one: (-one[1], one[0]))),
    )


def latest_refused(performance_id: int) -> list[Scan]:
    """The latest refused scans, with their parties loaded."""
    return list(
        db.session.scalars(
            select(Scan)
            .where(Scan.performance_id == performance_id, _refused())
            .order_by(Scan.scanned_at.desc(), Scan.id)
            .limit(MAX_REFUSED)
            .options(*_NAMES)
        )
    )


def sent_by_revoked(performance_id: int) -> list[RevokedFigures]:
    """Scans sent by revoked devices, by device."""
    rows = db.session.execute(
        select(
            ApiToken.label,
            func.count(Scan.id),
            func.sum(case((Scan.way != Way.OUT, func.coalesce(Scan.claimed, 0)), else_=0)),
            func.max(Scan.scanned_at),
        )
        .join(Scan, Scan.token_id == ApiToken.id)
        .where(Scan.performance_id == performance_id, Scan.verdict == REVOKED)
        .group_by(ApiToken.id)
        .order_by(ApiToken.id)
    )
    return [RevokedFigures(*row) for row in rows]


def attempts(performance_id: int) -> list[tuple[Scan, datetime | None]]:
    """All scans of a performance in order of time, each with the time at which it was undone."""
    rows = db.session.execute(
        select(Scan, func.coalesce(Admission.undone_at, Passage.undone_at, Scan.claim_undone_at))
        .outerjoin(Admission, Admission.scan_id == Scan.id)
        .outerjoin(Passage, Passage.scan_id == Scan.id)
        .where(Scan.performance_id == performance_id)
        .order_by(Scan.scanned_at, Scan.id)
        .options(*_NAMES)
    )
    return [(scan, undone_at) for scan, undone_at in rows]


def _refused() -> ColumnElement[bool]:
    """The scan let nobody in, and its party was sent away.

    Not refused are scans by which a device let people in that could not be counted, or undid that; nor
    questions (_ASKING) after which the same door let the party in.
    """
    later = aliased(Scan)
    answered = exists().where(
        later.reservation_id == Scan.reservation_id,
        later.door == Scan.door,
        later.scanned_at >= Scan.scanned_at,
        later.verdict.in_(_LET_IN),
    )
    return and_(
        Scan.verdict.not_in([*_LET_IN, REVOKED]),
        Scan.way != Way.OUT,
        func.coalesce(Scan.claimed, 0) == 0,
        Scan.claim_undone_at.is_(None),
        not_(and_(Scan.verdict.in_(_ASKING), answered.correlate(Scan))),
    )

"""Exit and re-entry during the interval: the switch for it, and people without a ticket.

People with a ticket go out and come back by it (scans.py). Walk-ins, and people whom a phone let in without the
list, cannot be told apart: they are counted together, as one party of everybody in the building. That locks the
performance (docs/locking.md).
"""

from uuid import UUID

from sqlalchemy.orm import Session

from azionelab.bookings.models import State
from azionelab.bookings.party import Party
from azionelab.checkin.house.building import people_in
from azionelab.checkin.metrics import VERDICTS_GIVEN
from azionelab.checkin.models import Scan
from azionelab.checkin.scanning.facts import lock_door
from azionelab.checkin.scanning.passages import (
    apply_passage_claim,
    count_outside_without_ticket,
    find_passage,
)
from azionelab.checkin.scanning.scan_log import (
    Actor,
    Claim,
    ScanReused,
    Verdict,
    claimed_people,
    record_scan,
    recorded_verdict,
    refuse_reused_scan,
    refuse_revoked_device,
    scan_values,
)
from azionelab.checkin.verdicts import Door, ScanOptions, VerdictKind, Way, count_claim, decide
from azionelab.database import transaction
from azionelab.shows.models import Performance


def allow_reentry(performance_id: int, *, allowed: bool) -> None:
    """Switch exit and re-entry on or off. People who are out may come back in any case.

    Raises DoorUnknown.
    """
    with transaction() as session:
        lock_door(session, performance_id).reentry = allowed


def pass_without_ticket(
    performance_id: int,
    people: int,
    scan_id: UUID,
    actor: Actor,
    way: Way,
    *,
    claim: Claim | None = None,
) -> Verdict:
    """Let `people` without a ticket out, or in again (`way`), and record it.

    No more can come back than went out, and no more can go out than are in the building. The same `scan_id` again
    gives the same verdict. With a `claim` they have gone already, and as many count as possible.

    Raises DoorUnknown, DeviceRevoked, and ScanReused if `scan_id` was used for something else.
    """
    with refuse_reused_scan(), refuse_revoked_device(), transaction() as session:
        performance = lock_door(session, performance_id)
        before = session.get(Scan, scan_id)
        if before is not None:
            return _repeat(session, before, performance, way, claim)
        kind, counted = _decide(session, performance, people, way, claim)
        scan = scan_values(scan_id, performance_id, None, actor, claim, walk_in=True, way=way)
        record_scan(session, scan, kind, 0, counted if way is Way.OUT else -counted)
        verdict = Verdict(kind, scan_id, counted, None, None, claimed_people(claim), way=way)
    VERDICTS_GIVEN.labels(kind).inc()
    return verdict


def _decide(
    session: Session, performance: Performance, people: int, way: Way, claim: Claim | None
) -> tuple[VerdictKind, int]:
    everybody = _everybody(session, performance)
    is_cancelled = performance.cancelled_at is not None
    door = Door(performance.id, is_cancelled, reentry=performance.reentry)
    if claim is None:
        return decide(everybody, door, ScanOptions(people, way=way))
    return count_claim(everybody, door, claim.people, way) if claim.people else (claim.verdict, 0)


def _everybody(session: Session, performance: Performance) -> Party:
    """Everybody in the building, and people without a ticket who are out, as one party."""
    outside = count_outside_without_ticket(session, performance.id)
    admitted = people_in(performance.id).people + outside
    return Party(performance.id, State.CONFIRMED, admitted, admitted, outside=outside)


def _repeat(
    session: Session, scan: Scan, performance: Performance, way: Way, claim: Claim | None
) -> Verdict:
    if (scan.performance_id, scan.walk_in, scan.way) != (performance.id, True, way):
        raise ScanReused
    if claim is not None and scan.claimed is None:
        # As with a ticket: the answer was lost.
        scan.claimed = claim.people
        everybody = _everybody(session, performance)
        apply_passage_claim(session, scan, claim.people, claim.verdict, everybody)
    return recorded_verdict(scan, None, find_passage(session, scan.id), None)

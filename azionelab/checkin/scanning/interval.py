"""The interval: whether people may go out and come in again, and those of them who have no ticket.

Who has a ticket goes out by it, and comes back (scans.py). Walk-ins, and people whom a phone let in without the list,
are known by nothing: they are counted together, as one party of all who are in the building. The performance is
locked for them (docs/locking.md).
"""

from uuid import UUID

from sqlalchemy.orm import Session

from azionelab.bookings.models import State
from azionelab.bookings.party import Party
from azionelab.checkin.house.building import people_in
from azionelab.checkin.metrics import VERDICTS_GIVEN
from azionelab.checkin.models import Scan
from azionelab.checkin.scanning.facts import lock_door
from azionelab.checkin.scanning.passages import follow_passage, passage_of, people_without_ticket
from azionelab.checkin.scanning.scan_log import (
    Actor,
    Claim,
    ScanReused,
    Verdict,
    by_new_scan,
    by_valid_device,
    claimed_people,
    describe_attempt,
    read_verdict,
    write_down,
)
from azionelab.checkin.verdicts import Asked, Door, Kind, Way, count_claim, decide
from azionelab.database import transaction
from azionelab.shows.models import Performance


def allow_reentry(performance_id: int, *, allowed: bool) -> None:
    """Let people go out and come in again this evening, or nobody any more. Who is out then comes back.

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
    """Let out `people` who have no ticket, or in again (`way`), and record it.

    No more come back than went out, and no more go out than are in the building. The same `scan_id` again answers
    what it answered first; with a `claim` they went already, and as many count as can.

    Raises DoorUnknown, DeviceRevoked, and ScanReused when `scan_id` was used for something else.
    """
    with by_new_scan(), by_valid_device(), transaction() as session:
        performance = lock_door(session, performance_id)
        before = session.get(Scan, scan_id)
        if before is not None:
            return _again(session, before, performance, way, claim)
        kind, counted = _decide(session, performance, people, way, claim)
        scan = describe_attempt(scan_id, performance_id, None, actor, claim, walk_in=True, way=way)
        write_down(session, scan, kind, 0, counted if way is Way.OUT else -counted)
        verdict = Verdict(kind, scan_id, counted, None, None, claimed_people(claim), way=way)
    VERDICTS_GIVEN.labels(kind).inc()
    return verdict


def _decide(
    session: Session, performance: Performance, people: int, way: Way, claim: Claim | None
) -> tuple[Kind, int]:
    everybody = _everybody(session, performance)
    is_cancelled = performance.cancelled_at is not None
    door = Door(performance.id, is_cancelled, reentry=performance.reentry)
    if claim is None:
        return decide(everybody, door, Asked(people, way=way))
    return count_claim(everybody, door, claim.people, way) if claim.people else (claim.verdict, 0)


def _everybody(session: Session, performance: Performance) -> Party:
    """All in the building, and who of those without a ticket is out: as one party."""
    outside = people_without_ticket(session, performance.id)
    admitted = people_in(performance.id).people + outside
    return Party(performance.id, State.CONFIRMED, admitted, admitted, outside=outside)


def _again(
    session: Session, scan: Scan, performance: Performance, way: Way, claim: Claim | None
) -> Verdict:
    if (scan.performance_id, scan.walk_in, scan.way) != (performance.id, True, way):
        raise ScanReused
    if claim is not None and scan.claimed is None:
        # As with a ticket: our answer was not heard.
        scan.claimed = claim.people
        everybody = _everybody(session, performance)
        follow_passage(session, scan, claim.people, claim.verdict, everybody)
    return read_verdict(scan, None, passage_of(session, scan.id), None)

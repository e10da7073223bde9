"""Walk-ins: people without a booking, let in while seats are free.

They take free seats, so the performance is locked first (docs/locking.md). Of walk-ins whom an offline phone let in,
as many count as there are seats.
"""

from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session

from azionelab.bookings.locks import lock_reservation
from azionelab.bookings.models import party_of
from azionelab.bookings.transitions.walk_ins import replace_walk_ins, seat_walk_ins
from azionelab.checkin.limits import MAX_WALK_INS
from azionelab.checkin.metrics import VERDICTS_GIVEN
from azionelab.checkin.models import Scan
from azionelab.checkin.scanning.facts import lock_door, read_locked_door
from azionelab.checkin.scanning.scan_log import (
    Actor,
    Claim,
    ScanReused,
    Verdict,
    add_admission,
    claimed_people,
    find_admission,
    record_scan,
    recorded_verdict,
    refuse_reused_scan,
    refuse_revoked_device,
    scan_values,
)
from azionelab.checkin.verdicts import Door, VerdictKind, Way
from azionelab.database import transaction
from azionelab.shows.models import Performance


def let_in_walk_ins(
    performance_id: int, people: int, scan_id: UUID, actor: Actor, claim: Claim | None = None
) -> Verdict:
    """Let in `people` without a booking if as many seats are free, and record it.

    The same `scan_id` again gives the same verdict. With a `claim` they are in already, and as many count as there
    are seats. Verdicts are ADMITTED, FULL and PERFORMANCE_CANCELLED.

    Raises DoorUnknown, DeviceRevoked, and ScanReused if `scan_id` was used for something else.
    """
    with refuse_reused_scan(), refuse_revoked_device(), transaction() as session:
        performance = lock_door(session, performance_id)
        before = session.get(Scan, scan_id)
        if before is not None:
            return _repeat_walk_ins(session, before, performance, claim)
        wanted = people if claim is None else claim.people
        kind, counted = _decide_walk_ins(read_locked_door(session, performance), wanted, claim)
        party = None
        if counted:
            party = party_of(seat_walk_ins(session, performance_id, counted, scan_id))
        scan = scan_values(scan_id, performance_id, party, actor, claim, walk_in=True)
        record_scan(session, scan, kind, counted)
        if party is not None:
            party = replace(party, admitted=counted)
        verdict = Verdict(
            kind, scan_id, counted, party, None, claimed_people(claim), walk_ins=party is not None
        )
    VERDICTS_GIVEN.labels(kind).inc()
    return verdict


def _decide_walk_ins(door: Door, people: int, claim: Claim | None) -> tuple[VerdictKind, int]:
    """The verdict on walk-ins, and how many count; of a claim as many as there are seats."""
    if door.cancelled:
        return VerdictKind.PERFORMANCE_CANCELLED, 0
    counted = people if claim is None else min(people, door.free, MAX_WALK_INS)
    if people == 0 and claim is not None:
        return (VerdictKind.FULL if claim.verdict is VerdictKind.ADMITTED else claim.verdict), 0
    return (VerdictKind.ADMITTED, counted) if 0 < counted <= door.free else (VerdictKind.FULL, 0)


def _repeat_walk_ins(
    session: Session, scan: Scan, performance: Performance, claim: Claim | None
) -> Verdict:
    of_walk_ins = scan.reservation is None or scan.reservation.walk_in
    if (scan.performance_id, scan.way) != (performance.id, Way.IN) or not of_walk_ins:
        raise ScanReused
    if claim is not None and scan.claimed is None:
        # As with a ticket: the answer was lost.
        _apply_claim(session, scan, claim, performance)
    admission = find_admission(session, scan.id)
    return recorded_verdict(scan, scan.reservation, admission, None)


def _apply_claim(session: Session, scan: Scan, claim: Claim, performance: Performance) -> None:
    """Correct recorded walk-ins by the device's offline decision."""
    kind, counted = scan.verdict, min(scan.people, claim.people)
    admission = find_admission(session, scan.id)
    if claim.people > scan.people:
        more = claim.people - scan.people
        kind, added = _decide_walk_ins(read_locked_door(session, performance), more, claim)
        kind, counted = (scan.verdict if scan.people else kind), scan.people + added
    elif claim.people == 0 and claim.verdict is not VerdictKind.ADMITTED:
        kind = claim.verdict
    if admission is not None and scan.reservation_id is not None:
        # Replace the recorded admission by a new one.
        session.delete(admission)
        session.flush()
        before = lock_reservation(session, scan.reservation_id)
        seated = replace_walk_ins(session, performance, before, counted)
    else:
        seated = seat_walk_ins(session, performance.id, counted, scan.id) if counted else None
    scan.claimed, scan.verdict, scan.people = claim.people, kind, counted
    scan.reservation = seated
    if seated is not None:
        add_admission(session, scan, seated.id, counted)
    session.flush()
    if seated is not None:
        session.refresh(seated, ["admitted"])

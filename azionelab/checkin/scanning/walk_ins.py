"""Walk-ins: people without a booking, let in as long as places are free.

They take places, so the performance is locked before all else (docs/locking.md). A phone without a network
lets them in by itself; the books follow as far as there are places.
"""

from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session

from azionelab.bookings.locks import lock_reservation
from azionelab.bookings.party import party_of
from azionelab.bookings.transitions import replace_walk_ins, seat_walk_ins
from azionelab.checkin.limits import MAX_WALK_INS
from azionelab.checkin.metrics import VERDICTS_GIVEN
from azionelab.checkin.models import Scan
from azionelab.checkin.scanning.facts import door_facts, lock_door
from azionelab.checkin.scanning.scan_log import (
    Actor,
    Claim,
    ScanReused,
    Verdict,
    add_admission,
    admission_of,
    by_new_scan,
    by_valid_device,
    claimed_people,
    describe_attempt,
    read_verdict,
    write_down,
)
from azionelab.checkin.verdicts import Door, Kind, Way
from azionelab.database import transaction
from azionelab.shows.models import Performance


def let_in_walk_ins(
    performance_id: int, people: int, scan_id: UUID, actor: Actor, claim: Claim | None = None
) -> Verdict:
    """Let in `people` who have no booking, if as many places are free, and record it.

    The same `scan_id` again answers what it answered first. With a `claim` they are in already: as many
    count as there are places. Verdicts are ADMITTED, FULL and PERFORMANCE_CANCELLED.

    Raises DoorUnknown, DeviceRevoked, and ScanReused when `scan_id` was used for something else.
    """
    with by_new_scan(), by_valid_device(), transaction() as session:
        performance = lock_door(session, performance_id)
        before = session.get(Scan, scan_id)
        if before is not None:
            return _same_walk_ins(session, before, performance, claim)
        wanted = people if claim is None else claim.people
        kind, counted = _decide_walk_ins(door_facts(session, performance), wanted, claim)
        party = None
        if counted:
            party = party_of(seat_walk_ins(session, performance_id, counted, scan_id))
        scan = describe_attempt(scan_id, performance_id, party, actor, claim, walk_in=True)
        write_down(session, scan, kind, counted)
        if party is not None:
            party = replace(party, admitted=counted)
        verdict = Verdict(
            kind, scan_id, counted, party, None, claimed_people(claim), walk_ins=party is not None
        )
    VERDICTS_GIVEN.labels(kind).inc()
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
    if (scan.performance_id, scan.way) != (performance.id, Way.IN) or not of_walk_ins:
        raise ScanReused
    if claim is not None and scan.claimed is None:
        # As with a ticket: our answer was not heard.
        _follow_walk_ins(session, scan, claim, performance)
    admission = admission_of(session, scan.id)
    return read_verdict(scan, scan.reservation, admission, None)


def _follow_walk_ins(session: Session, scan: Scan, claim: Claim, performance: Performance) -> None:
    """Make the books of walk-ins say what their device did: so many are in, and have that many places."""
    kind, counted = scan.verdict, min(scan.people, claim.people)
    admission = admission_of(session, scan.id)
    if claim.people > scan.people:
        more = claim.people - scan.people
        kind, added = _decide_walk_ins(door_facts(session, performance), more, claim)
        kind, counted = (scan.verdict if scan.people else kind), scan.people + added
    elif claim.people == 0 and claim.verdict is not Kind.ADMITTED:
        kind = claim.verdict
    if admission is not None and scan.reservation_id is not None:
        # What they were let in with goes, and what is true is written in its place.
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

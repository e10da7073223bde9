"""Scans sent again: answered as the first time, corrected by an offline decision, or refused as reused."""

from uuid import UUID, uuid4, uuid5

from sqlalchemy.orm import Session

from azionelab.bookings.models import Reservation, party_of
from azionelab.bookings.seats.no_show_seats import hold_again
from azionelab.checkin.models import Scan
from azionelab.checkin.scanning.facts import lock_door, lock_party_by_code, read_locked_door
from azionelab.checkin.scanning.passages import apply_passage_claim, find_passage
from azionelab.checkin.scanning.scan_log import (
    Actor,
    Claim,
    ScanReused,
    Verdict,
    add_admission,
    find_admission,
    first_admission,
    record_scan,
    recorded_verdict,
    scan_values,
)
from azionelab.checkin.verdicts import REUSED, VerdictKind, Way, count_claim
from azionelab.database import transaction
from azionelab.shows.models import Performance


def repeat_scan(attempt: tuple[int, str, UUID, Actor], way: Way, claim: Claim | None) -> Verdict:
    performance_id, code, scan_id, actor = attempt
    with transaction() as session:
        performance = lock_door(session, performance_id) if claim else None
        party = lock_party_by_code(session, code)
        scan = session.get_one(Scan, scan_id)
        party_id = party.id if party else None
        same = (scan.performance_id, scan.reservation_id) == (performance_id, party_id)
        if same and scan.verdict in set(VerdictKind):
            reservation = _read_party(session, party_id)
            if performance is not None and claim is not None and scan.claimed is None:
                # The device did not get the answer and decided offline: its decision is what happened.
                if not scan.people and way is not Way.ANY:
                    scan.way = way
                _apply_claim(session, scan, claim, performance, reservation)
            written = find_admission(session, scan.id) or find_passage(session, scan.id)
            first = first_admission(session, party_id, scan.id) if scan.admitted_before else None
            return recorded_verdict(scan, reservation, written, first)
        # Record it under a new id, because the given one is another scan's. A claim is repeated until the device
        # gets the answer, so its new id is derived, and it is recorded once.
        new_id = uuid5(scan_id, f"{performance_id} {party_id}") if claim else uuid4()
        if claim is None or session.get(Scan, new_id) is None:
            reused = scan_values(new_id, performance_id, party, actor, claim, way=way)
            record_scan(session, reused, REUSED, 0)
    raise ScanReused


def _apply_claim(
    session: Session,
    scan: Scan,
    claim: Claim,
    performance: Performance,
    reservation: Reservation | None,
) -> None:
    """Correct a recorded scan by the device's offline decision."""
    scan.claimed = claim.people
    more = claim.people - scan.people
    if scan.way != Way.IN:
        if reservation is not None:
            apply_passage_claim(session, scan, claim.people, claim.verdict, party_of(reservation))
            session.refresh(reservation, ["outside"])
        return
    admission = find_admission(session, scan.id)
    if more > 0:
        door = read_locked_door(session, performance, reservation)
        kind, counted = count_claim(party_of(reservation), door, more)
        if reservation is None or not counted:
            return
        hold_again(session, reservation, counted)
        scan.verdict, scan.people = kind, scan.people + counted
        if admission is not None:
            admission.people = scan.people
        else:
            add_admission(session, scan, reservation.id, counted)
    elif more < 0 and admission is not None and admission.undone_at is None:
        # The device let in fewer people than the server had, or nobody.
        scan.people = claim.people
        if claim.people:
            admission.people = claim.people
        else:
            scan.verdict = claim.verdict
            session.delete(admission)
    session.flush()
    if reservation is not None:
        session.refresh(reservation, ["admitted"])


def _read_party(session: Session, reservation_id: UUID | None) -> Reservation | None:
    if reservation_id is None:
        return None
    return session.get_one(Reservation, reservation_id, populate_existing=True)

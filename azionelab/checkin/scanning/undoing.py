"""Undo scans: their people do not count as in or out any more."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_performance, lock_reservation, lock_with_performance
from azionelab.bookings.models import Reservation
from azionelab.bookings.transitions import parties
from azionelab.checkin.devices.rights import RightMissing
from azionelab.checkin.models import Admission, Scan
from azionelab.checkin.scanning.passages import (
    cap_outside,
    cap_outside_without_ticket,
    find_passage,
    undo_passage,
)
from azionelab.checkin.scanning.scan_log import (
    Actor,
    ScanUnknown,
    Verdict,
    find_admission,
    recorded_verdict,
)
from azionelab.checkin.verdicts import REVOKED, Way
from azionelab.database import now, transaction


def undo(performance_id: int, scan_id: UUID, actor: Actor, *, only_own: bool = False) -> Verdict:
    """Undo an admission or a passage. Undoing twice changes nothing.

    People who are out but not in without it do not count as out any more. Seats of walk-ins become free. Raises
    ScanUnknown for a scan of another performance, or one without people; with `only_own` RightMissing for a scan of
    another device.
    """
    with transaction() as session:
        scan = session.get(Scan, scan_id)
        if scan is None or scan.performance_id != performance_id:
            raise ScanUnknown
        if only_own and scan.token_id != actor.token_id:
            raise RightMissing
        reservation = _lock_party_of(session, scan)
        session.refresh(scan, ["claimed"])
        admission, passage = find_admission(session, scan_id), find_passage(session, scan_id)
        if admission is None and passage is None and scan.claimed is None:
            raise ScanUnknown
        entered = 0
        if scan.claimed:
            entered, scan.claimed, scan.claim_undone_at = scan.claimed, 0, now()
        if admission is not None and reservation is not None and admission.undone_at is None:
            entered = max(entered, admission.people)
            void_admission(admission, actor.label)
            session.flush()
            cap_outside(session, reservation, actor.label)
            if reservation.walk_in:
                parties.cancel(session, reservation, By.STAFF)
        if scan.way == Way.IN and (reservation is None or reservation.walk_in):
            cap_outside_without_ticket(session, scan, entered, actor.label)
        if passage is not None and passage.undone_at is None:
            undo_passage(session, passage, scan, actor.label)
        verdict = recorded_verdict(scan, reservation, None, None)
        return replace(verdict, people=0, undone=True, replayed=False)


def void_admission(admission: Admission, by: str) -> None:
    """Undo an admission of a locked party, in the caller's transaction."""
    admission.undone_at, admission.undone_by = now(), by


def _lock_party_of(session: Session, scan: Scan) -> Reservation | None:
    if scan.reservation_id is None:
        # People without a ticket are counted per performance.
        lock_performance(session, scan.performance_id)
        return None
    if scan.reservation is not None and scan.reservation.walk_in:
        return lock_with_performance(session, scan.reservation_id)
    return lock_reservation(session, scan.reservation_id)


def record_revoked_undo(performance_id: int, scan_id: UUID, actor: Actor) -> None:
    """Record that a revoked device undid a scan that it made after its revocation.

    It cannot undo scans that count.
    """
    with transaction() as session:
        session.execute(
            update(Scan)
            .where(
                Scan.id == scan_id,
                Scan.performance_id == performance_id,
                Scan.token_id == actor.token_id,
                Scan.verdict == REVOKED,
                Scan.claimed > 0,
            )
            .values(claimed=0, claim_undone_at=now())
        )

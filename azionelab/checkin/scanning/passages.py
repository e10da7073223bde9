"""People who are out for the interval: count them, and correct the count after an undo or a claim.

All functions run in their caller's transaction, which has locked the party, or for people without a ticket the
performance.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from azionelab.bookings.models import Reservation
from azionelab.bookings.party import Party
from azionelab.checkin.models import Admission, Passage, Scan
from azionelab.checkin.verdicts import Door, VerdictKind, Way, count_claim
from azionelab.database import now


def find_passage(session: Session, scan_id: UUID) -> Passage | None:
    """The passage of a scan, undone or not; None if nobody went out or came back by it."""
    return session.scalar(select(Passage).where(Passage.scan_id == scan_id))


def count_outside_without_ticket(session: Session, performance_id: int) -> int:
    """Count the people without a ticket who are out."""
    counted = Passage.undone_at.is_(None)
    count = select(func.coalesce(func.sum(Passage.people), 0)).join(Scan, _OF_SCAN)
    return session.scalar(count.where(counted, _without_ticket(performance_id))) or 0


def undo_passage(session: Session, passage: Passage, scan: Scan, by: str) -> None:
    """Undo a passage, and void later ones that are impossible without it.

    Nobody can have come back who did not go out, and no more can be out than are in.
    """
    _void_returns(session, passage, scan, 0, by)
    passage.undone_at, passage.undone_by = now(), by
    session.flush()
    _cap_party_outside(session, scan, by)


def cap_outside(session: Session, reservation: Reservation, by: str) -> None:
    """Reduce the people of a party who are out to those who are admitted, after admissions were undone."""
    session.refresh(reservation, ["admitted", "outside"])
    went_out = and_(Passage.reservation_id == reservation.id, Passage.people > 0)
    _void_latest(session, went_out, reservation.outside - reservation.admitted, by)
    session.refresh(reservation, ["outside"])


def cap_outside_without_ticket(session: Session, scan: Scan, people: int, by: str) -> None:
    """As `cap_outside`, after a scan's admission of `people` without a ticket was undone.

    They cannot be told apart: only as many are voided as are out beyond those who are in.
    """
    surplus = count_outside_without_ticket(session, scan.performance_id) - _count_in_without_ticket(
        session, scan
    )
    went_out = and_(_without_ticket(scan.performance_id), Passage.people > 0)
    _void_latest(session, went_out, min(people, surplus), by)


def apply_passage_claim(
    session: Session, scan: Scan, claimed: int, verdict: VerdictKind, party: Party | None
) -> None:
    """Correct the scan of a passage by the device's offline decision: `claimed` people went out or came back.

    `party` includes the scan; `verdict` is the device's, the reason if nobody went.
    """
    passage, more = find_passage(session, scan.id), claimed - scan.people
    if more > 0:
        here = Door(scan.performance_id, cancelled=False)
        kind, counted = count_claim(party, here, more, Way(scan.way))
        if counted:
            scan.verdict, scan.people = kind, scan.people + counted
            session.flush()
            _add_people(session, passage, scan, counted if scan.way == Way.OUT else -counted)
    elif more < 0 and passage is not None and passage.undone_at is None:
        scan.people, scan.verdict = claimed, scan.verdict if claimed else verdict
        _void_returns(session, passage, scan, claimed, scan.by)
        if claimed:
            passage.people = claimed if passage.people > 0 else -claimed
        else:
            session.delete(passage)
        session.flush()
        _cap_party_outside(session, scan, scan.by)


def _add_people(session: Session, passage: Passage | None, scan: Scan, people: int) -> None:
    if passage is not None:
        passage.people += people
    else:
        session.add(Passage(scan_id=scan.id, reservation_id=scan.reservation_id, people=people))
    session.flush()


def _cap_party_outside(session: Session, scan: Scan, by: str) -> None:
    if scan.reservation is not None:
        cap_outside(session, scan.reservation, by)


def _void_returns(session: Session, passage: Passage, scan: Scan, people: int, by: str) -> None:
    """Void returns of people who did not go out, now that only `people` went out by the passage."""
    if passage.people <= 0:
        return
    if scan.reservation is None:
        theirs = _without_ticket(scan.performance_id)
        outside = count_outside_without_ticket(session, scan.performance_id)
    else:
        theirs = Passage.reservation_id == scan.reservation_id
        outside = scan.reservation.outside
    _void_latest(session, and_(theirs, Passage.people < 0), passage.people - people - outside, by)


def _void_latest(session: Session, which: ColumnElement[bool], people: int, by: str) -> None:
    """Reduce passages by `people` in total, latest first."""
    if people <= 0:
        return
    passages = select(Passage, Scan).join(Scan, _OF_SCAN).where(Passage.undone_at.is_(None), which)
    for passage, scan in session.execute(passages.order_by(Passage.id.desc())):
        fewer = min(people, abs(passage.people))
        if scan.claimed:
            # A voided passage must not remain a conflict.
            scan.claimed -= min(fewer, scan.claimed)
        if fewer == abs(passage.people):
            passage.undone_at, passage.undone_by = now(), by
        else:
            passage.people -= fewer if passage.people > 0 else -fewer
        people -= fewer
        if people == 0:
            break
    session.flush()


def _count_in_without_ticket(session: Session, scan: Scan) -> int:
    """Count walk-ins, and people whom phones let in without the list."""
    counted = and_(Admission.scan_id == Scan.id, Admission.undone_at.is_(None))
    people = func.greatest(Admission.people, Scan.claimed)
    count = (
        select(func.coalesce(func.sum(people), 0))
        .select_from(Scan)
        .outerjoin(Admission, counted)
        .outerjoin(Scan.reservation)
        .where(
            Scan.performance_id == scan.performance_id,
            Scan.way == Way.IN,
            or_(Scan.reservation_id.is_(None), Reservation.walk_in),
        )
    )
    return session.scalar(count) or 0


def _without_ticket(performance_id: int) -> ColumnElement[bool]:
    return and_(Scan.performance_id == performance_id, Passage.reservation_id.is_(None))


_OF_SCAN = Scan.id == Passage.scan_id

"""Who is out for the interval: counted, and corrected when something is taken back.

Part of their callers' transactions, which have locked the party; of people without a ticket the performance.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from azionelab.bookings.models import Reservation
from azionelab.bookings.party import Party
from azionelab.checkin.models import Admission, Passage, Scan
from azionelab.checkin.verdicts import Door, Kind, Way, count_claim
from azionelab.database import now


def passage_of(session: Session, scan_id: UUID) -> Passage | None:
    """The people who went out or came back by a scan, undone or not; None when nobody did."""
    return session.scalar(select(Passage).where(Passage.scan_id == scan_id))


def people_without_ticket(session: Session, performance_id: int) -> int:
    """How many people without a ticket went out and did not come back."""
    counted = Passage.undone_at.is_(None)
    count = select(func.coalesce(func.sum(Passage.people), 0)).join(Scan, _OF_SCAN)
    return session.scalar(count.where(counted, _without_ticket(performance_id))) or 0


def take_back(session: Session, passage: Passage, scan: Scan, by: str) -> None:
    """Take a passage back.

    Who came back by others never left then, and who left by others never came back.
    """
    _let_fewer_out(session, passage, scan, 0, by)
    passage.undone_at, passage.undone_by = now(), by
    session.flush()
    _call_back_party(session, scan, by)


def call_back(session: Session, reservation: Reservation, by: str) -> None:
    """Let nobody of a party be out who is not in, after fewer of them are."""
    session.refresh(reservation, ["admitted", "outside"])
    went_out = and_(Passage.reservation_id == reservation.id, Passage.people > 0)
    _void(session, went_out, reservation.outside - reservation.admitted, by)
    session.refresh(reservation, ["outside"])


def call_back_without_ticket(session: Session, scan: Scan, people: int, by: str) -> None:
    """Let none of the `people` be out whom a scan let in without a ticket, and who are not in after all.

    Others without a ticket may be out in their place: nobody can tell them apart.
    """
    surplus = people_without_ticket(session, scan.performance_id) - _in_without_ticket(
        session, scan
    )
    went_out = and_(_without_ticket(scan.performance_id), Passage.people > 0)
    _void(session, went_out, min(people, surplus), by)


def follow_passage(
    session: Session, scan: Scan, claimed: int, verdict: Kind, party: Party | None
) -> None:
    """Make a scan by which people went out or came back say what its device did: `claimed` people did.

    `party` is as it stands with the scan; `verdict` is why, when nobody did.
    """
    passage, more = passage_of(session, scan.id), claimed - scan.people
    if more > 0:
        here = Door(scan.performance_id, cancelled=False)
        kind, counted = count_claim(party, here, more, Way(scan.way))
        if counted:
            scan.verdict, scan.people = kind, scan.people + counted
            session.flush()
            _move_more(session, passage, scan, counted if scan.way == Way.OUT else -counted)
    elif more < 0 and passage is not None and passage.undone_at is None:
        scan.people, scan.verdict = claimed, scan.verdict if claimed else verdict
        _let_fewer_out(session, passage, scan, claimed, scan.by)
        if claimed:
            passage.people = claimed if passage.people > 0 else -claimed
        else:
            session.delete(passage)
        session.flush()
        _call_back_party(session, scan, scan.by)


def _move_more(session: Session, passage: Passage | None, scan: Scan, people: int) -> None:
    if passage is not None:
        passage.people += people
    else:
        session.add(Passage(scan_id=scan.id, reservation_id=scan.reservation_id, people=people))
    session.flush()


def _call_back_party(session: Session, scan: Scan, by: str) -> None:
    if scan.reservation is not None:
        call_back(session, scan.reservation, by)


def _let_fewer_out(session: Session, passage: Passage, scan: Scan, people: int, by: str) -> None:
    """Let nobody have come back who did not go out, when only `people` went out by a passage."""
    if passage.people <= 0:
        return
    if scan.reservation is None:
        theirs = _without_ticket(scan.performance_id)
        outside = people_without_ticket(session, scan.performance_id)
    else:
        theirs = Passage.reservation_id == scan.reservation_id
        outside = scan.reservation.outside
    _void(session, and_(theirs, Passage.people < 0), passage.people - people - outside, by)


def _void(session: Session, which: ColumnElement[bool], people: int, by: str) -> None:
    """Count `people` fewer by passages, by the latest first."""
    if people <= 0:
        return
    passages = select(Passage, Scan).join(Scan, _OF_SCAN).where(Passage.undone_at.is_(None), which)
    for passage, scan in session.execute(passages.order_by(Passage.id.desc())):
        fewer = min(people, abs(passage.people))
        if scan.claimed:
            # What is no passage is no conflict either.
            scan.claimed -= min(fewer, scan.claimed)
        if fewer == abs(passage.people):
            passage.undone_at, passage.undone_by = now(), by
        else:
            passage.people -= fewer if passage.people > 0 else -fewer
        people -= fewer
        if people == 0:
            break
    session.flush()


def _in_without_ticket(session: Session, scan: Scan) -> int:
    """How many came in as walk-ins, or were let in without the list."""
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

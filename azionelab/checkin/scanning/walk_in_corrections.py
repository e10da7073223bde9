"""Walk-ins that were counted wrong, or let in for the wrong performance: corrected by staff, afterwards.

Seats change, so the performance is locked before the reservation; both performances, by id, when they are moved. The
scan log keeps what was done at the door: a move undoes the admission there and records one here, at the same time.
"""

from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from azionelab.bookings.box_office.moves import lock_for_move
from azionelab.bookings.box_office.outcomes import (
    Outcome,
    free_seats,
    office_transaction,
    refuse_other_version,
)
from azionelab.bookings.errors import (
    NotFewerSeats,
    NotMovable,
    PartyTooLarge,
    ReservationEnded,
    refuse_unless_free,
)
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_with_performance
from azionelab.bookings.models import Reservation, State, party_of
from azionelab.bookings.seats.holds import count_free
from azionelab.bookings.transitions import office, parties
from azionelab.bookings.transitions.consequences import Change
from azionelab.bookings.transitions.walk_ins import seat_walk_ins
from azionelab.checkin.limits import MAX_WALK_INS
from azionelab.checkin.models import Admission, Scan
from azionelab.checkin.scanning.passages import cap_outside_without_ticket
from azionelab.checkin.scanning.scan_log import Actor, record_scan, scan_values
from azionelab.checkin.scanning.undoing import void_admission
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import now
from azionelab.shows.facts.seating import Places


def correct_walk_ins(
    reservation_id: UUID, people: int, seen: int, actor: Actor, *, rehearse: bool = False
) -> Outcome:
    """Correct the number of walk-ins who were let in at once. The same number changes nothing.

    Raises ReservationUnknown, ReservationChanged, ReservationEnded for anybody but walk-ins who are in,
    NotFewerSeats, PartyTooLarge, SoldOut.
    """
    with office_transaction(rehearse=rehearse) as session:
        reservation = lock_with_performance(session, reservation_id)
        admission, scan = _find_admission(session, reservation)
        if people == reservation.seats:
            return Outcome(reservation_id, is_unchanged=True)
        refuse_other_version(reservation, seen)
        if people < 1:
            raise NotFewerSeats
        if people > MAX_WALK_INS:
            raise PartyTooLarge(MAX_WALK_INS)
        performance, before = reservation.performance, reservation.seats
        if people > before:
            free = count_free(session, performance, now())
            refuse_unless_free(Places(people - before), free)
            office.resize(session, reservation, Places(people), Change.EDITED)
            session.flush()
            admission.people = people
        else:
            # Nobody is in beyond the party's seats: first the people, then the seats.
            admission.people = people
            session.flush()
            session.refresh(reservation, ["admitted"])
            office.resize(session, reservation, Places(people), Change.EDITED)
        scan.people = people
        if scan.claimed is not None:
            scan.claimed = people
        session.flush()
        if people < before:
            cap_outside_without_ticket(session, scan, before - people, actor.label)
        return Outcome(reservation_id, free=free_seats(session, performance))


def move_walk_ins(
    reservation_id: UUID, target_id: int, seen: int, actor: Actor, *, rehearse: bool = False
) -> Outcome:
    """Count walk-ins at another performance, which may be over: they were let in for the wrong one.

    Moving them to where they are changes nothing. `other_id` are the walk-ins there. Raises ReservationUnknown,
    ReservationChanged, ReservationEnded, PerformanceUnknown, NotMovable, SoldOut.
    """
    with office_transaction(rehearse=rehearse) as session:
        reservation, target = lock_for_move(session, reservation_id, target_id)
        if reservation.performance_id == target_id or _was_moved(session, reservation, target_id):
            return Outcome(reservation_id, is_unchanged=True)
        admission, scan = _find_admission(session, reservation)
        refuse_other_version(reservation, seen)
        if target.cancelled_at is not None:
            raise NotMovable
        people = admission.people
        free = count_free(session, target, now())
        refuse_unless_free(Places(people), free)
        void_admission(admission, actor.label)
        if scan.claimed is not None:
            scan.claimed, scan.claim_undone_at = 0, now()
        session.flush()
        session.refresh(reservation, ["admitted"])
        parties.cancel(session, reservation, By.STAFF, with_mail=False)
        session.flush()
        cap_outside_without_ticket(session, scan, people, actor.label)
        new_id = _scan_at(scan.id, target_id)
        seated = seat_walk_ins(session, target_id, people, new_id)
        values = scan_values(new_id, target_id, party_of(seated), actor, walk_in=True)
        values |= {"scanned_at": scan.scanned_at}
        record_scan(session, values, VerdictKind.ADMITTED, people)
        return Outcome(reservation_id, free=free_seats(session, target), other_id=seated.id)


def _scan_at(scan_id: UUID, target_id: int) -> UUID:
    """The identity of the scan there: the same press, sent again, makes no second one."""
    return uuid5(scan_id, str(target_id))


def _was_moved(session: Session, reservation: Reservation, target_id: int) -> bool:
    scans = session.scalars(select(Scan.id).where(Scan.reservation_id == reservation.id))
    there = [_scan_at(scan_id, target_id) for scan_id in scans]
    return session.scalar(select(Scan.id).where(Scan.id.in_(there)).limit(1)) is not None


def _find_admission(session: Session, reservation: Reservation) -> tuple[Admission, Scan]:
    """The admission of walk-ins who are in, and its scan; ReservationEnded."""
    if not reservation.walk_in or reservation.state != State.CONFIRMED:
        raise ReservationEnded
    found = session.execute(
        select(Admission, Scan)
        .join(Scan, Scan.id == Admission.scan_id)
        .where(Admission.reservation_id == reservation.id, Admission.undone_at.is_(None))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise ReservationEnded
    return found[0], found[1]

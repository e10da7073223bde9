"""Erases names and addresses: on schedule, and on a visitor's request."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from flask import current_app
from sqlalchemy import and_, case, func, not_, or_, select, update
from sqlalchemy.orm import Session

from azionelab.bookings.locks import lock_reservation
from azionelab.bookings.models import Reservation
from azionelab.database import now, transaction
from azionelab.mail.models import Delivery, Mail
from azionelab.shows.models import Performance

# What somebody asked to have erased is erased by a job (people/own_data.py); if that is lost, by this schedule.
_JOB_TAKES = timedelta(days=1)
# Reservations in one transaction. Triggers write the log of each: tens of thousands at once, as after an import or a
# long pause, take longer than a statement may, and nobody would ever be erased.
_AT_ONCE = 1_000


def erase_personal_data() -> int:
    """Erase names and addresses RETENTION_DAYS after the performance; of how many reservations.

    A booking that ended earlier is erased RETENTION_DAYS after its end, and one that nobody confirmed after
    UNCONFIRMED_RETENTION_DAYS: its address may be a stranger's (`kept_until` of one). What a visitor asked to have
    erased does not wait. A moved performance counts by its new time. It cannot be moved once it has been over for so long (`change_performance`), so nothing is erased
    of a performance that could still take place. Seats, states and admissions stay: they are the theatre's
    statistics and no personal data. That somebody needed a wheelchair place is personal: only the performance keeps
    how many were taken (migration 0055). What was erased stays so if a later transaction fails.
    """
    at = now()
    before, before_unconfirmed = at - retention(), at - unconfirmed_retention()
    erased = 0
    while some := _erase_some(before, before_unconfirmed):
        erased += some
    return erased


def _erase_some(before: datetime, before_unconfirmed: datetime) -> int:
    with transaction() as session:
        played = select(Performance.id).where(Performance.starts_at < before)
        is_over = or_(Reservation.performance_id.in_(played), Reservation.ended_at < before)
        is_due = or_(
            is_over,
            Reservation.erasure_requested_at < now() - _JOB_TAKES,
            and_(Reservation.confirmed_at.is_(None), Reservation.ended_at < before_unconfirmed),
        )
        # Whoever asked to be erased before the evening keeps the wheelchair place until then.
        needs_place = Reservation.wheelchair_places > 0
        keeps_place = and_(Reservation.is_live, not_(is_over))
        due = (
            select(Reservation.id)
            .where(
                Reservation.walk_in.is_(False),
                or_(and_(Reservation.erased_at.is_(None), is_due), and_(needs_place, is_over)),
            )
            .order_by(Reservation.id)
            .limit(_AT_ONCE)
            .with_for_update()
            # Read once: as a subquery the plan may read it again for each row, and then the limit limits nothing.
            .cte("due")
        )
        erased = session.execute(
            update(Reservation)
            .where(Reservation.id.in_(select(due.c.id)))
            .values(
                name="",
                email="",
                email_key=None,
                wheelchair_places=case((keeps_place, Reservation.wheelchair_places), else_=0),
                erased_at=func.coalesce(Reservation.erased_at, now()),
            )
            .returning(Reservation.id)
            .execution_options(synchronize_session=False)
        )
        return len(erased.all())


def erase_on_request(reservation_id: UUID) -> Reservation:
    """Erase a visitor's name and address at their request. Erasing again changes nothing.

    The booking, its places and its ticket stay: the party gives its reference at the door. Queued mails are
    not sent, and no more are written. Raises ReservationUnknown.
    """
    with transaction() as session:
        reservation = lock_reservation(session, reservation_id)
        reservation.is_unchanged = not _erase(session, reservation)
        return reservation


def erase_person(reservation_ids: Collection[UUID]) -> int:
    """Erase a visitor from several bookings at their request, all or none; from how many that still had a name.

    Raises ReservationUnknown.
    """
    with transaction() as session:
        reservations = [lock_reservation(session, one) for one in sorted(reservation_ids)]
        return sum(_erase(session, reservation) for reservation in reservations)


def _erase(session: Session, reservation: Reservation) -> bool:
    """Erase from a locked reservation; False when it had no name any more."""
    if reservation.walk_in or reservation.erased_at is not None:
        return False
    reservation.name = reservation.email = ""
    reservation.email_key = None
    if not reservation.is_live:
        reservation.wheelchair_places = 0
    reservation.erased_at = reservation.erasure_requested_at = now()
    session.execute(
        update(Mail)
        .where(Mail.reservation_id == reservation.id, Mail.delivery == Delivery.QUEUED)
        .values(delivery=Delivery.NOT_SENT)
        .execution_options(synchronize_session=False)
    )
    return True


def kept_until(reservation: Reservation) -> datetime:
    """When `erase_personal_data` erases a reservation, if it stays as it is."""
    ends = [reservation.performance.starts_at + retention()]
    if reservation.ended_at is not None:
        days = retention() if reservation.confirmed_at else unconfirmed_retention()
        ends.append(reservation.ended_at + days)
    return min(ends)


def retention() -> timedelta:
    """How long after a performance names and addresses are kept (RETENTION_DAYS)."""
    return timedelta(days=current_app.config["AZIONELAB"].retention_days)


def unconfirmed_retention() -> timedelta:
    """How long they are kept of a booking that expired or was cancelled without having been confirmed."""
    config = current_app.config["AZIONELAB"]
    return timedelta(days=min(config.retention_days, config.unconfirmed_retention_days))

"""Erases names and addresses: on schedule, and on a visitor's request."""

from datetime import timedelta
from uuid import UUID

from flask import current_app
from sqlalchemy import or_, select, update

from azionelab.bookings.locks import lock_reservation
from azionelab.bookings.models import Reservation
from azionelab.database import now, transaction
from azionelab.mail.models import Delivery, Mail
from azionelab.shows.models import Performance


def erase_personal_data() -> int:
    """Erase names and addresses RETENTION_DAYS after the performance; of how many reservations.

    A booking that ended earlier is erased RETENTION_DAYS after its end. A moved performance counts by its
    new time. It cannot be moved once it has been over for so long (`change_performance`), so nothing is erased
    of a performance that could still take place. Seats, states and admissions stay: they are the theatre's
    statistics and no personal data.
    """
    with transaction() as session:
        before = now() - retention()
        played = select(Performance.id).where(Performance.starts_at < before)
        erased = session.execute(
            update(Reservation)
            .where(
                Reservation.erased_at.is_(None),
                Reservation.walk_in.is_(False),
                or_(Reservation.performance_id.in_(played), Reservation.ended_at < before),
            )
            .values(name="", email="", email_key=None, erased_at=now())
            .returning(Reservation.id)
            .execution_options(synchronize_session=False)
        )
        return len(erased.all())


def erase_on_request(reservation_id: UUID) -> Reservation:
    """Erase a visitor's name and address at their request. Erasing again changes nothing.

    The booking, its seats and its ticket stay: the party gives its reference at the door. Queued mails are
    not sent, and no more are written. Raises ReservationUnknown.
    """
    with transaction() as session:
        reservation = lock_reservation(session, reservation_id)
        if reservation.walk_in or reservation.erased_at is not None:
            reservation.is_unchanged = True
            return reservation
        reservation.name = reservation.email = ""
        reservation.email_key = None
        reservation.erased_at = reservation.erasure_requested_at = now()
        session.execute(
            update(Mail)
            .where(Mail.reservation_id == reservation_id, Mail.delivery == Delivery.QUEUED)
            .values(delivery=Delivery.NOT_SENT)
            .execution_options(synchronize_session=False)
        )
        return reservation


def retention() -> timedelta:
    """How long after a performance names and addresses are kept (RETENTION_DAYS)."""
    return timedelta(days=current_app.config["AZIONELAB"].retention_days)

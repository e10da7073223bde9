"""Erasing names and addresses: on schedule, and when somebody asks for it."""

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
    """Erase names and addresses that served their purpose, and say of how many reservations.

    That is RETENTION_DAYS after the performance, or after the booking ended if that is earlier. A
    performance that was moved counts by its new time, and cannot be moved once it is over for so long
    (`change_performance`): nothing is erased of which the time could still come.
    Seats, states and admissions stay: they are the theatre's statistics and nobody's data.
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
    """Erase a visitor's name and address now, because they ask for it. Erasing again changes nothing.

    The booking stays as it is, its seats and its ticket too: the party gives its reference at the door.
    Nobody is written to any more; mails that wait are not sent. Raises ReservationUnknown.
    """
    with transaction() as session:
        reservation = lock_reservation(session, reservation_id)
        if reservation.walk_in or reservation.erased_at is not None:
            reservation.was_so_already = True
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

"""Undoes a booking that the box office has just made."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from azionelab.bookings.box_office.errors import UndoTooLate
from azionelab.bookings.errors import PartyInside
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_reservation, lock_with_performance
from azionelab.bookings.models import Kind, Reservation
from azionelab.bookings.transitions import box_office, parties
from azionelab.database import now, transaction
from azionelab.mail.models import Delivery, Mail

UNDO_FOR = timedelta(minutes=10)


def undo_booking(reservation_id: UUID) -> bool:
    """Cancel a booking that staff made within UNDO_FOR; whether its people are written to.

    Mails that wait are not sent. Only somebody whose ticket has left already is told that it does not count. House
    seats are kept back again. Undoing again changes nothing.

    Raises ReservationUnknown, UndoTooLate, PartyInside.
    """
    with transaction() as session:
        reservation = lock_with_performance(session, reservation_id)
        if not reservation.is_live:
            return False
        at = now()
        if not can_undo(reservation, at):
            raise UndoTooLate
        if reservation.admitted:
            raise PartyInside(reservation.admitted)
        session.execute(
            update(Mail)
            .where(Mail.reservation_id == reservation_id, Mail.delivery == Delivery.QUEUED)
            .values(delivery=Delivery.NOT_SENT)
            .execution_options(synchronize_session=False)
        )
        sent = session.scalar(
            select(func.count(Mail.id)).where(
                Mail.reservation_id == reservation_id, Mail.delivery == Delivery.SENT
            )
        )
        parties.cancel(session, reservation, By.STAFF, with_mail=bool(sent))
        session.flush()
        if reservation.taken_from is not None:
            house = lock_reservation(session, reservation.taken_from)
            if house.hold_expires_at > at and house.kind == Kind.HOUSE:
                box_office.give_back_to_house(session, house, reservation.seats)
        return bool(sent)


def can_undo(reservation: Reservation, at: datetime) -> bool:
    """Whether it was made by staff, a short time ago."""
    by_staff = reservation.kind in (Kind.BOX_OFFICE, Kind.DESK)
    return by_staff and at <= reservation.created_at + UNDO_FOR

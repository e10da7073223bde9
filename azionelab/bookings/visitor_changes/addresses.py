"""A visitor who mistyped the address corrects it before confirming, or asks for the mail once more.

Whoever has the browser that booked may do so, and has proven no address. So neither tells whether an address has a
booking: the request's key names the booking that it made, and nothing is done to any other one.
"""

from dataclasses import replace
from uuid import UUID, uuid4

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from azionelab.bookings.box_office.changes import ends_links, entries_of, set_entries
from azionelab.bookings.box_office.outcomes import not_sent, office_transaction
from azionelab.bookings.errors import AddressTaken
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_reservation, lock_with_performance
from azionelab.bookings.mails.resending import resend_newest
from azionelab.bookings.models import Reservation, unconfirmed
from azionelab.bookings.seats.holds import hold_until
from azionelab.bookings.transitions import office, parties
from azionelab.database import db, now, transaction
from azionelab.mail.models import MailKind
from azionelab.mail.outbox import enqueue, enqueue_unless_recent
from azionelab.validation.email_addresses import mailbox_key


def correct_unconfirmed(performance_id: int, key: UUID, email: str) -> bool:
    """Give the unconfirmed booking that a request made another address; False when it made none that waits.

    The mail is sent there, the hold begins anew, and links that the address before got end (docs/decisions/0008). If
    the right address has a booking of the performance already, it is written to about that one, as by `reserve`, and
    the mistyped one is cancelled. An address that is right already changes nothing.
    """
    # Twice: another booking of the address may be made or end in between.
    for with_performance in (False, True, False, True):
        try:
            return _correct(performance_id, key, email, with_performance=with_performance)
        except AddressTaken:
            continue
    return True


def send_again(performance_id: int, key: UUID, email: str) -> None:
    """Send the mail that asks to confirm once more, or the one about the booking that the address had before.

    That one not within five minutes of the last.
    """
    made = db.session.scalar(_waiting(performance_id, key))
    if made is not None:
        resend_newest(made)
        return
    with transaction() as session:
        existing = _booking_of(session, performance_id, email)
        if existing is not None:
            enqueue_unless_recent(session, existing, MailKind.EXISTING)


def _correct(performance_id: int, key: UUID, email: str, *, with_performance: bool) -> bool:
    """Raises AddressTaken if the address has a booking, `with_performance` if it has none.

    An address changes without the performance's lock: whoever books with the same one at this moment has its key and
    waits for that lock (docs/locking.md).
    """
    with office_transaction(rehearse=False) as session:
        at = now()
        made = session.scalar(_waiting(performance_id, key))
        if made is None:
            return False
        lock = lock_with_performance if with_performance else lock_reservation
        reservation = lock(session, made)
        if not reservation.is_pending or reservation.is_lapsed(at):
            return False
        if reservation.email == email:
            return True
        existing = _booking_of(session, performance_id, email)
        other = existing if existing != made else None
        if with_performance != (other is not None):
            raise AddressTaken("")
        if other is not None:
            if ends_links(reservation.email, email):
                office.edit(session, reservation, {"link_id": uuid4()})
            parties.cancel(session, reservation, By.VISITOR, with_mail=False)
            not_sent(session, made, MailKind.CONFIRM)
            enqueue_unless_recent(session, other, MailKind.EXISTING)
            return True
        set_entries(session, reservation, replace(entries_of(reservation), email=email), None)
        office.edit(session, reservation, {"hold_expires_at": hold_until(at)})
        enqueue(session, made, MailKind.CONFIRM)
        return True


def _waiting(performance_id: int, key: UUID) -> Select[UUID]:
    return select(Reservation.id).where(
        Reservation.performance_id == performance_id,
        Reservation.request_key == key,
        unconfirmed(now()),
    )


def _booking_of(session: Session, performance_id: int, email: str) -> UUID | None:
    return session.scalar(
        select(Reservation.id).where(
            Reservation.performance_id == performance_id,
            Reservation.email_key == mailbox_key(email),
            Reservation.is_live,
        )
    )

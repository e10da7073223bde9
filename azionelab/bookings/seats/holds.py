"""Holds: how long an unconfirmed booking holds its seats, and how lapsed holds are expired.

The condition itself is in models.py: `Reservation.is_lapsed` of one, `lapsed` in a statement, and `unconfirmed` of
holds that still run. The database has it in the view `lapsed_hold` and in the trigger that counts seats (migrations
0002, 0020).
"""

from datetime import datetime, timedelta
from uuid import UUID

from flask import current_app
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from azionelab.bookings.locks import lock_performance, lock_reservation
from azionelab.bookings.models import Kind, Reservation, lapsed
from azionelab.bookings.transitions import consequences, office, parties
from azionelab.database import now, transaction
from azionelab.mail.models import Mail
from azionelab.settings.config import Config
from azionelab.shows.facts.seating import Places
from azionelab.shows.models import Performance

# What is left of the hold of a booking whose address cannot exist: enough to correct it in the browser that booked.
_TO_CORRECT = timedelta(minutes=5)


def expire_lapsed_holds() -> int:
    """Expire all lapsed holds, in one transaction for each performance; how many.

    Nothing waits for this: seats of lapsed holds count as free at once (`Listing.seats_left`), and `reserve`
    expires them itself when it needs them.
    """
    with transaction() as session:
        over = select(Reservation.performance_id).where(lapsed(now())).distinct()
        performances = list(session.scalars(over.order_by(Reservation.performance_id)))
    return sum(expire_holds_of(performance_id) for performance_id in performances)


def hold_until(at: datetime) -> datetime:
    """When the hold of a booking made `at` lapses: after HOLD_MINUTES."""
    return at + timedelta(minutes=hold_minutes())


def hold_minutes() -> int:
    """How long a hold lasts, as visitors are told: in minutes."""
    settings: Config = current_app.config["AZIONELAB"]
    return settings.hold_minutes


def shorten_hold(mail_id: UUID) -> None:
    """Let the hold of a visitor's booking lapse in five minutes, since this mail cannot ask anybody to confirm it.

    Nothing is changed of a booking that is confirmed or was offered to the waitlist, or about which a newer mail
    was written: its visitor has corrected the address.
    """
    with transaction() as session:
        mail = session.get(Mail, mail_id)
        if mail is None:
            return
        reservation = lock_reservation(session, mail.reservation_id)
        until = now() + _TO_CORRECT
        is_hold = reservation.is_pending and reservation.waiting_since is None
        if not is_hold or reservation.kind != Kind.VISITOR or reservation.hold_expires_at <= until:
            return
        newer = exists().where(
            Mail.reservation_id == reservation.id, Mail.created_at > mail.created_at
        )
        if not session.scalar(select(newer)):
            office.edit(session, reservation, {"hold_expires_at": until})


def expire_holds_of(performance_id: int) -> int:
    """Expire the lapsed holds of one performance, in a transaction of its own; how many."""
    with transaction() as session:
        return expire_holds(session, lock_performance(session, performance_id), now())


def expire_holds(session: Session, performance: Performance, at: datetime) -> int:
    """Expire the lapsed holds of a locked performance, in the caller's transaction; how many."""
    return parties.expire(session, performance, lapsed(at), at)


def count_free(session: Session, performance: Performance, at: datetime) -> Places:
    """The free places of a locked performance, which anybody may have.

    Expires its lapsed holds first, in the caller's transaction. What comes free by that is offered to those who wait
    before it is counted.
    """
    # What the transaction has freed by itself may be for somebody whom it names.
    is_mine = consequences.will_pass_on(session, performance)
    if expire_holds(session, performance, at) and not is_mine:
        consequences.pass_on_now(session, performance)
        performance = lock_performance(session, performance.id)
    return performance.free

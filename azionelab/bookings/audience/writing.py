"""Writes the mails of a message, in batches that each are a transaction of their own."""

from datetime import timedelta
from math import ceil
from uuid import UUID

from sqlalchemy.orm import Session

from azionelab.bookings.audience.models import AudienceMessage, MessageState
from azionelab.bookings.audience.selection import belongs, select_unwritten
from azionelab.bookings.models import Reservation
from azionelab.database import now, transaction
from azionelab.extensions import job_within
from azionelab.mail.outbox import QUEUE, enqueue_message

WRITE_JOB = "message.write"
# Remarks of mails that were not sent: the message was stopped, or the party belongs to its audience no more.
STOPPED = "stopped"
NOT_MEANT = "not meant any more"
_BATCH = 100  # mails in one transaction


def write_mails(message_id: UUID) -> int:
    """Write the mails of a message that is being sent; how many. Run again, it continues.

    It ends early when the message is paused or stopped, and after the last recipient.
    """
    total = 0
    while written := _write_some(message_id):
        total += written
    return total


def defer_writing(session: Session, message_id: UUID, pause: timedelta) -> None:
    """Enqueue the job that writes the mails, in the caller's transaction."""
    job_within(
        session,
        WRITE_JOB,
        queue=QUEUE,
        schedule_in={"seconds": max(0, ceil(pause.total_seconds()))},
    ).defer(message_id=str(message_id))


def needless_for(message: AudienceMessage, reservation: Reservation) -> str | None:
    """The remark of a mail that need not be sent any more; None of one that is to be sent."""
    if message.state == MessageState.STOPPED:
        return STOPPED
    return None if belongs(message.whom, reservation, now()) else NOT_MEANT


def lock_message(session: Session, message_id: UUID) -> AudienceMessage | None:
    """The message as it is now, locked until the transaction ends; None when it is gone.

    Its mails are written, and its state changed, under this lock: so no mailbox is written to twice.
    """
    return session.get(
        AudienceMessage,
        message_id,
        with_for_update={"key_share": True},
        populate_existing=True,
    )


def _write_some(message_id: UUID) -> int:
    with transaction() as session:
        message = lock_message(session, message_id)
        if message is None or message.state != MessageState.SENDING:
            return 0
        early = (message.starts_at or now()) - now()
        if early > timedelta():
            # Taken back and sent again meanwhile, or the clocks of two machines differ.
            defer_writing(session, message.id, early)
            return 0
        reservations = session.scalars(select_unwritten(message, _BATCH)).all()
        if not reservations:
            message.written_at = message.written_at or now()
            return 0
        enqueue_message(session, message.id, reservations)
        return len(reservations)

"""Sends a message to whoever writes it, as it would look to one of its recipients."""

from uuid import UUID

from azionelab.bookings.audience.models import AudienceMessage
from azionelab.bookings.audience.texts import write_message
from azionelab.bookings.models import Reservation
from azionelab.database import db, transaction
from azionelab.extensions import job_within
from azionelab.mail.message import Message
from azionelab.mail.outbox import QUEUE
from azionelab.web.site_urls import site_url

TRIAL_JOB = "message.trial"


def enqueue_trial(message_id: UUID, reservation_id: UUID, account_id: int) -> None:
    """Enqueue a test mail to an account's address, with the facts of a recipient."""
    with transaction() as session:
        job_within(session, TRIAL_JOB, queue=QUEUE).defer(
            message_id=str(message_id), reservation_id=str(reservation_id), account_id=account_id
        )


def build_trial(message_id: UUID, reservation_id: UUID, address: str) -> Message | None:
    """The test mail; None when the message or the reservation is gone.

    The private link of the recipient is replaced: it leads to the programme.
    """
    message = db.session.get(AudienceMessage, message_id)
    reservation = db.session.get(Reservation, reservation_id)
    if message is None or reservation is None:
        return None
    programme = site_url("shows.programme")
    written = write_message(message, reservation, link=programme)
    return Message(
        recipient=address,
        subject=" ".join(written.subject.split()),
        text=written.text,
        html=written.html,
        link=programme,
    )

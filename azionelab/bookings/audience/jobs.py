"""The worker's job that writes the mails of a message."""

from uuid import UUID

from procrastinate import RetryStrategy

from azionelab.bookings.audience.writing import WRITE_JOB, write_mails
from azionelab.extensions import jobs
from azionelab.mail.outbox import QUEUE


@jobs.task(name=WRITE_JOB, queue=QUEUE, retry=RetryStrategy(max_attempts=8, exponential_wait=5))
def write_message(message_id: str) -> None:
    """Write the mails of a message; run again, it continues."""
    write_mails(UUID(message_id))

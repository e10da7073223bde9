"""The worker's jobs of a visitor who asked for their data."""

from uuid import UUID

from procrastinate import JobContext, RetryStrategy

from azionelab.bookings.people.own_data import ERASE_JOB, SEND_JOB, erase_as_asked, send_link
from azionelab.extensions import jobs
from azionelab.mail.outbox import QUEUE

# Pauses of 5, 25, ... seconds: five hours in all.
_MOST_PAUSES = 6
_TRIES = RetryStrategy(max_attempts=_MOST_PAUSES, exponential_wait=5)


@jobs.task(name=SEND_JOB, queue=QUEUE, pass_context=True, retry=_TRIES)
def send_my_data(context: JobContext, reservation_id: str) -> None:
    """Send the link to what is kept of an address."""
    send_link(UUID(reservation_id), f"{context.job.id}")


@jobs.task(name=ERASE_JOB, queue=QUEUE, pass_context=True, retry=_TRIES)
def erase_my_data(context: JobContext, reservation_ids: list[str]) -> None:
    """Erase what a visitor asked to erase, and say so by mail before."""
    job = context.job
    erase_as_asked(
        [UUID(one) for one in reservation_ids],
        f"{job.id}",
        last_try=job.attempts >= _MOST_PAUSES,
    )

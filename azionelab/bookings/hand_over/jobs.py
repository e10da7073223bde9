"""The worker's jobs of bookings that are handed over."""

from uuid import UUID

from procrastinate import JobContext, RetryStrategy

from azionelab.bookings.hand_over.mail import HAND_OVER_JOB, send_hand_over
from azionelab.bookings.hand_over.rules import end_lapsed
from azionelab.bookings.jobs import QUEUE as BOOKINGS
from azionelab.extensions import jobs
from azionelab.mail.outbox import QUEUE


@jobs.task(
    name=HAND_OVER_JOB,
    queue=QUEUE,
    pass_context=True,
    retry=RetryStrategy(max_attempts=8, exponential_wait=5),
)
def send_to_friend(context: JobContext, hand_over_id: str) -> None:
    """Send the mail to the friend; once the offer has lapsed it is not sent any more."""
    send_hand_over(UUID(hand_over_id), f"{context.job.id}")


@jobs.periodic(cron="20 * * * *")
@jobs.task(name="bookings.end_hand_overs", queue=BOOKINGS, queueing_lock="bookings.end_hand_overs")
def end_hand_overs(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Erase the friends of offers that have lapsed."""
    end_lapsed()

"""The worker's job of bookings that are handed over."""

from azionelab.bookings.hand_over.rules import end_lapsed
from azionelab.bookings.jobs import QUEUE
from azionelab.extensions import SOON_AGAIN, jobs


@jobs.periodic(cron="20 * * * *")
@jobs.task(
    name="bookings.end_hand_overs",
    queue=QUEUE,
    queueing_lock="bookings.end_hand_overs",
    retry=SOON_AGAIN,
)
def end_hand_overs(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Erase the friends of offers that have lapsed."""
    end_lapsed()

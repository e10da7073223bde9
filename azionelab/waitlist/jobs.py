"""The worker's job around the waitlist."""

from azionelab.bookings.jobs import QUEUE
from azionelab.extensions import jobs
from azionelab.waitlist import offers


@jobs.periodic(cron="* * * * *")
@jobs.task(name="waitlist.settle", queue=QUEUE, queueing_lock="waitlist.settle")
def settle(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Tell of offers that waited for the morning, and end entries that nobody confirmed."""
    offers.settle()

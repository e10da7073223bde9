"""The worker's job around the queue."""

from azionelab.bookings.jobs import QUEUE
from azionelab.database import now
from azionelab.extensions import jobs
from azionelab.queue.lines import end_old_lines


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(name="queue.end_old_lines", queue=QUEUE, queueing_lock="queue.end_old_lines")
def end_lines(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """End lines that nobody ended, and forget who stood in those that are over."""
    end_old_lines(now())

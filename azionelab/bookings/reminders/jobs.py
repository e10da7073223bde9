"""The worker's job that writes reminders."""

from azionelab.bookings.reminders.sending import write_due
from azionelab.database import now
from azionelab.extensions import jobs
from azionelab.mail.outbox import QUEUE


@jobs.periodic(cron="*/5 * * * *")
@jobs.task(name="reminders.write", queue=QUEUE, queueing_lock="reminders.write")
def write_reminders(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Write the reminders that are due; run again, it continues."""
    write_due(now())

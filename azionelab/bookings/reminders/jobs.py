"""The worker's job around reminders."""

from azionelab.bookings.reminders.confirming import release_unanswered, write_questions
from azionelab.bookings.reminders.sending import write_due
from azionelab.database import now
from azionelab.extensions import jobs
from azionelab.mail.outbox import QUEUE


@jobs.periodic(cron="*/5 * * * *")
@jobs.task(name="reminders.write", queue=QUEUE, queueing_lock="reminders.write")
def write_reminders(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Write the reminders that are due, and release what nobody confirmed again; run again, it continues."""
    at = now()
    release_unanswered(at)
    write_questions(at)
    write_due(at)

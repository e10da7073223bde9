"""The worker's jobs around the waitlist."""

from azionelab.bookings.jobs import QUEUE
from azionelab.database import now
from azionelab.extensions import jobs
from azionelab.mail.outbox import QUEUE as MAIL_QUEUE
from azionelab.waitlist import near_mails, offers


@jobs.periodic(cron="* * * * *")
@jobs.task(name="waitlist.settle", queue=QUEUE, queueing_lock="waitlist.settle")
def settle(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Tell of offers that waited for the morning, and end entries that nobody confirmed."""
    offers.settle()


@jobs.periodic(cron="*/5 * * * *")
@jobs.task(
    name="waitlist.ask_who_is_near", queue=MAIL_QUEUE, queueing_lock="waitlist.ask_who_is_near"
)
def ask_who_is_near(timestamp: int) -> None:  # noqa: ARG001 (as above)
    """Ask those who still wait on the day whether they are near."""
    near_mails.write_due(now())

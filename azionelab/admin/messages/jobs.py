"""The worker's job that sends a test of a message to the account of whoever writes it."""

from uuid import UUID

from procrastinate import JobContext, RetryStrategy

from azionelab.bookings.audience.trials import TRIAL_JOB, build_trial
from azionelab.database import db
from azionelab.extensions import jobs
from azionelab.mail.message import message_id as message_id_of
from azionelab.mail.outbox import QUEUE
from azionelab.mail.smtp import send
from azionelab.staff.models import User


@jobs.task(
    name=TRIAL_JOB,
    queue=QUEUE,
    pass_context=True,
    retry=RetryStrategy(max_attempts=5, exponential_wait=3),
)
def send_trial(context: JobContext, message_id: str, reservation_id: str, account_id: int) -> None:
    """Send the test mail, unless the account was deleted or disabled."""
    account = db.session.get(User, account_id)
    if account is None or not account.active:
        return
    mail = build_trial(UUID(message_id), UUID(reservation_id), account.email)
    # No connection of the database waits for the mail server.
    db.session.close()
    if mail is not None:
        send(mail, message_id_of(f"trial.{context.job.id}"))

"""The worker's job that sends a test of a mail's text to the account of whoever writes it."""

from procrastinate import JobContext, RetryStrategy

from azionelab.bookings.mails.templates.models import TemplateText
from azionelab.bookings.mails.templates.stored import TextKey
from azionelab.bookings.mails.trials import TRIAL_JOB, build_text_trial
from azionelab.database import db
from azionelab.extensions import jobs
from azionelab.mail.message import message_id
from azionelab.mail.outbox import QUEUE
from azionelab.mail.smtp import send
from azionelab.staff.models import User


@jobs.task(
    name=TRIAL_JOB,
    queue=QUEUE,
    pass_context=True,
    retry=RetryStrategy(max_attempts=5, exponential_wait=3),
)
def send_text_trial(
    context: JobContext,
    *,
    template: str,
    language: str,
    subject: str,
    heading: str,
    body: str,
    account_id: int,
) -> None:
    """Send the test mail, unless the account was deleted or disabled."""
    account = db.session.get(User, account_id)
    key = TextKey.find(template, language)
    if account is None or not account.active or key is None:
        return
    mail = build_text_trial(key, TemplateText(subject, heading, body), account.email)
    # No connection of the database waits for the mail server.
    db.session.close()
    send(mail, message_id(f"trial.{context.job.id}"))

"""The worker's jobs around mail: sending, and finding what fell through."""

from datetime import datetime, timedelta
from uuid import UUID

from procrastinate import JobContext, RetryStrategy

from azionelab.extensions import jobs
from azionelab.mail import delivery
from azionelab.mail.outbox import QUEUE, SEND_JOB, give_new_job
from azionelab.mail.resending import RESEND_JOB, resend_failed
from azionelab.mail.retries import GrowingPauses, is_last_try

_ORPHAN_AGE = timedelta(minutes=10)


@jobs.task(name=SEND_JOB, queue=QUEUE, pass_context=True, retry=GrowingPauses())
def send_mail(context: JobContext, mail_id: str) -> None:
    """Deliver one mail."""
    job = context.job
    delivery.deliver(UUID(mail_id), sending=f"{job.id}", last_try=is_last_try(job))


@jobs.periodic(cron="* * * * *")
@jobs.task(name="mail.recover", queue=QUEUE, queueing_lock="mail.recover")
def recover_mails(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Give each mail that waits without a job a new one."""
    for mail_id in delivery.find_orphans(_ORPHAN_AGE):
        give_new_job(mail_id)


@jobs.task(name=RESEND_JOB, queue=QUEUE, retry=RetryStrategy(max_attempts=5, wait=10))
def resend_failed_mails(since: str, asked_at: str, bad_addresses: bool) -> None:
    """Queue what failed since a moment; run again it goes on where it was."""
    resend_failed(
        datetime.fromisoformat(since),
        datetime.fromisoformat(asked_at),
        bad_addresses=bad_addresses,
    )

"""The worker's jobs around mail: sending, and finding what fell through."""

from datetime import datetime, timedelta
from uuid import UUID

from procrastinate import BaseRetryStrategy, JobContext, RetryDecision, RetryStrategy
from procrastinate.jobs import Job

from azionelab.extensions import jobs
from azionelab.mail import delivery
from azionelab.mail.outbox import QUEUE, SEND_JOB, give_new_job
from azionelab.mail.resending import RESEND_JOB, resend_failed

# Seconds to wait after each failed try: a hiccup is over soon, an outage is sat out for two days.
PAUSES = (10, 30, 2 * 60, 10 * 60, 30 * 60, *[60 * 60] * 47)
_ORPHAN_AGE = timedelta(minutes=10)


class GrowingPauses(BaseRetryStrategy):
    """Try again after each of PAUSES, then no more."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002
        """When to run the job again; `job.attempts` counts the tries before this one."""
        if _is_last(job):
            return None
        return RetryDecision(retry_in={"seconds": PAUSES[job.attempts]})


@jobs.task(name=SEND_JOB, queue=QUEUE, pass_context=True, retry=GrowingPauses())
def send_mail(context: JobContext, mail_id: str) -> None:
    """Deliver one mail."""
    job = context.job
    delivery.deliver(UUID(mail_id), sending=f"{job.id}", last_try=_is_last(job))


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


def _is_last(job: Job) -> bool:
    return job.attempts >= len(PAUSES)

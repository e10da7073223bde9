"""The worker's jobs around mail: sending, and finding what fell through."""

from datetime import timedelta
from uuid import UUID

from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.jobs import Job

from azionelab.extensions import jobs
from azionelab.mail import delivery
from azionelab.mail.outbox import QUEUE, SEND_JOB, resend

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
        resend(mail_id)


def _is_last(job: Job) -> bool:
    return job.attempts >= len(PAUSES)

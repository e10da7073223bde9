"""How often a mail is tried again, and after which pauses.

Two other waits are elsewhere: `delivery.py` queues mails again after two minutes once the provider refuses
everybody, and a password's reset (`staff/reset.py`) gives up sooner, since its link expires.
"""

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

# Seconds to wait after each failed try: a short fault is retried soon, an outage for two days.
PAUSES = (10, 30, 2 * 60, 10 * 60, 30 * 60, *[60 * 60] * 47)


class GrowingPauses(BaseRetryStrategy):
    """Try again after each of PAUSES, then no more."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002
        """When to run the job again; `job.attempts` counts the tries before this one."""
        if is_last_try(job):
            return None
        return RetryDecision(retry_in={"seconds": PAUSES[job.attempts]})


def is_last_try(job: Job) -> bool:
    """Whether no pause is left after this try."""
    return job.attempts >= len(PAUSES)

"""The worker's jobs about programs."""

from azionelab.extensions import SOON_AGAIN, jobs
from azionelab.integrations.program_keys import forget_keys


@jobs.periodic(cron="45 3 * * *")
@jobs.task(name="programs.forget_keys", queueing_lock="programs.forget_keys", retry=SOON_AGAIN)
def forget(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Delete idempotency keys of the day before."""
    forget_keys()

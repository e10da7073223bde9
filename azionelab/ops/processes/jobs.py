"""Periodic jobs that maintain the queue, the rate limits and the list of sessions."""

from procrastinate import JobContext
from procrastinate.manager import JobManager

from azionelab.extensions import SOON_AGAIN, jobs
from azionelab.staff.second_factor.passkeys import delete_used_challenges
from azionelab.staff.sessions import delete_expired_sessions
from azionelab.web.rate_limits import delete_ended_windows

QUEUE = "queue"
_STALLED_AFTER = 30.0  # seconds without a heartbeat; a live worker sends one every ten
_RETENTION_HOURS = 7 * 24


@jobs.periodic(cron="* * * * *")
@jobs.task(name="queue.recover", queue=QUEUE, queueing_lock="queue.recover", pass_context=True)
async def recover(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 (when it was due)
    """Retry the jobs of dead workers."""
    await retry_stalled(context.app.job_manager, _STALLED_AFTER)


@jobs.periodic(cron="20 * * * *")
@jobs.task(
    name="queue.clean",
    queue=QUEUE,
    queueing_lock="queue.clean",
    pass_context=True,
    retry=SOON_AGAIN,
)
async def clean(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 (as above)
    """Delete jobs that ended more than a week ago."""
    await context.app.job_manager.delete_old_jobs(
        _RETENTION_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )


@jobs.periodic(cron="40 * * * *")
@jobs.task(
    name="rate_limits.forget", queue=QUEUE, queueing_lock="rate_limits.forget", retry=SOON_AGAIN
)
def forget_rate_counts(timestamp: int) -> None:  # noqa: ARG001 (as above)
    """Delete the counts of ended rate-limit windows."""
    delete_ended_windows()


@jobs.periodic(cron="50 * * * *")
@jobs.task(name="sessions.forget", queue=QUEUE, queueing_lock="sessions.forget", retry=SOON_AGAIN)
def forget_sessions(timestamp: int) -> None:  # noqa: ARG001 (as above)
    """Delete the rows of expired sessions, and used challenges that have expired."""
    delete_expired_sessions()
    delete_used_challenges()


async def retry_stalled(manager: JobManager, seconds_since_heartbeat: float) -> int:
    """Put the jobs of silent workers back into the queue; returns their number.

    All jobs are idempotent, so a job of a worker that is still alive may run twice.
    """
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=seconds_since_heartbeat))
    for job in stalled:
        await manager.retry_job(job)
    return len(stalled)

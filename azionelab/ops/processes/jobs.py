"""The worker's jobs around the queue itself."""

from procrastinate import JobContext
from procrastinate.manager import JobManager

from azionelab.extensions import jobs
from azionelab.web.rate_limits import forget_ended_windows

QUEUE = "queue"
_HEARTBEAT_GONE = 30.0  # seconds; a living worker's heart beats every ten
_KEPT_HOURS = 7 * 24


@jobs.periodic(cron="* * * * *")
@jobs.task(name="queue.recover", queue=QUEUE, queueing_lock="queue.recover", pass_context=True)
async def recover(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 (when it was due)
    """Run the jobs of workers that died once more."""
    await retry_stalled(context.app.job_manager, _HEARTBEAT_GONE)


@jobs.periodic(cron="20 * * * *")
@jobs.task(name="queue.clean", queue=QUEUE, queueing_lock="queue.clean", pass_context=True)
async def clean(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 (as above)
    """Remove jobs that ended more than a week ago."""
    await context.app.job_manager.delete_old_jobs(
        _KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )


@jobs.periodic(cron="40 * * * *")
@jobs.task(name="rate_limits.forget", queue=QUEUE, queueing_lock="rate_limits.forget")
def forget_rate_counts(timestamp: int) -> None:  # noqa: ARG001 (as above)
    """Erase the counts of rate limits whose windows ended."""
    forget_ended_windows()


async def retry_stalled(manager: JobManager, seconds_since_heartbeat: float) -> int:
    """Put the jobs of silent workers back into the queue, and say how many.

    All jobs of ours may run twice: what is done already is left alone.
    """
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=seconds_since_heartbeat))
    for job in stalled:
        await manager.retry_job(job)
    return len(stalled)

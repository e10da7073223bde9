"""The worker's job that deletes files of pictures that are gone."""

from azionelab.extensions import SOON_AGAIN, jobs
from azionelab.media import pictures


@jobs.periodic(cron="40 4 * * *")
@jobs.task(name="media.sweep", queue="media", queueing_lock="media.sweep", retry=SOON_AGAIN)
def sweep(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Delete what no picture names any more."""
    pictures.sweep()

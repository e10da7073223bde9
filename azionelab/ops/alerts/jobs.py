"""The worker's job that looks at the site's status and tells of changes."""

from azionelab.extensions import jobs
from azionelab.ops.alerts.sending import send_waiting
from azionelab.ops.alerts.watching import watch

QUEUE = "alerts"


@jobs.periodic(cron="* * * * *")
@jobs.task(name="alerts.look", queue=QUEUE, queueing_lock="alerts.look")
def look(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Look, and send what waits."""
    watch()
    send_waiting()

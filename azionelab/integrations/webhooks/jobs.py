"""The worker's jobs that send webhooks."""

from azionelab.extensions import SOON_AGAIN, jobs
from azionelab.integrations.webhooks import delivery, endpoints


@jobs.periodic(cron="* * * * *")
@jobs.task(name="webhooks.look", queue=delivery.QUEUE, queueing_lock="webhooks.look")
def look(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Enqueue the sending of what is due."""
    delivery.enqueue_due()


@jobs.task(name=delivery.DELIVER_JOB, queue=delivery.QUEUE)
def deliver(webhook_id: int) -> None:
    """Send what is due for one webhook."""
    delivery.deliver_due(webhook_id)


@jobs.periodic(cron="40 3 * * *")
@jobs.task(
    name="webhooks.forget", queue=delivery.QUEUE, queueing_lock="webhooks.forget", retry=SOON_AGAIN
)
def forget(timestamp: int) -> None:  # noqa: ARG001 (as above)
    """Delete the log of deliveries that ended a month ago."""
    endpoints.forget_deliveries()

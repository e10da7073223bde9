"""The worker's jobs that look at the certificate, and at the data as `flask doctor` does."""

from azionelab.extensions import SOON_AGAIN, jobs
from azionelab.ops.status.parts.data import note_doctor

QUEUE = "status"


@jobs.periodic(cron="25 * * * *")
@jobs.task(
    name="status.certificate", queue=QUEUE, queueing_lock="status.certificate", retry=SOON_AGAIN
)
def look_at_certificate(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Note when the certificate ends."""
    # Imported here: the web processes load this module too, and need no certificates.
    from azionelab.ops.status.certificate import note_certificate  # noqa: PLC0415

    note_certificate()


@jobs.periodic(cron="10 */6 * * *")
@jobs.task(name="status.doctor", queue=QUEUE, queueing_lock="status.doctor", retry=SOON_AGAIN)
def look_at_data(timestamp: int) -> None:  # noqa: ARG001 (as above)
    """Note which claims of `flask doctor` do not hold."""
    note_doctor()

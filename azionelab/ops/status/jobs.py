"""The worker's job that looks at the certificate."""

from azionelab.extensions import jobs

QUEUE = "status"


@jobs.periodic(cron="25 * * * *")
@jobs.task(name="status.certificate", queue=QUEUE, queueing_lock="status.certificate")
def look_at_certificate(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Note when the certificate ends."""
    # Imported here: the web processes load this module too, and need no certificates.
    from azionelab.ops.status.certificate import note_certificate  # noqa: PLC0415

    note_certificate()

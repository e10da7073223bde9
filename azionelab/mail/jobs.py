"""The worker's job that finds mails without a job. The job that sends one is in bookings/mails/jobs.py."""

from datetime import timedelta

from azionelab.extensions import jobs
from azionelab.mail import delivery
from azionelab.mail.outbox import QUEUE, give_new_job
from azionelab.mail.smtp import end_idle_connections

_ORPHAN_AGE = timedelta(minutes=10)


@jobs.periodic(cron="* * * * *")
@jobs.task(name="mail.recover", queue=QUEUE, queueing_lock="mail.recover")
def recover_mails(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Give each mail that waits without a job a new one, and end connections that no mail uses any more."""
    end_idle_connections()
    for mail_id in delivery.find_orphans(_ORPHAN_AGE):
        give_new_job(mail_id)

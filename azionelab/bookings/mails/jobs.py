"""The worker's jobs that send mails about bookings."""

from datetime import datetime
from uuid import UUID

from procrastinate import JobContext, RetryStrategy

from azionelab.bookings.mails.messages import read_draft
from azionelab.bookings.mails.resending import RESEND_JOB, resend_failed
from azionelab.bookings.seats.holds import shorten_hold
from azionelab.extensions import jobs
from azionelab.mail.delivery import deliver
from azionelab.mail.outbox import QUEUE, SEND_JOB
from azionelab.mail.replies import Fault
from azionelab.mail.retries import GrowingPauses, is_last_try


@jobs.task(name=SEND_JOB, queue=QUEUE, pass_context=True, retry=GrowingPauses())
def send_mail(context: JobContext, mail_id: str) -> None:
    """Deliver one mail. A booking that cannot be confirmed, since its address cannot exist, soon frees its seats."""
    job = context.job
    fault = deliver(UUID(mail_id), read_draft, sending=f"{job.id}", last_try=is_last_try(job))
    if fault is Fault.DOMAIN:
        shorten_hold(UUID(mail_id))


@jobs.task(name=RESEND_JOB, queue=QUEUE, retry=RetryStrategy(max_attempts=5, wait=10))
def resend_failed_mails(since: str, asked_at: str, bad_addresses: bool) -> None:
    """Queue the mails that failed since a moment; run again, it continues."""
    resend_failed(
        datetime.fromisoformat(since),
        datetime.fromisoformat(asked_at),
        bad_addresses=bad_addresses,
    )

"""The worker's jobs around bookings."""

from azionelab.bookings import erasure
from azionelab.bookings.seats import holds
from azionelab.database import now
from azionelab.database.audit import forget_addresses
from azionelab.database.row_versions import forget_names
from azionelab.extensions import SOON_AGAIN, jobs

QUEUE = "bookings"


@jobs.periodic(cron="* * * * *")
@jobs.task(name="bookings.expire", queue=QUEUE, queueing_lock="bookings.expire")
def expire(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Expire the lapsed holds. Their seats count as free already."""
    holds.expire_lapsed_holds()


# Hourly, not nightly: on a machine that sleeps at night a nightly job would never run.
@jobs.periodic(cron="10 * * * *")
@jobs.task(name="bookings.erase", queue=QUEUE, queueing_lock="bookings.erase", retry=SOON_AGAIN)
def erase(timestamp: int) -> None:  # noqa: ARG001 (as above)
    """Erase names and addresses that are due, and those of staff in the log of changes and in edits."""
    erasure.erase_personal_data()
    before = now() - erasure.retention()
    forget_addresses(before)
    forget_names(before)

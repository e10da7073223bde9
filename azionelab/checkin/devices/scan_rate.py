"""Rate limits on the scans of one device: above what a busy door needs, below what a script would send.

ATTEMPTS limits scans that a device sends one by one. Scans of an offline phone arrive all at once: the server
accepts as many as the device can have made since it was enrolled, by the server's clock, as a phone's own may be
wrong. Refused scans stay on the device, which sends them again later.
"""

from collections.abc import Collection
from datetime import timedelta
from math import ceil
from uuid import UUID

from sqlalchemy import func, or_, select

from azionelab.checkin.models import Scan
from azionelab.database import db, now
from azionelab.staff.models import ApiToken
from azionelab.web.rate_limits import RateLimit

# Per device or account. Admissions by ticket are not counted: the number of tickets bounds them.
ATTEMPTS = RateLimit("door-attempt", lambda _settings: "120 per minute", spares_box_office=False)
MIN_SCAN_TIME = timedelta(seconds=1)  # on average over the evening: nobody lets parties in faster
BURST = 60  # scans that a newly enrolled device may have made


class TooManyAttempts(Exception):
    """The device sent more scans than it can have made; it may try again after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


def require_plausible_rate(token_id: int, performance_id: int, scan_ids: Collection[UUID]) -> None:
    """Raise TooManyAttempts for more scans than the device can have made since it was enrolled.

    Scans that are in the scan log already do not count.
    """
    if not scan_ids:
        return
    enrolled_at = db.session.execute(
        select(ApiToken.created_at).where(ApiToken.id == token_id)
    ).scalar_one()
    of_performance, sent = Scan.performance_id == performance_id, Scan.id.in_(scan_ids)
    written, repeated = db.session.execute(
        select(
            func.count().filter(of_performance, Scan.token_id == token_id),
            func.count().filter(sent),
        ).where(or_(of_performance, sent))
    ).one()
    made = written + len(set(scan_ids)) - repeated
    missing = (made - BURST) * MIN_SCAN_TIME - (now() - enrolled_at)
    if missing > timedelta(0):
        raise TooManyAttempts(ceil(missing.total_seconds()))

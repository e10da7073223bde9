"""How much one device may write: more than any evening asks for, and less than a script likes.

A device that asks at once has a limit of its own (ATTEMPTS). What it tells later, of a time without a network,
comes all at once, and all of it is taken, as far as the device had the time for it since it was enrolled. That is
the server's clock alone: a phone's own may be wrong. What is refused stays on the device, and is taken a
little later.
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

# Of one device or account. Parties who come in by their tickets are not counted: the house bounds them.
ATTEMPTS = RateLimit("door-attempt", lambda _settings: "120 per minute", spares_box_office=False)
EACH_TAKES = timedelta(
    seconds=1
)  # at least, on an average of the evening: nobody lets in parties faster
AT_ONCE = 60  # attempts that a device enrolled just now may have made


class TooManyAttempts(Exception):
    """The device tells of more than it can have done; `retry_after` seconds later it can have."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


def require_time_for(token_id: int, performance_id: int, scan_ids: Collection[UUID]) -> None:
    """Refuse attempts that the device had no time for since it was enrolled: TooManyAttempts.

    Those that are in the scan log already are sent again, and cost nothing.
    """
    if not scan_ids:
        return
    enrolled_at = db.session.execute(
        select(ApiToken.created_at).where(ApiToken.id == token_id)
    ).scalar_one()
    of_evening, sent = Scan.performance_id == performance_id, Scan.id.in_(scan_ids)
    written, repeated = db.session.execute(
        select(
            func.count().filter(of_evening, Scan.token_id == token_id), func.count().filter(sent)
        ).where(or_(of_evening, sent))
    ).one()
    made = written + len(set(scan_ids)) - repeated
    missing = (made - AT_ONCE) * EACH_TAKES - (now() - enrolled_at)
    if missing > timedelta(0):
        raise TooManyAttempts(ceil(missing.total_seconds()))

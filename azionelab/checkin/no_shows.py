"""No-shows, without people whom revoked phones let in: they are inside, and keep their seats."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select

from azionelab.bookings.seats import no_show_seats
from azionelab.checkin.models import Scan
from azionelab.checkin.verdicts import REVOKED, Way
from azionelab.database import db


def no_shows(performance_id: int) -> no_show_seats.NoShowSeats:
    """The seats that `release_no_shows` would release now."""
    return no_show_seats.no_shows(performance_id, _let_in_by_revoked(performance_id))


def release_no_shows(performance_id: int, *, with_late: bool = False) -> no_show_seats.NoShowSeats:
    """Release the seats of no-shows (no_show_seats.release_no_shows)."""
    inside = _let_in_by_revoked(performance_id)
    return no_show_seats.release_no_shows(performance_id, inside, with_late=with_late)


def _let_in_by_revoked(performance_id: int) -> Mapping[UUID, int]:
    """People of each party whom revoked phones claim to have let in; the scan log does not count them."""
    rows = db.session.execute(
        select(Scan.reservation_id, func.sum(Scan.claimed))
        .where(
            Scan.performance_id == performance_id,
            Scan.verdict == REVOKED,
            Scan.claimed > 0,
            # People who came back were admitted before, and are counted.
            Scan.way == Way.IN,
            Scan.reservation_id.is_not(None),
        )
        .group_by(Scan.reservation_id)
    )
    return {party_id: people or 0 for party_id, people in rows if party_id is not None}

"""The number of people in the building, for an evacuation. Reads only.

When in doubt it is the higher number. Everybody whom a phone let in counts, conflicts included: two parties with
the same ticket may both be inside. People who went out are subtracted only as far as the scan log counts them;
people who came back always count. Each scan counts once, so the number is a sum over scans.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Subquery, and_, func, not_, or_, select

from azionelab.checkin.devices.registry import SILENCE
from azionelab.checkin.models import Admission, Passage, Scan
from azionelab.checkin.scanning.scan_log import COUNTED_IN, COUNTED_OUT
from azionelab.checkin.verdicts import REVOKED, Way
from azionelab.database import db, now
from azionelab.staff.models import ApiToken


class SilentPhone(NamedTuple):
    """A phone that may hold unsent scans."""

    label: str
    last_seen_at: datetime


@dataclass(frozen=True)
class Building:
    """People in the building by how they are known, and the phones whose scans may be missing."""

    counted: int  # by the scan log, walk-ins included, without those who are out
    beyond: int  # conflicts: let in by phones, but not counted
    by_revoked: int  # let in by revoked phones, as far as these sent it
    outside: int  # went out and may come back; not in `people`
    silent: list[SilentPhone]  # longest silence first
    put_away: list[SilentPhone]  # put away by staff: may hold unsent scans
    at: datetime

    @property
    def people(self) -> int:
        """Everybody in the building."""
        return self.counted + self.beyond + self.by_revoked

    @property
    def known_at(self) -> datetime:
        """When the number was last certain: since then a phone that was not put away is silent."""
        return self.silent[0].last_seen_at if self.silent else self.at


def people_in(performance_id: int) -> Building:
    """Count the people in the building and find silent phones, in one statement so that both match."""
    at = now()
    figures = _figures(performance_id)
    rows = db.session.execute(
        select(figures, ApiToken.label, ApiToken.last_seen_at, ApiToken.put_away_at)
        .select_from(figures)
        .outerjoin(ApiToken, _is_silent(performance_id, at))
        .order_by(ApiToken.last_seen_at, ApiToken.id)
    ).all()
    counted, beyond, by_revoked, outside, *_ = rows[0]
    heard_before = [row for row in rows if row.last_seen_at]
    silent, put_away = (
        [
            SilentPhone(row.label, row.last_seen_at)
            for row in heard_before
            if bool(row.put_away_at) is is_away
        ]
        for is_away in (False, True)
    )
    return Building(counted, beyond, by_revoked, outside, silent, put_away, at)


def _figures(performance_id: int) -> Subquery:
    entered, gone = func.coalesce(Admission.people, 0), func.coalesce(Passage.people, 0)
    # A phone's claim stands even if its people were undone elsewhere before the claim arrived.
    more = func.greatest(func.coalesce(Scan.claimed, 0) - entered + gone, 0)
    is_revoked, came = Scan.verdict == REVOKED, Scan.way != Way.OUT
    return (
        select(
            func.coalesce(func.sum(entered - gone), 0).label("counted"),
            func.coalesce(func.sum(more).filter(came, ~is_revoked), 0).label("beyond"),
            func.coalesce(func.sum(more).filter(came, is_revoked), 0).label("by_revoked"),
            func.coalesce(func.sum(gone), 0).label("outside"),
        )
        .select_from(Scan)
        .outerjoin(Admission, COUNTED_IN)
        .outerjoin(Passage, COUNTED_OUT)
        .where(Scan.performance_id == performance_id)
        .subquery()
    )


def _is_silent(performance_id: int, at: datetime) -> ColumnElement[bool]:
    """The phone is silent, has not ended its evening, and, if revoked, has not received the 401 yet."""
    return and_(
        ApiToken.performance_id == performance_id,
        ApiToken.last_seen_at < at - SILENCE,
        not_(ApiToken.put_away_by_phone),
        or_(ApiToken.revoked_at.is_(None), ApiToken.last_seen_at < ApiToken.revoked_at),
    )

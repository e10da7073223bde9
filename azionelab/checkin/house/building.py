"""How many people are in the building: the figure that whoever gets them all out asks for.

It is the higher one. Whom a phone let in is inside, whether the books could count them or not; and of a
ticket that two phones took without a network, two parties may be. Of those who go out only such as the books can
count are taken off it, and who comes back is inside, also where nobody is known to have gone out. Each attempt
counts once, so this is a sum over attempts. Reads only.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Subquery, and_, func, not_, or_, select

from azionelab.checkin.devices.registry import SILENCE
from azionelab.checkin.models import Admission, Passage, Scan
from azionelab.checkin.scan_log import COUNTED_IN, COUNTED_OUT
from azionelab.checkin.verdicts import REVOKED, Way
from azionelab.database import db, now
from azionelab.staff.models import ApiToken


class Unheard(NamedTuple):
    """A phone that may have let people in and not told, and when it was heard from."""

    label: str
    last_seen_at: datetime


@dataclass(frozen=True)
class Building:
    """The people who came in and were not taken back, and what is not known of them."""

    counted: int  # in the books, walk-ins as well, less those who are out
    beyond: int  # in, but not in the books: conflicts
    by_revoked: int  # let in by phones that were revoked, as far as they told
    outside: int  # not counted: they went out, and may come in again
    unheard: list[Unheard]  # the one that is silent for longest first
    put_away: list[Unheard]  # by staff: what they may still have to tell nobody knows
    at: datetime

    @property
    def people(self) -> int:
        """All of them."""
        return self.counted + self.beyond + self.by_revoked

    @property
    def known_at(self) -> datetime:
        """When the figure was last sure: every phone that was not put away had been heard from then."""
        return self.unheard[0].last_seen_at if self.unheard else self.at


def people_in(performance_id: int) -> Building:
    """Who is in the building of a performance, as far as its phones told: the figure and its time at one moment."""
    at = now()
    figures = _figures(performance_id)
    rows = db.session.execute(
        select(figures, ApiToken.label, ApiToken.last_seen_at, ApiToken.put_away_at)
        .select_from(figures)
        .outerjoin(ApiToken, _is_unheard(performance_id, at))
        .order_by(ApiToken.last_seen_at, ApiToken.id)
    ).all()
    counted, beyond, by_revoked, outside, *_ = rows[0]
    silent = [row for row in rows if row.last_seen_at]
    unheard, put_away = (
        [Unheard(row.label, row.last_seen_at) for row in silent if bool(row.put_away_at) is is_away]
        for is_away in (False, True)
    )
    return Building(counted, beyond, by_revoked, outside, unheard, put_away, at)


def _figures(performance_id: int) -> Subquery:
    entered, gone = func.coalesce(Admission.people, 0), func.coalesce(Passage.people, 0)
    # What a phone says it did is true, also when somebody has taken the people back before it said so.
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


def _is_unheard(performance_id: int, at: datetime) -> ColumnElement[bool]:
    """That a phone is silent, and did not say that it is done; if it was revoked, that it was not told so."""
    return and_(
        ApiToken.performance_id == performance_id,
        ApiToken.last_seen_at < at - SILENCE,
        not_(ApiToken.put_away_by_phone),
        or_(ApiToken.revoked_at.is_(None), ApiToken.last_seen_at < ApiToken.revoked_at),
    )

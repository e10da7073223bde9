"""What is on at the venues in a period, for plans: clashes, doubles, holidays."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from azionelab.shows.limits import MAX_MINUTES
from azionelab.shows.models import Holiday, Performance
from azionelab.shows.runs.evenings import Fault

_LONGEST = timedelta(minutes=MAX_MINUTES)


@dataclass(frozen=True)
class Clash:
    """Another performance at the venue at that time, or a holiday (`starts_at` is None). Allowed, but seldom meant."""

    name: str
    starts_at: datetime | None = None


@dataclass
class House:
    """The performances of some venues and shows, and what a plan adds to them."""

    holidays: Sequence[Holiday]
    _taken: set[tuple[object, datetime]] = field(default_factory=set)
    _claimed: set[tuple[object, datetime]] = field(default_factory=set)
    _busy: dict[object, list[tuple[datetime, datetime, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @classmethod
    def read(
        cls,
        session: Session,
        shows: Collection[int],
        venues: Collection[int],
        starts: Collection[datetime],
        without: Collection[int] = (),
    ) -> "House":
        """What is on around the times `starts`, but for the performances `without`."""
        house = cls(session.scalars(select(Holiday).order_by(Holiday.first_day)).all())
        if not starts:
            return house
        on = session.scalars(
            select(Performance)
            .join(Performance.show)
            .options(contains_eager(Performance.show))
            .where(
                Performance.venue_id.in_(venues) | Performance.show_id.in_(shows),
                Performance.starts_at.between(min(starts) - _LONGEST, max(starts) + _LONGEST),
                Performance.id.not_in(without),
            )
        )
        for one in on:
            house._taken.add((one.show_id, one.starts_at))
            if one.cancelled_at is None:
                house.occupy(one.venue_id, one.starts_at, one.ends_at, one.show.title)
        return house

    def find_double(self, show: object, starts_at: datetime) -> Fault | None:
        """Whether the show has an evening at this time, or the plan asks for it twice."""
        if (show, starts_at) in self._claimed:
            return Fault.REPEATED
        return Fault.EXISTS if (show, starts_at) in self._taken else None

    def claim(self, show: object, starts_at: datetime) -> None:
        """The plan asks for the show at this time."""
        self._claimed.add((show, starts_at))

    def occupy(self, venue: object, starts_at: datetime, ends_at: datetime, title: str) -> None:
        """Something is on at the venue."""
        insort(self._busy[venue], (starts_at, ends_at, title))

    def find_clashes(
        self, venue: object, starts_at: datetime, ends_at: datetime
    ) -> tuple[Clash, ...]:
        """What is on at the venue between these times."""
        busy = self._busy[venue]
        near = busy[bisect_left(busy, (starts_at - _LONGEST,)) : bisect_left(busy, (ends_at,))]
        return tuple(Clash(title, start) for start, end, title in near if end > starts_at)

    def find_holidays(self, day: date) -> tuple[Clash, ...]:
        """The holidays on a day."""
        return tuple(Clash(h.name) for h in self.holidays if h.first_day <= day <= h.last_day)

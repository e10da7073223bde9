"""A season's figures: performances, seats, who came, who did not, lead time.

They are read from reservations, whose seats, states and admissions stay when a person is erased. So the figures of
a year are the same before and after its names are gone. No performance with a reservation can be deleted.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, select
from sqlalchemy.orm import InstrumentedAttribute

from azionelab.bookings.models import Reservation, State
from azionelab.bookings.reminders.answers import SAID_COMING
from azionelab.database import db
from azionelab.reports.audience import LEAD, WALKED_IN, lead_seats
from azionelab.shows.limits import performance_end
from azionelab.shows.models import Performance, Show


@dataclass(frozen=True)
class Figures:
    """Sums over performances, in seats and people. Those that are `checked` had a check-in: somebody was let in."""

    performances: int = 0
    seats: int = 0  # offered: the house's capacity
    taken: int = 0  # by bookings and walk-ins, without released seats
    booked: int = 0
    coming: int = 0  # of these, by parties that said so when they were reminded
    came: int = 0  # people who were let in, walk-ins included
    walk_ins: int = 0
    checked: int = 0
    expected: int = 0  # booked for performances with a check-in
    absent: int = 0  # of those who were expected
    lead: float = 0  # days from booking to curtain, summed over the booked seats
    wheelchair_places: int = (
        0  # taken; the performance keeps the figure when the parties are erased
    )

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, name) + getattr(other, name) for name in _NAMES))

    @property
    def fill(self) -> float | None:
        """Seats taken, in percent of those offered."""
        return _percent(self.taken, self.seats)

    @property
    def no_show_share(self) -> float | None:
        """Who was expected and did not come, in percent."""
        return _percent(self.absent, self.expected)

    @property
    def lead_days(self) -> float | None:
        """How many days before the curtain a seat was booked, on average."""
        return self.lead / self.booked if self.booked else None


_NAMES = [field.name for field in fields(Figures)]


@dataclass(frozen=True)
class Evening:
    """A performance and its figures."""

    performance_id: int
    show_id: int
    title: str
    starts_at: datetime
    figures: Figures


@dataclass(frozen=True)
class SeasonFigures:
    """The performances of a period that are over, those to come or under way, and those that were cancelled."""

    played: Sequence[Evening]
    coming: Sequence[Evening]
    cancelled: Sequence[Evening]

    @property
    def total(self) -> Figures:
        """The sums of what was played."""
        return total(self.played)


def played_lead_seats(figures: SeasonFigures) -> list[int]:
    """The seats booked for what was played, by lead time, as `lead_seats` counts them."""
    return lead_seats(Performance.id.in_([each.performance_id for each in figures.played]))


def total(evenings: Iterable[Evening]) -> Figures:
    """The sums of several performances."""
    return sum((each.figures for each in evenings), Figures())


def group(
    evenings: Iterable[Evening], key: Callable[[Evening], Hashable]
) -> list[tuple[Evening, Figures]]:
    """The sums of the performances with one key, each with the first of them, in the order in which they come."""
    found: dict[Hashable, list[Evening]] = defaultdict(list)
    for evening in evenings:
        found[key(evening)].append(evening)
    return [(evenings[0], total(evenings)) for evenings in found.values()]


@dataclass(frozen=True)
class _Sums:
    """What is counted of a performance's confirmed reservations."""

    taken: int = 0
    booked: int = 0
    coming: int = 0
    booked_in: int = 0
    walked_in: int = 0
    lead: float = 0


def season_figures(
    at: datetime, since: datetime | None = None, until: datetime | None = None
) -> SeasonFigures:
    """The figures of performances that begin from `since` on and before `until`, as known `at` a moment.

    Performances of a draft that nobody has booked are left out: they never were on the programme.
    """
    which = [Performance.starts_at >= since] if since else []
    which += [Performance.starts_at < until] if until else []
    sums = _read_sums(which)
    rows = db.session.execute(
        select(
            Performance.id,
            Performance.show_id,
            Show.title,
            Performance.starts_at,
            Performance.cancelled_at.is_not(None),
            Performance.capacity,
            Performance.wheelchair_held,
            Show.duration_minutes,
            and_(Show.published.is_(False), Show.archived_at.is_(None)),
        )
        .join(Performance.show)
        .where(*which)
        .order_by(Performance.starts_at, Performance.id)
    )
    played: list[Evening] = []
    coming: list[Evening] = []
    cancelled: list[Evening] = []
    for (
        identity,
        show_id,
        title,
        starts_at,
        is_cancelled,
        capacity,
        wheelchair,
        minutes,
        is_draft,
    ) in rows:
        if is_draft and identity not in sums:
            continue
        figures = _figures(capacity, wheelchair, sums.get(identity, _Sums()))
        evening = Evening(identity, show_id, title, starts_at, figures)
        is_over = performance_end(starts_at, minutes) <= at
        (cancelled if is_cancelled else played if is_over else coming).append(evening)
    return SeasonFigures(played, coming, cancelled)


def _read_sums(which: list[ColumnElement[bool]]) -> Mapping[int, _Sums]:
    """By performance; those without a confirmed reservation are not among them."""
    booked = not_(WALKED_IN)
    rows = db.session.execute(
        select(
            Reservation.performance_id,  # then the fields of _Sums, in their order
            _sum(Reservation.seats - Reservation.released),
            _sum(Reservation.seats, booked),
            _sum(Reservation.seats, SAID_COMING),
            _sum(Reservation.admitted, booked),
            _sum(Reservation.admitted, WALKED_IN),
            _sum(Reservation.seats * func.greatest(LEAD, 0), booked),
        )
        .join(Reservation.performance)
        .where(Reservation.state == State.CONFIRMED, *which)
        .group_by(Reservation.performance_id)
    )
    return {performance_id: _Sums(*sums) for performance_id, *sums in rows}


def _figures(capacity: int, wheelchair: int, sums: _Sums) -> Figures:
    """Of one performance."""
    is_checked = sums.booked_in + sums.walked_in > 0
    return Figures(
        performances=1,
        seats=capacity,
        taken=sums.taken,
        booked=sums.booked,
        coming=sums.coming,
        came=sums.booked_in + sums.walked_in,
        walk_ins=sums.walked_in,
        checked=1 if is_checked else 0,
        expected=sums.booked if is_checked else 0,
        absent=sums.booked - sums.booked_in if is_checked else 0,
        lead=sums.lead,
        wheelchair_places=wheelchair,
    )


def _sum(
    counted: InstrumentedAttribute[int] | ColumnElement[Any],
    which: ColumnElement[bool] | None = None,
) -> ColumnElement[Any]:
    summed = func.sum(counted)
    return func.coalesce(summed if which is None else summed.filter(which), 0)


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None

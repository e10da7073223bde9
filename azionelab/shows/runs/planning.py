"""Plans evenings to be added: what each would be, what stands in its way, and what it clashes with.

`add_evenings` makes the same plan again and adds all of its evenings, or none.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from azionelab.database import db, now, transaction
from azionelab.database.row_versions import lock_row, record_author
from azionelab.shows.facts.copying import copy_facts
from azionelab.shows.limits import PARTY_LIMIT, performance_end
from azionelab.shows.models import Performance, Show, Venue
from azionelab.shows.runs.evenings import BookingTimes, Fault, Times, resolve_times
from azionelab.shows.runs.house import Clash, House

_BATCH = 50  # evenings
Row = TypeVar("Row", Show, Venue)


@dataclass(frozen=True)
class NewShow:
    """A show that is added with its evenings; `copy_of` is the id of one whose facts and pictures it takes along."""

    title: str
    slug: str
    summary: str = ""
    description: str = ""
    duration_minutes: int | None = None
    published: bool = False
    copy_of: int | None = None

    def add(self, session: Session) -> Show:
        """Add it, in the caller's transaction."""
        facts = dict(vars(self))
        source_id = facts.pop("copy_of")
        show = Show(**facts)
        session.add(show)
        if source_id is not None:
            copy_facts(session, source_id, show)
        return show


@dataclass(frozen=True)
class NewVenue:
    """A venue that is added with the evenings in it."""

    name: str


Named = int | NewShow | NewVenue


@dataclass(frozen=True)
class Asked:
    """One evening asked for: the naive local time `wall` of its curtain, and the rest.

    Show and venue are ids of existing ones, or new. Without a `capacity` the venue's own is taken. `line` is that
    of a file.
    """

    wall: datetime
    show: int | NewShow
    venue: int | NewVenue
    capacity: int | None = None
    party_limit: int = PARTY_LIMIT
    booking: BookingTimes = field(default_factory=BookingTimes)
    line: int = 0
    wheelchair_places: int = 0


@dataclass(frozen=True)
class Planned:
    """An evening as it would be added. `fault`: why it cannot be."""

    asked: Asked
    times: Times
    show: str
    venue: str
    capacity: int | None
    fault: Fault | None = None
    clashes: tuple[Clash, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The evenings of a plan, in order."""

    evenings: tuple[Planned, ...]

    @property
    def has_faults(self) -> bool:
        """Whether one of them cannot be added."""
        return any(evening.fault for evening in self.evenings)

    @property
    def clashing(self) -> int:
        """How many of them clash with something."""
        return sum(bool(evening.clashes) for evening in self.evenings)

    @property
    def digest(self) -> str:
        """What a person saw of the plan, in short: another plan has another one."""
        return sha256(repr(self.evenings).encode()).hexdigest()


class PlanChanged(Exception):
    """The plan is not the one that was shown; nothing was added. `plan` is the newer one."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("another plan")
        self.plan = plan


def plan_evenings(asked: Iterable[Asked], at: datetime | None = None) -> Plan:
    """Plan evenings without adding them; `at` is the current time."""
    return _make_plan(db.session(), list(asked), at or now())


def add_evenings(
    asked: Iterable[Asked],
    seen: str,
    by: int | None,
    note: Callable[[Session, int, int], None] | None = None,
) -> list[Performance]:
    """Add all evenings, with their new shows and venues, in one transaction; returns the performances.

    `note` gets the session, the number of evenings that are added and that of all, after each batch; what it raises
    takes all back. `seen` is the digest of the plan that the person saw. Raises PlanChanged when today's plan is another one or
    has a fault, RowGone when a show or venue was deleted, and IntegrityError when a slug or name is taken.
    """
    wanted = list(asked)
    with transaction() as session:
        record_author(session, by)
        at = now()
        # Two plans for one venue, or one show, wait for each other: each sees what the other added.
        shows = _rows(session, Show, (each.show for each in wanted))
        venues = _rows(session, Venue, (each.venue for each in wanted))
        plan = _make_plan(session, wanted, at)
        if plan.digest != seen or plan.has_faults:
            raise PlanChanged(plan)
        added = [
            Performance(
                show=shows[one.asked.show],
                venue=venues[one.asked.venue],
                starts_at=one.times.starts_at,
                booking_opens_at=one.times.opens_at or at.replace(second=0, microsecond=0),
                booking_closes_at=one.times.closes_at,
                capacity=one.capacity,
                party_limit=one.asked.party_limit,
                wheelchair_places=one.asked.wheelchair_places,
            )
            for one in plan.evenings
        ]
        for begin in range(0, len(added), _BATCH):
            session.add_all(added[begin : begin + _BATCH])
            if note:
                session.flush()
                note(session, min(begin + _BATCH, len(added)), len(added))
        return added


def _rows(session: Session, model: type[Row], named: Iterable[Named]) -> dict[Named, Row]:
    """The existing rows, locked in the order of their ids, and new ones."""
    wanted = set(named)
    known = sorted(name for name in wanted if isinstance(name, int))
    rows: dict[Named, Row] = {identity: lock_row(session, model, identity) for identity in known}
    for new in wanted - rows.keys():
        added: Any = new.add(session) if isinstance(new, NewShow) else model(**vars(new))
        rows[new] = added
    return rows


def _make_plan(session: Session, asked: list[Asked], at: datetime) -> Plan:
    asked.sort(key=lambda each: (each.wall, each.line))
    shows = _find(session, Show, [each.show for each in asked])
    venues = _find(session, Venue, [each.venue for each in asked])
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    times = [resolve_times(each.wall, each.booking, zone, at) for each in asked]
    starts = [each.starts_at for each in times if each.starts_at]
    house = House.read(session, shows, venues, starts)
    return Plan(
        tuple(
            _plan(each, its, house, shows, venues) for each, its in zip(asked, times, strict=True)
        )
    )


def _plan(
    each: Asked, times: Times, house: House, shows: dict[int, Show], venues: dict[int, Venue]
) -> Planned:
    show = each.show if isinstance(each.show, NewShow) else shows.get(each.show)
    venue = each.venue if isinstance(each.venue, NewVenue) else venues.get(each.venue)
    capacity = each.capacity
    if capacity is None and isinstance(venue, Venue):
        capacity = venue.default_capacity
    fault = times.fault
    if fault is None and capacity is None:
        fault = Fault.NO_CAPACITY
    elif fault is None and each.wheelchair_places > (capacity or 0):
        fault = Fault.WHEELCHAIR_BEYOND
    clashes: tuple[Clash, ...] = ()
    if times.starts_at is not None:
        ends_at = performance_end(times.starts_at, show.duration_minutes if show else None)
        clashes = house.find_clashes(each.venue, times.starts_at, ends_at)
        fault = house.find_double(each.show, times.starts_at) or fault
        house.claim(each.show, times.starts_at)
        if fault is None:
            house.occupy(each.venue, times.starts_at, ends_at, show.title if show else "")
    clashes += house.find_holidays(each.wall.date())
    return Planned(
        each,
        times,
        show.title if show else "",
        venue.name if venue else "",
        capacity,
        fault,
        clashes,
    )


def _find(session: Session, model: type[Row], named: Iterable[object]) -> dict[int, Row]:
    ids = {each for each in named if isinstance(each, int)}
    found = session.scalars(select(model).where(model.id.in_(ids))) if ids else ()
    return {row.id: row for row in found}

"""What a change of evenings would do to each of them and its parties."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import func, not_, select
from sqlalchemy.orm import Session, joinedload

from azionelab.bookings.models import Reservation, State, lapsed, unconfirmed
from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.shows.runs.changes import EveningFacts, RunChange, change_evening
from azionelab.shows.runs.evenings import Fault
from azionelab.shows.runs.house import Clash, House


@dataclass(frozen=True)
class Held:
    """Who holds an evening's seats. `seats` are all that are taken; lapsed holds are free.

    `others` are seats without a party that could be written to: walk-ins and seats kept back. `readers` are the
    parties that get a mail of a change, `pending_until` is when the last hold lapses.
    """

    seats: int = 0
    confirmed_parties: int = 0
    confirmed_seats: int = 0
    pending_parties: int = 0
    pending_seats: int = 0
    pending_until: datetime | None = None
    readers: int = 0
    wheelchair: int = 0  # wheelchair places among `seats`

    def least_capacity(self, wheelchair_places: int) -> int:
        """The seats that a house with so many wheelchair places needs: nobody else takes those that are free."""
        return self.seats + max(0, wheelchair_places - self.wheelchair)

    @property
    def others(self) -> int:
        """Seats of walk-ins, and others without a visitor."""
        return self.seats - self.confirmed_seats - self.pending_seats


@dataclass(frozen=True)
class Effect:
    """What a change does to one evening. `fault`: why it cannot be."""

    performance: Performance
    before: EveningFacts
    after: EveningFacts
    held: Held
    cancels: bool
    fault: Fault | None = None
    least: int = 0  # the seats that it needs at least
    clashes: tuple[Clash, ...] = ()

    @property
    def mails(self) -> int:
        """How many parties get a mail."""
        told = self.cancels or self.after.is_moved_from(self.before)
        return self.held.readers if told and not self.fault else 0

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return self.cancels or self.after != self.before


@dataclass(frozen=True)
class Effects:
    """What a change does to all of its evenings, by date."""

    evenings: tuple[Effect, ...]

    @property
    def has_faults(self) -> bool:
        """Whether one of them cannot be changed so: then none is."""
        return any(one.fault for one in self.evenings)

    @property
    def mails(self) -> int:
        """How many parties get a mail."""
        return sum(one.mails for one in self.evenings)

    @property
    def changed(self) -> int:
        """How many evenings the change changes."""
        return sum(one.changes for one in self.evenings)

    @property
    def digest(self) -> str:
        """What a person saw, in short. Without the parties: one that books meanwhile is no reason to look again."""
        seen = [
            (one.performance.id, one.before, one.after, one.cancels, one.fault, one.clashes)
            for one in self.evenings
        ]
        return sha256(repr(seen).encode()).hexdigest()


def preview_change(ids: Collection[int], change: RunChange) -> Effects:
    """What the change would do to the performances with these ids, as they are now; changes nothing."""
    performances = db.session.scalars(
        select(Performance)
        .where(Performance.id.in_(ids))
        .options(joinedload(Performance.show))
        .execution_options(populate_existing=True)
    ).all()
    return read_effects(db.session(), performances, change, now())


def read_effects(
    session: Session, performances: Sequence[Performance], change: RunChange, at: datetime
) -> Effects:
    """What the change does to performances that were read, or locked, at `at`."""
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    held = read_held(session, performances, at)
    drafts = []
    for performance in sorted(performances, key=lambda each: (each.starts_at, each.id)):
        before = facts_of(performance)
        after, fault = change_evening(before, change, zone, at)
        taken = held[performance.id]
        least = taken.least_capacity(performance.wheelchair_places)
        if fault is None and not change.cancel and after.capacity < least:
            fault = Fault.BELOW_HELD
        drafts.append(Effect(performance, before, after, taken, change.cancel, fault, least))
    if change.cancel:
        return Effects(tuple(drafts))
    return Effects(tuple(_with_clashes(session, drafts, zone)))


def _with_clashes(session: Session, drafts: Sequence[Effect], zone: ZoneInfo) -> list[Effect]:
    """Clashes of moved evenings, in their order, with what is on besides and with each other."""
    moved = [each for each in drafts if each.after.is_moved_from(each.before)]
    house = House.read(
        session,
        {each.performance.show_id for each in moved},
        {each.after.venue_id for each in moved},
        [each.after.starts_at for each in moved],
        without={each.performance.id for each in drafts},
    )
    found = []
    for each in drafts:
        venue, starts_at = each.after.venue_id, each.after.starts_at
        ends_at = starts_at + each.performance.show.duration
        clashes, fault = each.clashes, each.fault
        if each.after.is_moved_from(each.before):
            clashes = house.find_clashes(venue, starts_at, ends_at)
            clashes += house.find_holidays(starts_at.astimezone(zone).date())
            fault = fault or house.find_double(each.performance.show_id, starts_at)
        house.claim(each.performance.show_id, starts_at)
        if each.before.cancelled_at is None:
            house.occupy(venue, starts_at, ends_at, each.performance.show.title)
        found.append(replace(each, clashes=clashes, fault=fault))
    return found


def facts_of(performance: Performance) -> EveningFacts:
    """What can be changed of a performance."""
    return EveningFacts(
        **{each.name: getattr(performance, each.name) for each in fields(EveningFacts)}
    )


def read_held(
    session: Session, performances: Collection[Performance], at: datetime
) -> dict[int, Held]:
    """Who holds the seats of each performance, by its id, in one statement."""
    confirmed = (Reservation.state == State.CONFIRMED) & not_(Reservation.walk_in)
    waiting = unconfirmed(at)
    over = lapsed(at) & Reservation.holds_seats
    seats = Reservation.seats - Reservation.released
    rows = session.execute(
        select(
            Reservation.performance_id,
            func.coalesce(func.sum(seats).filter(over), 0),
            func.count().filter(confirmed),
            func.coalesce(func.sum(seats).filter(confirmed), 0),
            func.count().filter(waiting),
            func.coalesce(func.sum(seats).filter(waiting, Reservation.holds_seats), 0),
            func.max(Reservation.hold_expires_at).filter(waiting),
            func.count().filter((confirmed | waiting) & (Reservation.email != "")),
            func.coalesce(func.sum(Reservation.wheelchair_places).filter(over), 0),
        )
        .where(
            Reservation.performance_id.in_([each.id for each in performances]),
            Reservation.is_live,
        )
        .group_by(Reservation.performance_id)
    )
    found: dict[int, tuple[Any, ...]] = {row[0]: tuple(row[1:]) for row in rows}
    held = {}
    for each in performances:
        free, *rest, free_wheelchair = found.get(each.id, (0, 0))
        wheelchair = each.wheelchair_held - free_wheelchair
        held[each.id] = replace(Held(each.seats_held - free, *rest), wheelchair=wheelchair)
    return held

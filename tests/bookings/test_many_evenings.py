"""Changing and cancelling many evenings at once: what was previewed, all of it or nothing."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest

from azionelab.bookings import rules
from azionelab.bookings.evenings import changing
from azionelab.bookings.evenings.changing import Changed, EffectsChanged, change_evenings
from azionelab.bookings.evenings.effects import Effects, preview_change
from azionelab.database import now, transaction
from azionelab.shows.models import Holiday, Performance
from azionelab.shows.runs.changes import RunChange
from azionelab.shows.runs.evenings import Fault
from tests.bookings.test_locks import MAIL_GATE, Race, race, unlocked, with_and_without
from tests.factories import (
    a_party,
    a_performance,
    a_visitor,
    fresh,
    let_lapse,
    mails,
    seats_held,
)

__all__ = ["race", "unlocked"]  # fixtures
pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]


def a_run(evenings: int = 3, **facts: Any) -> list[Performance]:
    """A show on consecutive days, at the same venue."""
    curtain = (now() + timedelta(days=10)).replace(microsecond=0)
    first = a_performance(starts_at=curtain, **facts)
    return [
        first,
        *(
            a_performance(
                starts_at=curtain + timedelta(days=n), show=first.show, venue=first.venue, **facts
            )
            for n in range(1, evenings)
        ),
    ]


def ids(run: list[Performance]) -> list[int]:
    return [one.id for one in run]


def changed(which: list[int], change: RunChange, effects: Effects | None = None) -> Changed:
    """Change as staff do: preview, then save what was seen."""
    seen = effects or preview_change(which, change)
    return change_evenings(which, change, seen.digest, None)


def rows(database: Database) -> list[Any]:
    return database.execute(
        "SELECT id, starts_at, booking_opens_at, booking_closes_at, capacity, party_limit, venue_id, cancelled_at"
        " FROM performance ORDER BY id"
    ).fetchall()


@pytest.mark.parametrize(
    "change",
    [
        RunChange(days=1),
        RunChange(days=-1, minutes=30),
        RunChange(capacity=7, party_limit=3),
        RunChange(opens_days=5, closes_before=timedelta(minutes=10)),
        RunChange(minutes=45, closes_before=timedelta()),
    ],
)
def test_what_is_saved_is_what_was_previewed(database: Database, change: RunChange) -> None:
    run = a_run()
    parties = [a_party(run[0]), a_party(run[2], confirmed=False)]
    effects = preview_change(ids(run), change)
    told = changed(ids(run), change, effects)
    found = {row.id: row for row in rows(database)}
    for effect in effects.evenings:
        row = found[effect.performance.id]
        for name in (
            "starts_at",
            "booking_opens_at",
            "booking_closes_at",
            "capacity",
            "party_limit",
        ):
            assert getattr(row, name) == getattr(effect.after, name), name
    assert told == Changed(3, effects.mails)
    moved = bool(change.days or change.minutes)
    assert effects.mails == (2 if moved else 0)
    assert [mails(party).count("moved") for party in parties] == [moved, moved]


def test_a_run_moves_onto_its_own_days(database: Database) -> None:
    run = a_run()
    before = [one.starts_at for one in run]
    for days in (1, -1, 2, -2):
        changed(ids(run), RunChange(days=days))
    assert [row.starts_at for row in rows(database)] == before
    changed(ids(run), RunChange(days=1))
    assert [row.starts_at for row in rows(database)] == [
        moment + timedelta(days=1) for moment in before
    ]


def test_one_evening_does_not_move_onto_another(database: Database) -> None:
    run = a_run()
    effects = preview_change([run[0].id], RunChange(days=1))
    assert [one.fault for one in effects.evenings] == [Fault.EXISTS]
    with pytest.raises(EffectsChanged):
        changed([run[0].id], RunChange(days=1))


def test_fewer_seats_than_are_taken_are_refused_for_all(database: Database) -> None:
    run = a_run(capacity=10)
    a_party(run[1], 3)
    a_party(run[1], 2, confirmed=False)
    let_lapse(a_party(run[1], 4, confirmed=False))
    before = rows(database)
    effects = preview_change(ids(run), RunChange(capacity=4))
    assert [one.fault for one in effects.evenings] == [None, Fault.BELOW_HELD, None]
    held = effects.evenings[1].held
    assert (held.seats, held.confirmed_seats, held.pending_seats, held.others) == (5, 3, 2, 0)
    assert held.pending_until is not None
    with pytest.raises(EffectsChanged):
        changed(ids(run), RunChange(capacity=4))
    assert rows(database) == before
    changed(ids(run), RunChange(capacity=5))
    assert {row.capacity for row in rows(database)} == {5}


def test_a_booking_after_the_preview_is_not_cut_off(database: Database) -> None:
    (evening,) = a_run(1, capacity=10)
    change = RunChange(capacity=2)
    effects = preview_change([evening.id], change)
    assert not effects.has_faults
    a_party(evening, 3)
    with pytest.raises(EffectsChanged) as other:
        changed([evening.id], change, effects)
    assert other.value.effects.evenings[0].fault is Fault.BELOW_HELD
    assert seats_held(evening.id) == (3, 3)


def test_a_booking_that_fits_is_no_reason_to_look_again() -> None:
    run = a_run(2)
    effects = preview_change(ids(run), RunChange(days=30))
    party = a_party(run[0])
    assert changed(ids(run), RunChange(days=30), effects) == Changed(2, 1)
    assert "moved" in mails(party)


def test_somebody_elses_change_is_seen_before_saving(database: Database) -> None:
    run = a_run(2)
    effects = preview_change(ids(run), RunChange(days=30))
    changed([run[0].id], RunChange(party_limit=2))
    before = rows(database)
    with pytest.raises(EffectsChanged):
        changed(ids(run), RunChange(days=30), effects)
    assert rows(database) == before


def test_a_run_is_cancelled_with_a_mail_to_each_party(database: Database) -> None:
    run = a_run()
    parties = [a_party(evening, 2) for evening in run]
    let_lapse(a_party(run[0], 1, confirmed=False))
    effects = preview_change(ids(run)[:2], RunChange(cancel=True))
    assert effects.mails == 2
    assert changed(ids(run)[:2], RunChange(cancel=True), effects) == Changed(2, 2)
    assert [fresh(party.id).state for party in parties] == ["cancelled", "cancelled", "confirmed"]
    assert [mails(party)[-1] for party in parties] == ["performance_cancelled"] * 2 + ["ticket"]
    assert [row.cancelled_at is not None for row in rows(database)] == [True, True, False]
    again = preview_change(ids(run), RunChange(cancel=True))
    assert [one.fault for one in again.evenings] == [Fault.CANCELLED, Fault.CANCELLED, None]


def test_a_move_tells_of_clashes_and_holidays() -> None:
    run = a_run(2)
    later = run[0].starts_at + timedelta(days=5)
    other = a_performance(starts_at=later, venue=run[0].venue)
    with transaction() as session:
        day = (later + timedelta(days=1)).date()
        session.add(Holiday(name="Patron", first_day=day, last_day=day))
    effects = preview_change(ids(run), RunChange(days=5))
    names = [[clash.name for clash in one.clashes] for one in effects.evenings]
    assert names == [[other.show.title], ["Patron"]]
    assert not effects.has_faults


@with_and_without("_PERFORMANCE")
def test_two_changes_of_one_run_do_not_wait_for_each_other(
    race: Race,
    unlocked: str | None,
) -> None:
    run = a_run(2)
    for evening in run:
        a_party(evening)
    # One begins with the last evening, the other with the first.
    later, earlier = RunChange(days=30), RunChange(days=-5)
    seen = [preview_change(ids(run), change).digest for change in (later, earlier)]

    def change(what: RunChange, digest: str) -> Callable[[], str]:
        def act() -> str:
            try:
                change_evenings(ids(run), what, digest, None)
            except EffectsChanged:
                return "other effects"
            return "changed"

        return act

    told = race.run(MAIL_GATE, change(later, seen[0]), change(earlier, seen[1]))
    if unlocked:
        assert "DeadlockDetected" in told
        return
    assert told == ["changed", "other effects"]


@with_and_without("_PERFORMANCE")
def test_a_booking_waits_for_a_run_that_gets_smaller(
    race: Race, unlocked: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (evening,) = a_run(1, capacity=10)
    a_party(evening, 2)
    change = RunChange(capacity=2)
    seen = preview_change([evening.id], change).digest

    real = changing.read_effects

    def cut(let_book: Callable[[], None]) -> str:
        def read_and_wait(*args: Any) -> Effects:
            effects = real(*args)
            let_book()
            return effects

        monkeypatch.setattr(changing, "read_effects", read_and_wait)
        change_evenings([evening.id], change, seen, None)
        return "changed"

    told = race.run_inside(cut, partial(rules.reserve, evening.id, a_visitor(), 2))
    if unlocked:
        assert told == ["ck_performance_capacity_held", "done"]
        return
    assert told == ["changed", "SoldOut"]
    assert seats_held(evening.id) == (2, 2)

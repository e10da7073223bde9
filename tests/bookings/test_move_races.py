"""Races of those who move parties, on real connections, each with its negative control."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from azionelab.bookings import locks, rules
from azionelab.bookings.box_office import groups, moves
from azionelab.bookings.box_office.changes import change_party, entries_of
from azionelab.bookings.box_office.groups import merge_parties, split_party
from azionelab.bookings.box_office.moves import move_party
from azionelab.bookings.errors import BookingError, SoldOut
from azionelab.bookings.evenings.rebooking import rebook_parties
from azionelab.bookings.models import Reservation
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.bookings.visitor_changes.evenings import swap_evening
from azionelab.bookings.visitor_changes.seats import add_seats
from azionelab.checkin.scanning.scans import admit
from azionelab.shows.models import Performance
from tests.bookings.test_locks import DOOR_GATE, MAIL_GATE, Race, with_and_without, without_its_lock
from tests.factories import DOOR_A, a_party, a_performance, fresh, seats_held
from tests.support.processes import PATIENCE, eventually

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def race(app: Flask, database_url: str) -> Race:
    return Race(app, database_url)


@pytest.fixture(params=[None])
def unlocked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    if request.param:
        bare = without_its_lock(getattr(locks, request.param))
        monkeypatch.setattr(locks, request.param, bare)
    name: str | None = request.param
    return name


def moving(party: Reservation, target: Performance) -> Callable[[], Any]:
    return partial(move_party, party.id, target.id, fresh(party.id).changed_in)


@pytest.fixture
def observer(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.mark.parametrize("in_order", [True, False], ids=["in order", "negative control"])
def test_moves_in_opposite_directions_do_not_wait_for_each_other(
    app: Flask,
    observer: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
    in_order: bool,
) -> None:
    friday, saturday = a_performance(10), a_performance(10)
    there, back = a_party(friday, 4), a_party(saturday, 4)
    first_locks: list[int] = []
    lock_one = locks.lock_performance

    def lock_and_meet(session: Session, performance_id: int) -> Performance:
        locked = lock_one(session, performance_id)
        if threading.get_ident() not in first_locks:
            first_locks.append(threading.get_ident())
            # Until the other one has its first lock as well, or waits for ours.
            eventually(
                lambda: len(first_locks) == 2 or observer.execute(WAITING).fetchone() == (1,),
                "the other one",
            )
        return locked

    def lock_as_asked(session: Session, *performances: int) -> dict[int, Performance]:
        return {one: lock_and_meet(session, one) for one in performances}

    monkeypatch.setattr(locks, "lock_performance", lock_and_meet)
    if not in_order:
        monkeypatch.setattr(moves, "lock_performances", lock_as_asked)

    def attempt(act: Callable[[], Any]) -> str:
        with app.app_context():
            try:
                act()
            except OperationalError as error:
                return type(error.orig).__name__
            return "moved"

    acts = moving(there, saturday), moving(back, friday)
    with ThreadPoolExecutor(2) as staff:
        told = sorted(staff.map(attempt, acts))
    if not in_order:
        assert told == ["DeadlockDetected", "moved"]
        return
    assert told == ["moved", "moved"]
    assert (seats_held(friday.id), seats_held(saturday.id)) == ((4, 4), (4, 4))


def test_a_storm_of_moves_oversells_no_evening(app: Flask) -> None:
    evenings = [a_performance(7) for _ in range(3)]
    parties = [a_party(evening, seats).id for evening in evenings for seats in (2, 3)]
    start = threading.Barrier(6)

    def shuffle(number: int) -> list[str]:
        told = []
        start.wait(PATIENCE)
        with app.app_context():
            for turn in range(12):
                party = fresh(parties[number])
                target = evenings[(number + turn) % 3]
                try:
                    move_party(party.id, target.id, party.changed_in)
                    told.append("moved")
                except BookingError as refusal:
                    told.append(type(refusal).__name__)
        return told

    with ThreadPoolExecutor(6) as staff:
        told = [word for words in staff.map(shuffle, range(6)) for word in words]
    assert set(told) <= {"moved", "SoldOut"}
    assert told.count("moved") > 6
    held = [seats_held(evening.id) for evening in evenings]
    assert all(counted == summed <= 7 for counted, summed in held)
    assert sum(counted for counted, _ in held) == 15


@with_and_without("_PERFORMANCE")
def test_the_last_seats_go_to_one_of_two_parties(race: Race, unlocked: str | None) -> None:
    friday, saturday = a_performance(10), a_performance(5)
    one, two = a_party(friday, 4), a_party(friday, 4)
    left: list[int] = []

    def second() -> None:
        try:
            moving_two()
        except BookingError as refusal:
            left.append(getattr(refusal, "seats_left", -1))
            raise

    moving_two = moving(two, saturday)
    told = race.run(MAIL_GATE, moving(one, saturday), second)
    assert told == ["done", "SoldOut"]
    # Without the lock the database's constraint refuses, which knows no figure.
    assert left == ([0] if unlocked else [1])
    assert seats_held(saturday.id) == (4, 4)


@with_and_without("_PERFORMANCE")
def test_the_last_seats_go_to_who_wants_more_or_to_who_swaps(
    race: Race, unlocked: str | None
) -> None:
    friday = a_performance(10)
    saturday = a_performance(5, show=friday.show)
    more, swaps = a_party(saturday, 2), a_party(friday, 2)
    left: list[int] = []

    def swap() -> None:
        try:
            swapping()
        except SoldOut as refusal:
            left.append(refusal.seats_left)
            raise

    swapping = partial(swap_evening, swaps.id, saturday.id, fresh(swaps.id).changed_in)
    adding = partial(add_seats, more.id, 4, fresh(more.id).changed_in)
    assert race.run(MAIL_GATE, adding, swap) == ["done", "SoldOut"]
    # Without the lock the database's constraint refuses, which knows no figure.
    assert left == ([0] if unlocked else [1])
    assert (seats_held(friday.id), seats_held(saturday.id)) == ((2, 2), (4, 4))


@with_and_without("_PERFORMANCE")
def test_the_last_seats_go_to_the_parties_of_one_of_two_cancelled_evenings(
    race: Race, unlocked: str | None
) -> None:
    """Two who each move all parties of a cancelled evening to the same third one."""
    target = a_performance(7)
    acts = []
    for _ in range(2):
        evening = a_performance(10)
        parties = [a_party(evening, seats) for seats in (3, 2)]
        cancel_performance(evening.id)
        chosen = {party.id: fresh(party.id).changed_in for party in parties}
        expected = frozenset(chosen)
        acts.append(partial(rebook_parties, evening.id, target.id, chosen, expected=expected))
    told = race.run(MAIL_GATE, *acts)
    # Without the lock the database's constraint refuses, and cannot say whom there is room for.
    assert told == ["done", "SoldOut" if unlocked else "RebookingChanged"]
    assert seats_held(target.id) == (5, 5)


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize("again", [True, False], ids=["guarded", "negative control"])
def test_a_party_that_is_being_moved_is_found(
    race: Race, monkeypatch: pytest.MonkeyPatch, again: bool, confirmed: bool
) -> None:
    """PostgreSQL does not find it in the first statement, since its performance is another one now."""
    if not again:
        monkeypatch.setattr(locks, "_TRIES", 1)
    friday, saturday = a_performance(10), a_performance(10)
    party = a_party(friday, 4, confirmed=confirmed)
    act = partial(admit, friday.id, party.reference, uuid4(), DOOR_A)
    if not confirmed:
        act = partial(rules.confirm, party.id)
    told = race.run(MAIL_GATE, moving(party, saturday), act)
    if again:
        assert told == ["done", "wrong_performance" if confirmed else "done"]
    else:
        assert told == ["done", "unknown" if confirmed else "ReservationUnknown"]
    assert fresh(party.id).admitted == 0


@with_and_without("_RESERVATION")
def test_a_party_that_is_being_let_in_is_not_moved(race: Race, unlocked: str | None) -> None:
    friday, saturday = a_performance(10), a_performance(10)
    party = a_party(friday, 4)
    told = race.run(
        DOOR_GATE,
        partial(admit, friday.id, party.reference, uuid4(), DOOR_A),
        moving(party, saturday),
    )
    refusal = "reservation_stays_while_in" if unlocked else "PartyInside"
    # Its row changed under the eyes of whoever moves it: that is noticed first.
    assert told in (["admitted", refusal], ["admitted", "ReservationChanged"])
    assert (told[1] == "ReservationChanged") != bool(unlocked)
    assert (fresh(party.id).performance_id, fresh(party.id).admitted) == (friday.id, 4)


def test_a_party_is_cancelled_where_it_was_moved_to(race: Race) -> None:
    friday, saturday = a_performance(10), a_performance(10)
    party = a_party(friday, 4)
    told = race.run(MAIL_GATE, moving(party, saturday), partial(rules.cancel, party.id))
    assert told == ["done", "done"]
    assert fresh(party.id).state == "cancelled"
    assert (seats_held(friday.id), seats_held(saturday.id)) == ((0, 0), (0, 0))


@pytest.mark.parametrize("looks_again", [True, False], ids=["guarded", "negative control"])
def test_seats_of_a_party_are_changed_under_the_lock_of_its_own_performance(
    race: Race,
    observer: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
    looks_again: bool,
) -> None:
    friday, saturday = a_performance(10), a_performance(5)
    party = a_party(friday, 4)
    locked: list[int] = []
    lock_one = locks.lock_performance

    def lock_and_note(session: Session, performance_id: int) -> Performance:
        found = lock_one(session, performance_id)
        locked.append(performance_id)
        return found

    act = moving(party, saturday)

    def enlarge(reservation_id: UUID) -> None:
        monkeypatch.setattr(locks, "lock_performance", lock_and_note)
        if not looks_again:
            monkeypatch.setattr(
                "azionelab.bookings.box_office.changes.lock_with_performance",
                lambda session, wanted: (
                    lock_and_note(session, friday.id),
                    locks.lock_reservation(session, wanted),
                )[1],
            )
        wanted = entries_of(party)
        change_party(reservation_id, wanted, 0)

    told = race.run(MAIL_GATE, act, partial(enlarge, party.id))
    assert told[0] == "done"
    assert (locked[-1] == saturday.id) == looks_again


@pytest.mark.parametrize("compared", [True, False], ids=["guarded", "negative control"])
def test_one_of_two_who_split_a_party_is_told(
    race: Race, monkeypatch: pytest.MonkeyPatch, compared: bool
) -> None:
    if not compared:
        monkeypatch.setattr(groups, "refuse_other_version", lambda _reservation, _seen: None)
    evening = a_performance(10)
    party = a_party(evening, 4)
    seen = fresh(party.id).changed_in
    named = {"name": party.name, "email": party.email}
    one, two = (partial(split_party, party.id, seats, seen, **named) for seats in (1, 2))
    told = race.run(MAIL_GATE, one, two)
    assert told == ["done", "ReservationChanged" if compared else "done"]
    assert seats_held(evening.id) == (4, 4)


def test_two_who_merge_each_other_s_party_do_not_wait_for_each_other(race: Race) -> None:
    evening = a_performance(10)
    one, two = a_party(evening, 2), a_party(evening, 3)
    told = race.run(
        MAIL_GATE,
        partial(merge_parties, one.id, two.id, fresh(one.id).changed_in),
        partial(merge_parties, two.id, one.id, fresh(two.id).changed_in),
    )
    assert told == ["done", "ReservationChanged"]
    assert seats_held(evening.id) == (5, 5)

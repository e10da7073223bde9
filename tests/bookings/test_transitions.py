"""What the rules say of freed seats and changed reservations is what the database has."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import text

from azionelab.bookings import performance_changes, rules
from azionelab.bookings.box_office.changes import change_party, entries_of
from azionelab.bookings.box_office.endings import cancel_party, reinstate_party
from azionelab.bookings.box_office.groups import merge_parties
from azionelab.bookings.box_office.moves import move_party
from azionelab.bookings.models import Reservation
from azionelab.bookings.seats import holds, network_holds, no_show_seats
from azionelab.bookings.transitions import consequences
from azionelab.bookings.transitions.consequences import Change
from azionelab.checkin.scanning.scan_log import Claim
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import undo
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import db, now
from azionelab.shows.facts.seating import Places
from azionelab.shows.models import Performance
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    a_visitor,
    change_capacity,
    fresh,
    let_lapse,
    move,
    seats_held,
)

NETWORK = "192.0.2.1"
Deed = Callable[[], object]


@dataclass
class Said:
    """What the rules said since the last `clear`."""

    freed: int = 0
    changed: dict[UUID, Change] = field(default_factory=dict)
    performance: Performance | None = None

    def clear(self) -> None:
        """Forget what the setting of the scene said."""
        self.__init__()  # type: ignore[misc]


@pytest.fixture
def said(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    """What is said in an application that holds a third of a house unconfirmed."""
    said = Said()
    seats_freed, reservation_changed = consequences.seats_freed, consequences.reservation_changed

    def freed(performance: Performance, places: Places) -> None:
        said.freed += places.missing_none.total
        said.performance = performance
        seats_freed(performance, places)

    def changed(session: Any, reservation: Reservation, change: Change, **how: bool) -> bool:
        said.changed[reservation.id] = change
        return reservation_changed(session, reservation, change, **how)

    monkeypatch.setattr(consequences, "seats_freed", freed)
    monkeypatch.setattr(consequences, "reservation_changed", changed)
    with make_app(UNCONFIRMED_PERCENT="34").app_context():
        yield said


def tonight() -> Performance:
    """A performance of twelve seats, twenty minutes before the curtain."""
    curtain = now() + timedelta(minutes=20)
    return a_performance(12, starts_at=curtain, booking_closes_at=curtain)


def book(evening: Performance, seats: int) -> Reservation:
    """An unconfirmed booking, which holds its seats as long as the share allows."""
    visitor = rules.Visitor("Ada", a_visitor().email, "en", NETWORK)
    return rules.reserve(evening.id, visitor, seats, uuid4())


def rows(evening: Performance) -> dict[UUID, Any]:
    """What transitions write of each reservation, as it is committed."""
    db.session.rollback()
    found = db.session.execute(
        text("SELECT id, state, seats, released FROM reservation WHERE performance_id = :id"),
        {"id": evening.id},
    )
    return {row.id: row for row in found}


def _cancels(evening: Performance) -> Deed:
    party = a_party(evening, 3)
    return lambda: rules.cancel(party.id)


def _cancels_without_hold(evening: Performance) -> Deed:
    book(evening, 4)
    waiting = book(evening, 2)
    assert not waiting.holds_seats
    return lambda: rules.cancel(waiting.id)


def _reduces(evening: Performance) -> Deed:
    party = a_party(evening, 5)
    return lambda: rules.reduce_seats(party.id, 2)


def _reduces_released(evening: Performance) -> Deed:
    party = a_party(evening, 5)
    admit(evening.id, party.reference, uuid4(), DOOR_A, people=2)
    no_show_seats.release_no_shows(evening.id)
    return lambda: rules.reduce_seats(party.id, 3)


def _expires(evening: Performance) -> Deed:
    for party in (book(evening, 3), book(evening, 2), book(evening, 1)):
        let_lapse(party)
    return holds.expire_lapsed_holds


def _releases_a_network(evening: Performance) -> Deed:
    book(evening, 3)
    book(evening, 2)
    key = network_holds.network_key(evening.id, NETWORK)
    return lambda: network_holds.release_network(evening.id, key)


def _releases_no_shows(evening: Performance) -> Deed:
    lapsing = book(evening, 2)
    a_party(evening, 3)
    inside = a_party(evening, 4)
    admit(evening.id, inside.reference, uuid4(), DOOR_A, people=1)
    let_lapse(lapsing)
    return lambda: no_show_seats.release_no_shows(evening.id)


def _cancels_performance(evening: Performance) -> Deed:
    lapsing = book(evening, 1)
    book(evening, 2)
    a_party(evening, 3)
    inside = a_party(evening, 4)
    admit(evening.id, inside.reference, uuid4(), DOOR_A, people=1)
    let_lapse(lapsing)
    return lambda: performance_changes.cancel_performance(evening.id)


def _changes_capacity(evening: Performance) -> Deed:
    lapsing = book(evening, 4)
    a_party(evening, 3)
    let_lapse(lapsing)
    return lambda: change_capacity(evening.id, 3)


def _undoes_walk_ins(evening: Performance) -> Deed:
    scan = uuid4()
    let_in_walk_ins(evening.id, 4, scan, DOOR_A)
    return lambda: undo(evening.id, scan, DOOR_A)


def _counts_fewer_walk_ins(evening: Performance) -> Deed:
    scan, claim = uuid4(), Claim(now(), VerdictKind.ADMITTED, 2)
    let_in_walk_ins(evening.id, 5, scan, DOOR_A)
    return lambda: let_in_walk_ins(evening.id, 5, scan, DOOR_A, claim)


def _counts_no_walk_ins(evening: Performance) -> Deed:
    scan, claim = uuid4(), Claim(now(), VerdictKind.FULL, 0)
    let_in_walk_ins(evening.id, 5, scan, DOOR_A)
    return lambda: let_in_walk_ins(evening.id, 5, scan, DOOR_A, claim)


def _counts_undone_walk_ins(evening: Performance) -> Deed:
    scan, claim = uuid4(), Claim(now(), VerdictKind.FULL, 0)
    let_in_walk_ins(evening.id, 5, scan, DOOR_A)
    undo(evening.id, scan, DOOR_A)
    return lambda: let_in_walk_ins(evening.id, 5, scan, DOOR_A, claim)


def _moves_away(evening: Performance) -> Deed:
    party, target = a_party(evening, 3), a_performance()
    return lambda: move_party(party.id, target.id, fresh(party.id).changed_in)


def _merges(evening: Performance) -> Deed:
    kept, other = a_party(evening, 3), a_party(evening, 2)
    return lambda: merge_parties(kept.id, other.id, fresh(kept.id).changed_in)


def _is_changed(evening: Performance) -> Deed:
    party = a_party(evening, 5)
    wanted = replace(entries_of(party), seats=2)
    return lambda: change_party(party.id, wanted, fresh(party.id).changed_in)


def _is_cancelled(evening: Performance) -> Deed:
    party = a_party(evening, 3)
    return lambda: cancel_party(party.id, fresh(party.id).changed_in)


@pytest.mark.parametrize(
    ("deed", "seats", "parties"),
    [
        (_cancels, 3, 1),
        (_cancels_without_hold, 0, 1),
        (_reduces, 3, 1),
        (_moves_away, 3, 1),
        (_merges, 0, 2),
        (_is_changed, 3, 1),
        (_is_cancelled, 3, 1),
        (_reduces_released, 0, 1),
        (_expires, 4, 3),
        (_releases_a_network, 3, 2),
        (_releases_no_shows, 2 + 3 + 3, 3),
        (_cancels_performance, 1 + 2 + 3, 4),
        (_changes_capacity, 4, 1),
        (_undoes_walk_ins, 4, 1),
        (_counts_fewer_walk_ins, 3, 2),
        (_counts_no_walk_ins, 5, 1),
        (_counts_undone_walk_ins, 0, 1),
    ],
)
def test_what_is_said_to_come_free_comes_free(
    said: Said, deed: Callable[[Performance], Deed], seats: int, parties: int
) -> None:
    evening = tonight()
    act = deed(evening)
    held, before = seats_held(evening.id)[0], rows(evening)
    said.clear()
    act()
    now_held = seats_held(evening.id)[0]
    assert (said.freed, held - now_held) == (seats, seats)
    assert said.performance is not None
    assert said.performance.seats_held == now_held, "the session's own figure"
    after = rows(evening)
    different = {party for party in after if after[party] != before.get(party)}
    assert different <= said.changed.keys()
    assert len(said.changed) == parties


def _confirms_without_hold(evening: Performance) -> Deed:
    lapsing = book(evening, 4)
    waiting = book(evening, 3)
    let_lapse(lapsing)
    return lambda: rules.confirm(waiting.id)


def _restores(evening: Performance) -> Deed:
    a_party(evening, 5)
    no_show_seats.release_no_shows(evening.id)
    let_in_walk_ins(evening.id, 9, uuid4(), DOOR_A)
    return lambda: no_show_seats.restore_no_shows(evening.id)


def _admits_late(evening: Performance) -> Deed:
    party = a_party(evening, 5)
    no_show_seats.release_no_shows(evening.id)
    return lambda: admit(evening.id, party.reference, uuid4(), DOOR_A, people=2, late=True)


def _seats_walk_ins(evening: Performance) -> Deed:
    let_lapse(book(evening, 3))
    return lambda: let_in_walk_ins(evening.id, 12, uuid4(), DOOR_A)


def _counts_more_walk_ins(evening: Performance) -> Deed:
    scan, claim = uuid4(), Claim(now(), VerdictKind.ADMITTED, 5)
    let_in_walk_ins(evening.id, 2, scan, DOOR_A)
    return lambda: let_in_walk_ins(evening.id, 2, scan, DOOR_A, claim)


def _reserves(evening: Performance) -> Deed:
    let_lapse(book(evening, 4))
    return lambda: book(evening, 3)


def _grows(evening: Performance) -> Deed:
    party = a_party(evening, 2)
    let_lapse(book(evening, 4))
    wanted = replace(entries_of(party), seats=5)
    return lambda: change_party(party.id, wanted, fresh(party.id).changed_in)


def _is_taken_back(evening: Performance) -> Deed:
    party = a_party(evening, 3)
    rules.cancel(party.id)
    let_lapse(book(evening, 4))
    return lambda: reinstate_party(party.id, fresh(party.id).changed_in)


@pytest.mark.parametrize(
    ("deed", "freed", "taken"),
    [
        (_confirms_without_hold, 4, 3),
        (_restores, 0, 3),
        (_admits_late, 0, 2),
        (_seats_walk_ins, 3, 12),
        (_counts_more_walk_ins, 0, 3),
        (_reserves, 4, 3),
        (_grows, 4, 3),
        (_is_taken_back, 4, 3),
    ],
)
def test_who_takes_seats_frees_only_those_of_others(
    said: Said, deed: Callable[[Performance], Deed], freed: int, taken: int
) -> None:
    evening = tonight()
    act = deed(evening)
    held, before = seats_held(evening.id)[0], rows(evening)
    said.clear()
    act()
    assert (said.freed, seats_held(evening.id)[0] - held) == (freed, taken - freed)
    after = rows(evening)
    different = {party for party in before if after[party] != before[party]}
    assert different <= said.changed.keys()


def test_a_moved_performance_is_a_change_of_its_parties(said: Said) -> None:
    evening = a_performance()
    firm, waiting = a_party(evening), book(evening, 1)
    said.clear()
    assert move(evening.id, now() + timedelta(days=3)) == 2
    assert said.changed == {party.id: Change.PERFORMANCE_MOVED for party in (firm, waiting)}
    assert said.freed == 0


def test_a_new_booking_is_a_change(said: Said) -> None:
    evening = a_performance()
    said.clear()
    party = a_party(evening, confirmed=False)
    assert (said.freed, said.changed) == (0, {party.id: Change.RESERVED})


def test_nothing_is_said_when_nothing_changed(said: Said) -> None:
    evening = tonight()
    party = a_party(evening, 3)
    rules.cancel(party.id)
    said.clear()
    rules.cancel(party.id)
    holds.expire_lapsed_holds()
    assert (said.freed, said.changed) == (0, {})

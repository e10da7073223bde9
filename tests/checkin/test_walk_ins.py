"""Walk-ins, and the seats of no-shows."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from azionelab.bookings import performance_changes
from azionelab.bookings import rules as booking
from azionelab.bookings.door_notes import set_lateness
from azionelab.bookings.errors import BookingClosed, ReleaseTooEarly, ReservationEnded
from azionelab.bookings.models import State
from azionelab.bookings.seats import holds, no_show_seats
from azionelab.checkin.devices.offline_list import conflicts
from azionelab.checkin.house.counts import HouseCounts, house_counts
from azionelab.checkin.no_shows import no_shows, release_no_shows
from azionelab.checkin.scanning import walk_ins
from azionelab.checkin.scanning.facts import DoorUnknown
from azionelab.checkin.scanning.scan_log import (
    Actor,
    Claim,
    ScanReused,
    Verdict,
    record_revoked_scan,
)
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import record_revoked_undo, undo
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.checkin.verdicts import Door, VerdictKind
from azionelab.database import db, now, transaction, violated_constraint
from azionelab.ops.checks.doctor import run_checks
from azionelab.shows.models import Performance
from azionelab.shows.programme import find_listing
from azionelab.staff.tokens import Scope, issue_token, revoke_token
from tests.factories import (
    DOOR_A,
    DOOR_B,
    a_party,
    a_performance,
    a_visitor,
    fresh,
    let_lapse,
    move,
    seats_held,
    ticket_token,
)
from tests.support.processes import PATIENCE

pytestmark = pytest.mark.usefixtures("in_app")


def tonight(capacity: int = 10, minutes: float = 20, **facts: Any) -> Performance:
    """A performance that begins soon and can still be booked."""
    curtain = now() + timedelta(minutes=minutes)
    return a_performance(capacity, starts_at=curtain, booking_closes_at=curtain, **facts)


Clock = Callable[[datetime], None]


@pytest.fixture
def it_is(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Set the time for releases."""
    return lambda moment: monkeypatch.setattr(no_show_seats, "now", lambda: moment)


def walk_in(performance: Performance, people: int = 1, **claim: Any) -> Verdict:
    return let_in_walk_ins(performance.id, people, uuid4(), DOOR_A, **claim)


def counts(performance: Performance) -> HouseCounts:
    db.session.rollback()
    return house_counts([performance.id])[performance.id]


class TestWalkIns:
    def test_they_are_counted_in(self) -> None:
        performance = tonight(capacity=5)
        a_party(performance, 2)
        verdict = walk_in(performance, 3)
        assert (verdict.kind, verdict.people) == (VerdictKind.ADMITTED, 3)
        house = counts(performance)
        assert (house.inside, house.walk_ins, house.expected, house.free) == (3, 3, 5, 0)
        assert seats_held(performance.id) == (5, 5)

    def test_never_past_capacity(self) -> None:
        performance = tonight(capacity=5)
        a_party(performance, 4)
        verdict = walk_in(performance, 2)
        assert (verdict.kind, verdict.people, verdict.party) == (VerdictKind.FULL, 0, None)
        assert walk_in(performance).people == 1
        assert walk_in(performance).kind is VerdictKind.FULL
        assert counts(performance).inside == 1

    def test_places_of_lapsed_holds_are_free(self) -> None:
        performance = tonight(capacity=2)
        let_lapse(a_party(performance, 2, confirmed=False))
        assert walk_in(performance, 2).people == 2

    def test_the_same_press_counts_once(self) -> None:
        performance, scan = tonight(), uuid4()
        for replayed in (False, True):
            verdict = let_in_walk_ins(performance.id, 2, scan, DOOR_A)
            assert (verdict.people, verdict.replayed) == (2, replayed)
        assert counts(performance).inside == 2
        with pytest.raises(ScanReused):
            let_in_walk_ins(tonight().id, 2, scan, DOOR_A)

    def test_undoing_frees_their_places(self) -> None:
        performance = tonight(capacity=2)
        scan = walk_in(performance, 2).scan_id
        for _ in range(2):
            assert undo(performance.id, scan, DOOR_B).undone
        assert (counts(performance).inside, counts(performance).free) == (0, 2)
        assert walk_in(performance, 2).people == 2

    def test_a_cancelled_performance_admits_no_walk_ins(self) -> None:
        performance = tonight()
        performance_changes.cancel_performance(performance.id)
        assert walk_in(performance).kind is VerdictKind.PERFORMANCE_CANCELLED

    def test_claimed_walk_ins_without_a_seat_are_a_conflict(self) -> None:
        performance = tonight(capacity=3)
        claim = Claim(now(), VerdictKind.ADMITTED, 5)
        verdict = let_in_walk_ins(performance.id, 5, uuid4(), DOOR_A, claim)
        assert (verdict.people, verdict.claimed) == (3, 5)
        assert [(x.people, x.claimed) for x in conflicts(performance.id)] == [(3, 5)]
        assert seats_held(performance.id) == (3, 3)

    @pytest.mark.parametrize(
        ("free", "answered", "happened", "counted"),
        [(5, 2, 2, 2), (5, 2, 1, 1), (5, 2, 0, 0), (5, 2, 4, 4), (3, 2, 4, 3), (0, 2, 2, 0)],
    )
    def test_a_claim_corrects_an_unheard_answer(
        self, free: int, answered: int, happened: int, counted: int
    ) -> None:
        performance, scan = tonight(capacity=6), uuid4()
        a_party(performance, 6 - free)
        let_in_walk_ins(performance.id, answered, scan, DOOR_A)
        verdict = VerdictKind.ADMITTED if happened else VerdictKind.FULL
        claim = Claim(now(), verdict, happened)
        for _ in range(2):
            told = let_in_walk_ins(performance.id, answered, scan, DOOR_A, claim)
            assert (told.people, told.claimed, told.replayed) == (counted, happened, True)
        house = counts(performance)
        assert (house.inside, house.walk_ins) == (counted, counted)
        assert seats_held(performance.id) == (6 - free + counted, 6 - free + counted)
        beyond = [conflict.beyond for conflict in conflicts(performance.id)]
        assert beyond == [happened - counted] * (counted < happened)
        assert not [result for result in run_checks() if result.failed]

    def test_who_was_sent_away_is_recorded(self) -> None:
        performance = tonight()
        claim = Claim(now(), VerdictKind.FULL, 0)
        verdict = let_in_walk_ins(performance.id, 2, uuid4(), DOOR_A, claim)
        assert (verdict.kind, verdict.people, verdict.claimed) == (VerdictKind.FULL, 0, 0)
        assert counts(performance).inside == 0

    def test_claimed_walk_ins_count_up_to_the_largest_party(self) -> None:
        performance = tonight(capacity=500)
        claim = Claim(now(), VerdictKind.ADMITTED, 120)
        verdict = let_in_walk_ins(performance.id, 1, uuid4(), DOOR_A, claim)
        assert (verdict.people, verdict.claimed) == (100, 120)

    def test_the_data_checks_accept_walk_ins(self) -> None:
        performance = tonight()
        walk_in(performance, 2)
        undo(performance.id, walk_in(performance).scan_id, DOOR_A)
        assert not [result for result in run_checks() if result.failed]

    def test_an_unknown_door(self) -> None:
        with pytest.raises(DoorUnknown):
            let_in_walk_ins(10_000, 1, uuid4(), DOOR_A)


def race(app: Flask, calls: list[Callable[[], Any]]) -> list[Any]:
    """Run calls at the same time, each on its own connection, and return the results."""
    together = threading.Barrier(len(calls), timeout=PATIENCE)

    def run(call: Callable[[], Any]) -> Any:
        with app.app_context():
            together.wait()
            try:
                return call()
            except IntegrityError as error:
                return violated_constraint(error)

    with ThreadPoolExecutor(len(calls)) as phones:
        return list(phones.map(run, calls))


def test_many_doors_fill_the_house_and_no_more(app: Flask) -> None:
    performance = tonight(capacity=5)
    a_party(performance, 1)
    identity = performance.id
    verdicts = race(app, [lambda: let_in_walk_ins(identity, 1, uuid4(), DOOR_A).kind] * 8)
    assert sorted(verdicts) == [VerdictKind.ADMITTED] * 4 + [VerdictKind.FULL] * 4
    assert seats_held(identity) == (5, 5)


def test_negative_control_without_the_lock_the_database_refuses_walk_ins(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    performance = tonight(capacity=4)
    identity = performance.id
    monkeypatch.setattr(
        walk_ins, "read_locked_door", lambda *_: Door(identity, cancelled=False, free=4)
    )
    told = race(app, [lambda: let_in_walk_ins(identity, 1, uuid4(), DOOR_A).kind] * 8)
    assert told.count(VerdictKind.ADMITTED) == 4
    assert told.count("ck_performance_capacity_held") == 4
    assert seats_held(identity) == (4, 4)


class TestRelease:
    def test_seats_of_no_shows_go_to_walk_ins(self) -> None:
        performance = tonight(capacity=8)
        inside, missing = a_party(performance, 4), a_party(performance, 3)
        admit(performance.id, inside.reference, uuid4(), DOOR_A, people=3)
        assert walk_in(performance, 2).kind is VerdictKind.FULL
        assert no_show_seats.no_shows(performance.id) == no_show_seats.NoShowSeats(2, 4)
        assert no_show_seats.release_no_shows(performance.id) == no_show_seats.NoShowSeats(2, 4)
        house = counts(performance)
        assert (house.expected, house.inside, house.released, house.free) == (3, 3, 4, 5)
        assert walk_in(performance, 5).people == 5
        assert fresh(missing.id).state == State.CONFIRMED
        assert not [result for result in run_checks() if result.failed]

    def test_people_let_in_by_a_revoked_phone_keep_their_seats(self) -> None:
        performance = tonight(capacity=9)
        parties = [a_party(performance, 4), a_party(performance, 3)]
        token, _ = issue_token("Lost phone", Scope.DOOR, 5, performance.id)
        phone, undone = Actor("Lost phone", token_id=token.id, label="Lost phone"), uuid4()
        revoke_token(token.id)
        told = Claim(now(), VerdictKind.ADMITTED, 3)
        for scan_id, party in ((uuid4(), parties[0]), (undone, parties[1])):
            record_revoked_scan(performance.id, party.reference, scan_id, phone, told)
        # People whose admission it undid are outside.
        record_revoked_undo(performance.id, undone, phone)
        missing = no_show_seats.NoShowSeats(2, 1 + 3)
        assert no_shows(performance.id) == missing
        assert release_no_shows(performance.id) == missing
        assert [fresh(party.id).released for party in parties] == [1, 3]
        assert (
            no_shows(performance.id)
            == release_no_shows(performance.id)
            == no_show_seats.NoShowSeats(0, 0)
        )

    def test_a_party_of_whom_more_are_inside_than_booked_has_nothing_to_release(self) -> None:
        performance = tonight(capacity=9)
        inside = {a_party(performance, 2).id: 3}
        nothing = no_show_seats.NoShowSeats(0, 0)
        assert no_show_seats.no_shows(performance.id, inside) == nothing
        assert no_show_seats.release_no_shows(performance.id, inside) == nothing

    def test_late_parties_keep_their_seats_for_a_set_time(self, it_is: Clock) -> None:
        performance = tonight(capacity=8)
        late, _missing = a_party(performance, 3), a_party(performance, 2)
        curtain = performance.starts_at
        set_lateness(late.id, 20)
        admit(performance.id, late.reference, uuid4(), DOOR_A, people=1)
        until = curtain + timedelta(minutes=20)
        told = no_show_seats.NoShowSeats(1, 2, late_parties=1, late_places=2, late_until=until)
        assert no_shows(performance.id) == told
        assert no_show_seats.release_no_shows(performance.id) == told
        assert (fresh(late.id).released, counts(performance).released) == (0, 2)
        # Who says five minutes has a quarter of an hour, and nobody has more than they said after that.
        set_lateness(late.id, 5)
        for minutes in (0, 14):
            it_is(curtain + timedelta(minutes=minutes))
            assert release_no_shows(performance.id).late_places == 2
        it_is(curtain + timedelta(minutes=15))
        after = no_show_seats.NoShowSeats(1, 2)
        assert no_shows(performance.id) == release_no_shows(performance.id) == after
        assert fresh(late.id).released == 2

    def test_late_parties_lose_their_seats_when_staff_ask_for_it(self) -> None:
        performance = tonight(capacity=8)
        late = a_party(performance, 3)
        set_lateness(late.id, 20)
        assert release_no_shows(performance.id, with_late=True) == no_show_seats.NoShowSeats(1, 3)
        assert fresh(late.id).released == 3

    def test_not_before_its_time(self) -> None:
        performance = tonight(minutes=31)
        with pytest.raises(ReleaseTooEarly) as early:
            no_show_seats.release_no_shows(performance.id)
        assert early.value.opens_at == performance.starts_at - timedelta(minutes=30)

    def test_from_half_an_hour_before_the_curtain_on(self, it_is: Clock) -> None:
        performance = tonight(minutes=60)
        a_party(performance, 2)
        opens_at = performance.starts_at - timedelta(minutes=30)
        it_is(opens_at - timedelta(microseconds=1))
        with pytest.raises(ReleaseTooEarly):
            no_show_seats.release_no_shows(performance.id)
        it_is(opens_at)
        assert no_show_seats.release_no_shows(performance.id) == no_show_seats.NoShowSeats(1, 2)

    def test_only_confirmed_no_shows_of_this_performance_are_counted(self) -> None:
        earlier, performance, later = tonight(), tonight(), tonight()
        for other in (earlier, later):
            a_party(other, 1)
        nobody = no_show_seats.NoShowSeats(0, 0)
        assert no_show_seats.no_shows(performance.id) == nobody
        booking.cancel(a_party(performance, 3).id)
        let_lapse(a_party(performance, 3, confirmed=False))
        holds.expire_lapsed_holds()
        a_party(performance, 2, confirmed=False)
        complete = a_party(performance, 2)
        admit(performance.id, complete.reference, uuid4(), DOOR_A)
        assert no_show_seats.no_shows(performance.id) == nobody
        a_party(performance, 1)
        missing = no_show_seats.NoShowSeats(1, 1)
        assert no_show_seats.no_shows(performance.id) == missing
        assert no_show_seats.release_no_shows(performance.id) == missing
        assert no_show_seats.no_shows(performance.id) == nobody
        assert no_show_seats.release_no_shows(performance.id) == nobody

    def test_a_cancelled_performance_releases_nothing(self) -> None:
        performance = tonight()
        performance_changes.cancel_performance(performance.id)
        with pytest.raises(ReservationEnded):
            no_show_seats.release_no_shows(performance.id)

    @pytest.mark.parametrize("minutes", [10, -10])
    def test_nobody_books_them_on_the_web_when_the_curtain_is_moved(self, minutes: int) -> None:
        performance = tonight()
        a_party(performance, 2)
        no_show_seats.release_no_shows(performance.id)
        move(performance.id, performance.starts_at + timedelta(minutes=minutes))
        with pytest.raises(BookingClosed):
            booking.reserve(performance.id, a_visitor(), 1)
        # Once all seats are restored, booking follows the curtain again.
        no_show_seats.restore_no_shows(performance.id)
        move(performance.id, performance.starts_at + timedelta(minutes=60))
        assert booking.reserve(performance.id, a_visitor(), 1).seats == 1

    def test_nobody_books_them_on_the_web(self) -> None:
        performance = tonight()
        a_party(performance, 2)
        no_show_seats.release_no_shows(performance.id)
        with pytest.raises(BookingClosed):
            booking.reserve(performance.id, a_visitor(), 1)
        evening = find_listing(performance.id, now())
        assert evening is not None
        assert evening.released_at is not None

    @pytest.mark.parametrize("opens", [timedelta(), timedelta(minutes=1)])
    def test_booking_that_is_not_open_yet_is_not_closed(
        self, it_is: Clock, opens: timedelta
    ) -> None:
        at = now()
        performance = tonight(booking_opens_at=at + opens)
        closes_at = performance.booking_closes_at
        it_is(at)
        no_show_seats.release_no_shows(performance.id)
        performance = db.session.get_one(Performance, performance.id, populate_existing=True)
        assert performance.booking_closes_at == closes_at
        assert performance.released_at == at

    def test_booking_that_is_closed_was_closed_when_it_was(self) -> None:
        performance = tonight()
        closed_at = now() - timedelta(minutes=1)
        performance_changes.change_performance(
            performance.id, lambda changed: setattr(changed, "booking_closes_at", closed_at)
        )
        no_show_seats.release_no_shows(performance.id)
        performance = db.session.get_one(Performance, performance.id, populate_existing=True)
        assert performance.booking_closes_at == closed_at

    def test_pending_reservations_keep_their_hold(self) -> None:
        performance = tonight()
        held = a_party(performance, 2, confirmed=False)
        assert no_show_seats.release_no_shows(performance.id) == no_show_seats.NoShowSeats(0, 0)
        booking.confirm(held.id)
        assert admit(performance.id, held.reference, uuid4(), DOOR_A).people == 2

    def test_a_late_party_is_admitted_while_seats_are_free(self) -> None:
        performance = tonight(capacity=4)
        party = a_party(performance, 3)
        no_show_seats.release_no_shows(performance.id)
        for code in (party.reference, ticket_token(party)):
            late = admit(performance.id, code, uuid4(), DOOR_A)
            assert (late.kind, late.people) == (VerdictKind.RELEASED, 0)
        walk_in(performance, 2)
        verdict = admit(performance.id, party.reference, uuid4(), DOOR_A, late=True)
        assert verdict.kind is VerdictKind.FULL
        verdict = admit(performance.id, party.reference, uuid4(), DOOR_A, people=2, late=True)
        assert (verdict.kind, verdict.people) == (VerdictKind.ADMITTED, 2)
        assert (fresh(party.id).admitted, fresh(party.id).released) == (2, 1)
        assert seats_held(performance.id) == (4, 4)
        last = admit(performance.id, party.reference, uuid4(), DOOR_A)
        assert last.kind is VerdictKind.FULL

    @pytest.mark.parametrize(("people", "released"), [(1, 2), (2, 2), (3, 1), (4, 0)])
    def test_a_late_party_takes_held_seats_first(self, people: int, released: int) -> None:
        """Of a party of which some places were held again."""
        performance = tonight(capacity=4)
        party = a_party(performance, 4)
        no_show_seats.release_no_shows(performance.id)
        others = walk_in(performance, 2)
        no_show_seats.restore_no_shows(performance.id)
        assert (fresh(party.id).to_come, fresh(party.id).released) == (2, 2)
        undo(performance.id, others.scan_id, DOOR_A)
        late = admit(performance.id, party.reference, uuid4(), DOOR_A, people=people, late=True)
        assert late.people == people
        assert (fresh(party.id).admitted, fresh(party.id).released) == (people, released)

    def test_restoring_prefers_parties_that_confirmed_first(self) -> None:
        performance = tonight(capacity=5)
        second, first = (a_party(performance, seats, confirmed=False) for seats in (3, 2))
        for party in (first, second):
            booking.confirm(party.id)
        no_show_seats.release_no_shows(performance.id)
        walk_in(performance, 2)
        assert no_show_seats.restore_no_shows(performance.id) == no_show_seats.NoShowSeats(
            2, 3, missing=2
        )
        assert (fresh(first.id).released, fresh(second.id).released) == (0, 2)
        walk_ins = house_counts([performance.id])[performance.id].walk_ins
        assert walk_ins == 2
        assert db.session.get_one(Performance, performance.id).released_at is not None

    def test_restoring_everything_leaves_no_trace(self) -> None:
        performance = tonight()
        party = a_party(performance, 3)
        no_show_seats.release_no_shows(performance.id)
        assert no_show_seats.restore_no_shows(performance.id) == no_show_seats.NoShowSeats(1, 3)
        assert fresh(party.id).released == 0
        assert db.session.get_one(Performance, performance.id).released_at is None
        assert admit(performance.id, party.reference, uuid4(), DOOR_A).people == 3

    def test_a_party_that_gets_smaller_gives_its_released_places_up_first(self) -> None:
        performance = tonight()
        party = a_party(performance, 4)
        no_show_seats.release_no_shows(performance.id)
        booking.reduce_seats(party.id, 1)
        assert (fresh(party.id).seats, fresh(party.id).released) == (1, 1)
        assert counts(performance).free == 10

    def test_a_party_of_whom_somebody_is_in_gives_its_released_places_up_first(self) -> None:
        performance = tonight()
        party = a_party(performance, 4)
        admit(performance.id, party.reference, uuid4(), DOOR_A, people=1)
        no_show_seats.release_no_shows(performance.id)
        booking.reduce_seats(party.id, 2)
        assert (fresh(party.id).seats, fresh(party.id).released) == (2, 1)
        assert counts(performance).free == 9

    def test_the_database_refuses_admissions_into_released_seats(self) -> None:
        performance = tonight()
        party = a_party(performance, 2)
        scan = uuid4()
        admit(performance.id, party.reference, scan, DOOR_A, people=1)
        no_show_seats.release_no_shows(performance.id)
        with pytest.raises(IntegrityError) as refused, transaction() as session:
            session.execute(
                text("UPDATE admission SET people = 2 WHERE scan_id = :id"), {"id": scan}
            )
        assert violated_constraint(refused.value) == "ck_reservation_admitted_range"


def test_a_scan_and_a_release_do_not_give_one_seat_twice(app: Flask) -> None:
    for _ in range(5):
        performance = tonight(capacity=2)
        party = a_party(performance, 2)
        identity, code = performance.id, party.reference
        race(
            app,
            [
                lambda identity=identity: no_show_seats.release_no_shows(identity),
                lambda identity=identity, code=code: admit(identity, code, uuid4(), DOOR_A).kind,
                lambda identity=identity: let_in_walk_ins(identity, 2, uuid4(), DOOR_B).kind,
            ],
        )
        house = counts(performance)
        assert house.inside <= 2
        held, _ = seats_held(identity)
        assert held <= 2

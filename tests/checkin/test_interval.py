"""The interval: people go out and come back, keep their seats, and the number in the building is right."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from azionelab.bookings.models import Reservation
from azionelab.checkin.devices.offline_list import conflicts
from azionelab.checkin.house import figures as evening
from azionelab.checkin.house.building import people_in
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.house.guests import guests
from azionelab.checkin.no_shows import no_shows, release_no_shows
from azionelab.checkin.scanning import facts
from azionelab.checkin.scanning.interval import allow_reentry, pass_without_ticket
from azionelab.checkin.scanning.scan_log import Actor, Claim, ScanReused, record_revoked_scan
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import undo
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.checkin.verdicts import VerdictKind, Way
from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.staff.tokens import Scope, issue_token, revoke_token
from tests.checkin.test_admission import looking_together
from tests.factories import DOOR_A, DOOR_B, a_party, a_performance, fresh, seats_held

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]


def an_interval(capacity: int = 10) -> Performance:
    curtain = now() + timedelta(minutes=10)
    performance = a_performance(capacity, starts_at=curtain, booking_closes_at=curtain)
    allow_reentry(performance.id, allowed=True)
    return performance


def go(
    party: Reservation, way: Way, people: int | None = None, **how: Any
) -> tuple[VerdictKind, int]:
    """Scan the party in one direction."""
    scan, claimed = how.pop("scan", None) or uuid4(), how.pop("claimed", None)
    claim = None
    if claimed is not None:
        claim = Claim(now() - timedelta(minutes=3), VerdictKind.ADMITTED, claimed)
    verdict = admit(
        party.performance_id, party.reference, scan, how.pop("door", DOOR_A),
        people=people, way=way, claim=claim, **how,
    )  # fmt: skip
    return verdict.kind, verdict.people


def a_party_inside(performance: Performance, seats: int = 4) -> Reservation:
    party = a_party(performance, seats)
    assert go(party, Way.ANY) == (VerdictKind.ADMITTED, seats)
    return party


def building(performance: Performance) -> tuple[int, int]:
    """The people in the building, and those out."""
    db.session.rollback()
    figure = people_in(performance.id)
    return figure.people, figure.outside


def counted(party: Reservation) -> tuple[int, int]:
    party = fresh(party.id)
    return party.admitted, party.outside


def test_people_go_out_and_the_same_ticket_lets_them_in_again() -> None:
    performance = an_interval()
    party = a_party_inside(performance)
    assert go(party, Way.OUT, 3) == (VerdictKind.LET_OUT, 3)
    assert building(performance) == (1, 3)
    assert go(party, Way.OUT, 2) == (VerdictKind.TOO_MANY, 0)
    assert go(party, Way.ANY, 1) == (VerdictKind.IN_AGAIN, 1)
    assert go(party, Way.ANY) == (VerdictKind.IN_AGAIN, 2)
    assert go(party, Way.ANY) == (VerdictKind.ALREADY_IN, 0)
    assert (building(performance), counted(party)) == ((4, 0), (4, 0))


def test_nobody_goes_out_unless_staff_let_them_and_who_is_out_comes_back_all_the_same() -> None:
    performance = a_performance()
    party = a_party_inside(performance)
    assert go(party, Way.OUT) == (VerdictKind.NO_REENTRY, 0)
    allow_reentry(performance.id, allowed=True)
    assert go(party, Way.OUT) == (VerdictKind.LET_OUT, 4)
    allow_reentry(performance.id, allowed=False)
    assert go(party, Way.OUT) == (VerdictKind.NO_REENTRY, 0)
    assert go(party, Way.ANY) == (VerdictKind.IN_AGAIN, 4)


def test_people_who_are_out_keep_their_seats() -> None:
    performance = an_interval(capacity=6)
    party = a_party_inside(performance)
    late = a_party(performance, 2)
    before = house_counts([performance.id])[performance.id], seats_held(performance.id)
    go(party, Way.OUT)
    assert (house_counts([performance.id])[performance.id], seats_held(performance.id)) == before
    assert no_shows(performance.id).places == 2
    assert let_in_walk_ins(performance.id, 1, uuid4(), DOOR_A).kind is VerdictKind.FULL
    release_no_shows(performance.id)
    assert (fresh(party.id).released, fresh(late.id).released) == (0, 2)
    assert let_in_walk_ins(performance.id, 3, uuid4(), DOOR_A).kind is VerdictKind.FULL
    assert go(party, Way.ANY) == (VerdictKind.IN_AGAIN, 4)


def test_the_verdict_has_the_people_out_after_the_scan() -> None:
    party = a_party_inside(an_interval())
    for way, people, outside in ((Way.OUT, 3, 3), (Way.AGAIN, 2, 1)):
        verdict = admit(
            party.performance_id, party.reference, uuid4(), DOOR_A, people=people, way=way
        )
        assert verdict.party is not None
        assert verdict.party.outside == fresh(party.id).outside == outside


def test_a_page_that_knows_of_no_interval_says_already_in() -> None:
    performance = an_interval()
    party = a_party_inside(performance)
    go(party, Way.OUT)
    assert go(party, Way.IN) == (VerdictKind.ALREADY_IN, 0)
    assert building(performance) == (0, 4)


def test_a_repeated_passage_counts_once_with_the_same_verdict() -> None:
    performance = an_interval()
    party, scan = a_party_inside(performance), uuid4()
    for _ in range(2):
        assert go(party, Way.OUT, 2, scan=scan) == (VerdictKind.LET_OUT, 2)
    assert counted(party) == (4, 2)
    # The answer was lost: the phone claims what it did.
    for claimed in (3, 3):
        go(party, Way.OUT, scan=scan, claimed=claimed)
    assert counted(party) == (4, 3)
    with pytest.raises(ScanReused):
        go(a_party_inside(performance, 2), Way.OUT, scan=scan)


@pytest.mark.parametrize(("claimed", "outside"), [(1, 1), (0, 0)])
def test_a_claim_corrects_a_passage_with_too_many_people(claimed: int, outside: int) -> None:
    performance = an_interval()
    party, scan = a_party_inside(performance), uuid4()
    go(party, Way.OUT, 4, scan=scan)
    go(party, Way.OUT, scan=scan, claimed=claimed)
    assert (building(performance), counted(party)) == ((4 - outside, outside), (4, outside))


@pytest.mark.parametrize(
    ("way", "people", "kind", "then"),
    [
        (Way.AGAIN, 2, VerdictKind.IN_AGAIN, (3, 0)),
        (Way.OUT, 1, VerdictKind.LET_OUT, (3, 3)),
        # Without a direction it is the one of the ticket's scan.
        (Way.ANY, 1, VerdictKind.ADMITTED, (4, 2)),
    ],
)
def test_a_claim_after_a_refusal_sets_the_direction(
    way: Way, people: int, kind: VerdictKind, then: tuple[int, int]
) -> None:
    performance = an_interval()
    party, scan = a_party(performance, 4), uuid4()
    go(party, Way.IN, 3)
    go(party, Way.OUT, 2)
    assert go(party, Way.ANY, scan=scan) == (VerdictKind.SOME_OUT, 0)
    assert go(party, way, scan=scan, claimed=people) == (kind, people)
    assert counted(party) == then


def test_undo_counts_as_before() -> None:
    performance = an_interval()
    party, out, again = a_party_inside(performance), uuid4(), uuid4()
    go(party, Way.OUT, 2, scan=out)
    go(party, Way.AGAIN, 2, scan=again)
    for _ in range(2):
        assert undo(performance.id, again, DOOR_B).undone
        assert (building(performance), counted(party)) == ((2, 2), (4, 2))
    for _ in range(2):
        undo(performance.id, out, DOOR_B)
        assert (building(performance), counted(party)) == ((4, 0), (4, 0))


@pytest.mark.parametrize("claimed", [None, 2])
def test_undoing_an_exit_voids_the_return(claimed: int | None) -> None:
    performance = an_interval()
    party, out = a_party_inside(performance), uuid4()
    go(party, Way.OUT, 2, scan=out)
    go(party, Way.AGAIN, 2, claimed=claimed)
    undo(performance.id, out, DOOR_A)
    assert (building(performance), counted(party)) == ((4, 0), (4, 0))


def test_undoing_a_return_voids_a_second_exit() -> None:
    performance = an_interval()
    party, again = a_party_inside(performance), uuid4()
    go(party, Way.OUT, 2)
    go(party, Way.AGAIN, 2, scan=again)
    go(party, Way.OUT, 4)
    undo(performance.id, again, DOOR_A)
    assert (building(performance), counted(party)) == ((0, 4), (4, 4))


def test_undoing_an_admission_voids_the_exit() -> None:
    performance = an_interval()
    party, entered, out = a_party(performance, 4), uuid4(), uuid4()
    go(party, Way.IN, 2)
    go(party, Way.IN, 2, scan=entered)
    go(party, Way.OUT, 3, scan=out)
    undo(performance.id, entered, DOOR_A)
    assert (building(performance), counted(party)) == ((0, 2), (2, 2))
    undo(performance.id, out, DOOR_A)
    assert (building(performance), counted(party)) == ((2, 0), (2, 0))


def test_two_doors_without_a_network_let_the_same_two_back_in() -> None:
    performance = an_interval()
    party, second = a_party_inside(performance, 2), uuid4()
    go(party, Way.OUT)
    assert go(party, Way.AGAIN, claimed=2) == (VerdictKind.IN_AGAIN, 2)
    assert go(party, Way.AGAIN, claimed=2, door=DOOR_B, scan=second) == (VerdictKind.NONE_OUT, 0)
    # Both may be inside: a conflict.
    assert (building(performance), counted(party)) == ((4, 0), (2, 0))
    (conflict,) = conflicts(performance.id)
    assert (conflict.way, conflict.beyond, conflict.door) == (Way.AGAIN, 2, "Door B")
    assert conflict.first is not None
    assert (conflict.first.door, conflict.first.at == conflict.attempt.at) == ("Door A", False)
    undo(performance.id, second, DOOR_B)
    assert (building(performance), conflicts(performance.id)) == ((2, 0), [])


def test_uncounted_exits_do_not_reduce_the_number() -> None:
    performance = an_interval()
    party, other = a_party_inside(performance, 2), a_party_inside(performance, 3)
    go(party, Way.OUT, claimed=2)
    assert go(party, Way.OUT, claimed=2, door=DOOR_B) == (VerdictKind.NONE_IN, 0)
    assert (building(performance), counted(party)) == ((3, 2), (2, 2))
    assert conflicts(performance.id) == []
    assert fresh(other.id).inside == 3


def test_an_outdated_phone_admits_people_who_were_out() -> None:
    performance = an_interval()
    party = a_party_inside(performance)
    go(party, Way.OUT, 3)
    assert go(party, Way.IN, claimed=3) == (VerdictKind.IN_AGAIN, 3)
    assert (building(performance), conflicts(performance.id)) == ((4, 0), [])


@pytest.mark.parametrize(("claimed", "outside"), [(3, 1), (4, 0)])
def test_some_came_for_the_first_time_and_some_came_back_by_one_claim(
    claimed: int, outside: int
) -> None:
    performance = an_interval()
    party, scan = a_party(performance, 4), uuid4()
    go(party, Way.IN, 2)
    go(party, Way.OUT, 2)
    assert go(party, Way.IN, claimed=claimed, scan=scan) == (VerdictKind.ADMITTED, claimed)
    assert (building(performance), counted(party)) == ((claimed, outside), (4, outside))
    undo(performance.id, scan, DOOR_A)
    assert (building(performance), counted(party)) == ((0, 2), (2, 2))


def test_a_revoked_phone_lets_nobody_out() -> None:
    performance = an_interval()
    party = a_party(performance, 6)
    go(party, Way.IN, 4)
    token, _ = issue_token("Door C", Scope.DOOR, 5, performance.id)
    phone = Actor(door="Door C", token_id=token.id, label="Door C")
    revoke_token(token.id)
    claim = Claim(now(), VerdictKind.LET_OUT, 2)
    record_revoked_scan(performance.id, party.reference, uuid4(), phone, claim, way=Way.OUT)
    assert building(performance) == (4, 0)
    assert no_shows(performance.id).places == 2
    assert [told.people for told in evening.sent_by_revoked(performance.id)] == [0]


def test_walk_ins_go_out_as_a_number_and_no_more_come_back() -> None:
    performance = an_interval()
    a_party_inside(performance, 2)
    let_in_walk_ins(performance.id, 3, uuid4(), DOOR_A)
    leave = [uuid4(), uuid4()]

    def passes(
        way: Way, people: int, scan: UUID | None = None, **how: Any
    ) -> tuple[VerdictKind, int]:
        verdict = pass_without_ticket(performance.id, people, scan or uuid4(), DOOR_A, way, **how)
        return verdict.kind, verdict.people

    assert passes(Way.AGAIN, 1) == (VerdictKind.NONE_OUT, 0)
    assert passes(Way.OUT, 6) == (VerdictKind.TOO_MANY, 0)
    for _ in range(2):
        assert passes(Way.OUT, 2, leave[0]) == (VerdictKind.LET_OUT, 2)
    assert passes(Way.OUT, 1, leave[1]) == (VerdictKind.LET_OUT, 1)
    assert (building(performance), house_counts([performance.id])[performance.id].free) == (
        (2, 3),
        5,
    )
    assert passes(Way.AGAIN, 4) == (VerdictKind.TOO_MANY, 0)
    # Offline: one more came back than went out.
    claim = Claim(now(), VerdictKind.IN_AGAIN, 4)
    assert passes(Way.AGAIN, 4, claim=claim) == (VerdictKind.IN_AGAIN, 3)
    assert building(performance) == (6, 0)
    (conflict,) = conflicts(performance.id)
    assert (conflict.walk_in, conflict.way, conflict.beyond) == (True, Way.AGAIN, 1)
    for _ in range(2):
        undo(performance.id, leave[1], DOOR_A)
        assert building(performance)[1] == 0
    with pytest.raises(ScanReused):
        passes(Way.AGAIN, 1, leave[0])


@pytest.mark.parametrize("with_ticket", [0, 10])
def test_undoing_walk_ins_voids_their_exit(with_ticket: int) -> None:
    performance = an_interval(20)
    for _ in range(with_ticket // 5):
        a_party_inside(performance, 5)
    entered, others = uuid4(), uuid4()
    let_in_walk_ins(performance.id, 2, others, DOOR_A)
    let_in_walk_ins(performance.id, 4, entered, DOOR_A)
    out = pass_without_ticket(performance.id, 5, uuid4(), DOOR_A, Way.OUT)
    assert (out.kind, building(performance)) == (VerdictKind.LET_OUT, (with_ticket + 1, 5))
    # One of the two others may still be in.
    undo(performance.id, entered, DOOR_A)
    assert building(performance) == (with_ticket, 2)
    undo(performance.id, others, DOOR_A)
    assert building(performance) == (with_ticket, 0)


def test_undoing_unlisted_people_voids_their_exit() -> None:
    performance = an_interval()
    unlisted = uuid4()
    claim = Claim(now(), VerdictKind.NOT_LISTED, 3)
    admit(performance.id, "A" * 43, unlisted, DOOR_A, claim=claim)
    pass_without_ticket(performance.id, 2, uuid4(), DOOR_A, Way.OUT)
    assert building(performance) == (1, 2)
    undo(performance.id, unlisted, DOOR_A)
    assert building(performance) == (0, 0)


def test_a_passage_is_no_admission() -> None:
    performance = an_interval()
    let_in_walk_ins(performance.id, 3, uuid4(), DOOR_A)
    scan, claim = uuid4(), Claim(now(), VerdictKind.ADMITTED, 3)
    pass_without_ticket(performance.id, 3, scan, DOOR_A, Way.OUT)
    with pytest.raises(ScanReused):
        let_in_walk_ins(performance.id, 3, scan, DOOR_A, claim)
    assert building(performance) == (0, 3)


def test_statistics_count_nobody_twice_and_the_log_has_everybody() -> None:
    performance = an_interval()
    party = a_party_inside(performance)
    go(party, Way.OUT, 3)
    go(party, Way.OUT, 3)
    go(party, Way.ANY, door=DOOR_B)
    assert [step.people for step in evening.activity(performance.id).arrivals] == [4]
    assert {door.door: door.people for door in evening.activity(performance.id).doors} == {
        "Door A": 4,
        "Door B": 0,
    }
    assert evening.activity(performance.id).refusals == {}
    assert evening.latest_refused(performance.id) == []
    told = [(scan.verdict, scan.way, scan.people) for scan, _ in evening.attempts(performance.id)]
    assert told == [
        ("admitted", "in", 4),
        ("let_out", "out", 3),
        ("too_many", "out", 0),
        ("in_again", "again", 3),
    ]
    assert [(guest.admitted, guest.outside) for guest in guests(performance.id)] == [(4, 0)]


def race(app: Flask, party: Reservation, doors: int) -> list[Any]:
    """Let the same party in again at several doors at once."""

    def come(_number: int) -> object:
        with app.app_context():
            try:
                return go(party, Way.AGAIN)
            except IntegrityError:
                return "refused by the database"

    with ThreadPoolExecutor(doors) as phones:
        return list(phones.map(come, range(doors)))


def test_many_doors_let_a_party_in_again_once(app: Flask) -> None:
    performance = an_interval()
    party = a_party_inside(performance)
    go(party, Way.OUT)
    assert sorted(race(app, party, 4)) == sorted(
        [(VerdictKind.IN_AGAIN, 4)] + [(VerdictKind.NONE_OUT, 0)] * 3
    )
    assert (building(performance), counted(party)) == ((4, 0), (4, 0))


@contextmanager
def without(database: Database, *constraints: str) -> Iterator[None]:
    """Drop constraints of reservations for the duration of the block."""
    db.session.rollback()
    definitions = {
        name: database.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name]
        ).fetchone()
        for name in constraints
    }
    for name in constraints:
        database.execute(f"ALTER TABLE reservation DROP CONSTRAINT {name}")
    try:
        yield
    finally:
        db.session.rollback()
        database.execute("TRUNCATE passage")
        for name, definition in definitions.items():
            assert definition is not None
            database.execute(f"ALTER TABLE reservation ADD CONSTRAINT {name} {definition[0]}")


def test_without_the_lock_the_database_still_refuses(
    app: Flask, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    performance = an_interval()
    party = a_party_inside(performance)
    go(party, Way.OUT)
    monkeypatch.setattr(facts, "lock_party", looking_together(4))
    answers = race(app, party, 4)
    assert answers.count((VerdictKind.IN_AGAIN, 4)) == 1
    assert answers.count("refused by the database") == 3
    assert counted(party) == (4, 0)
    # Negative control: without the guard as well they come back four times.
    monkeypatch.undo()
    go(party, Way.OUT)
    monkeypatch.setattr(facts, "lock_party", looking_together(4))
    with without(database, "ck_reservation_outside_range"):
        assert race(app, party, 4) == [(VerdictKind.IN_AGAIN, 4)] * 4
        assert counted(party) == (4, -12)


def test_the_database_lets_nobody_out_who_is_not_in(database: Database) -> None:
    performance = an_interval()
    party = a_party_inside(performance, 2)
    go(party, Way.OUT, 1)
    db.session.rollback()
    for people, refused in ((2, "reservation_outside_range"), (-2, "ck_reservation_outside_range")):
        with pytest.raises(psycopg.errors.IntegrityError) as error:
            database.execute("UPDATE passage SET people = people + %s", [people])
        assert error.value.diag.constraint_name == refused
    with pytest.raises(psycopg.errors.IntegrityError) as error:
        database.execute("UPDATE reservation SET outside = 0")
    assert error.value.diag.constraint_name == "outside_is_counted"

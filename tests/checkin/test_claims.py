"""Offline decisions of devices: the scan log follows them, counts nobody twice, and shows conflicts."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from azionelab.bookings import rules as booking
from azionelab.bookings.models import Reservation, party_of
from azionelab.bookings.seats.no_show_seats import release_no_shows
from azionelab.checkin.devices.offline_list import conflicts
from azionelab.checkin.scanning.scan_log import Claim, Verdict
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import undo
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import db, now
from azionelab.shows.models import Performance
from tests.factories import DOOR_A, DOOR_B, a_party, a_performance, fresh, ticket_token

pytestmark = pytest.mark.usefixtures("in_app")


def claim(
    people: int, verdict: VerdictKind = VerdictKind.ADMITTED, minutes_ago: float = 3
) -> Claim:
    return Claim(now() - timedelta(minutes=minutes_ago), verdict, people)


def facts(party: Any) -> tuple[UUID, int, int, int]:
    return party.id, party.seats, party.admitted, party.released


def told(performance: Any) -> list[tuple[int, int, str]]:
    return [(x.claimed, x.people, x.verdict) for x in conflicts(performance.id)]


def test_claimed_people_are_counted_at_the_time_of_the_scan() -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    decided = claim(2)
    verdict = admit(performance.id, ticket_token(party), uuid4(), DOOR_A, claim=decided)
    assert (verdict.kind, verdict.people, verdict.claimed) == (VerdictKind.ADMITTED, 2, 2)
    assert fresh(party.id).admitted == 2
    first = admit(performance.id, ticket_token(party), uuid4(), DOOR_B).first
    assert first is not None
    assert first.at == decided.at
    assert told(performance) == []


def test_the_same_claim_sent_again_counts_once() -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    scan, decided = uuid4(), claim(2)
    for replayed in (False, True, True):
        verdict = admit(performance.id, ticket_token(party), scan, DOOR_A, claim=decided)
        assert (verdict.people, verdict.replayed) == (2, replayed)
    assert fresh(party.id).admitted == 2


def test_a_conflict_is_in_the_order_of_the_scans() -> None:
    performance = a_performance()
    party = a_party(performance, 2, name="Ada Rossi")
    late, early = claim(2, minutes_ago=2), claim(2, minutes_ago=4)
    admit(performance.id, ticket_token(party), uuid4(), DOOR_B, claim=late)
    scan = uuid4()
    conflict = admit(performance.id, ticket_token(party), scan, DOOR_A, claim=early)
    (told,) = conflicts(performance.id)
    assert told.first is not None
    assert [(told.first.door, told.first.at), (told.door, told.at)] == [
        (DOOR_A.door, early.at),
        (DOOR_B.door, late.at),
    ]
    assert told.scan_id == scan
    # The next scan gets the earlier admission, and the conflict names the other door.
    first = admit(performance.id, ticket_token(party), uuid4(), DOOR_B).first
    assert first is not None
    assert (first.door, first.at) == (DOOR_A.door, early.at)
    again = admit(performance.id, ticket_token(party), scan, DOOR_A, claim=early)
    assert conflict.first is not None
    assert conflict.first == again.first
    assert again.first is not None
    assert again.first.door == DOOR_B.door


def test_two_doors_that_let_the_same_party_in_conflict() -> None:
    performance = a_performance()
    party = a_party(performance, 2, name="Ada Rossi")
    admit(performance.id, ticket_token(party), uuid4(), DOOR_A, claim=claim(2, minutes_ago=4))
    second = admit(
        performance.id, ticket_token(party), uuid4(), DOOR_B, claim=claim(2, minutes_ago=2)
    )
    assert (second.kind, second.people, second.claimed) == (VerdictKind.ALREADY_IN, 0, 2)
    (conflict,) = conflicts(performance.id)
    assert (conflict.door, conflict.name, conflict.claimed) == ("Door B", "Ada Rossi", 2)
    assert conflict.beyond == 2
    assert conflict.first is not None
    assert conflict.first.door == "Door A"
    assert conflict.first.at < conflict.at
    assert fresh(party.id).admitted == 2, "nobody counts twice"


def test_of_too_many_claimed_people_as_many_count_as_have_seats() -> None:
    performance = a_performance()
    party = a_party(performance, 4)
    admit(performance.id, ticket_token(party), uuid4(), DOOR_A, people=3)
    late = admit(performance.id, ticket_token(party), uuid4(), DOOR_B, claim=claim(2))
    assert (late.kind, late.people) == (VerdictKind.ADMITTED, 1)
    assert told(performance) == [(2, 1, "admitted")]
    assert fresh(party.id).admitted == 4


@pytest.mark.parametrize("what", ["unknown", "cancelled", "not_confirmed", "wrong_performance"])
def test_claimed_people_without_a_seat_are_a_conflict(what: str) -> None:
    performance = a_performance()
    party = a_party(
        a_performance() if what == "wrong_performance" else performance,
        confirmed=what != "not_confirmed",
    )
    if what == "cancelled":
        booking.cancel(party.id)
    code = "ZZZZZZZZ" if what == "unknown" else ticket_token(party)
    verdict = admit(performance.id, code, uuid4(), DOOR_A, claim=claim(2, VerdictKind.NOT_LISTED))
    assert (verdict.kind, verdict.people) == (what, 0)
    assert told(performance) == [(2, 0, what)]


def test_a_claimed_refusal_is_recorded_with_its_reason(
    database: psycopg.Connection[Any],
) -> None:
    performance = a_performance()
    party = a_party(performance, 2)
    verdict = admit(
        performance.id, ticket_token(party), uuid4(), DOOR_A, claim=claim(0, VerdictKind.NOT_LISTED)
    )
    assert (verdict.kind, verdict.people, verdict.claimed) == (VerdictKind.NOT_LISTED, 0, 0)
    assert conflicts(performance.id) == []
    assert fresh(party.id).admitted == 0
    row = database.execute("SELECT verdict, people, claimed FROM scan").fetchone()
    assert row == ("not_listed", 0, 0)


def whose_places_were_released(seats: int) -> tuple[Performance, Reservation]:
    """A performance that is about to begin, with a no-show."""
    curtain = now() + timedelta(minutes=10)
    performance = a_performance(starts_at=curtain, booking_closes_at=curtain)
    party = a_party(performance, seats)
    release_no_shows(performance.id)
    return performance, fresh(party.id)


@pytest.mark.parametrize("seats", [1, 3])
def test_a_late_claim_gets_released_seats_that_are_free(seats: int) -> None:
    performance, party = whose_places_were_released(seats)
    decided = claim(1)
    verdict = admit(performance.id, ticket_token(party), uuid4(), DOOR_A, claim=decided)
    assert (verdict.kind, verdict.people) == (VerdictKind.ADMITTED, 1)
    assert facts(verdict.party) == facts(fresh(party.id))
    assert (fresh(party.id).admitted, fresh(party.id).released) == (1, seats - 1)


def test_a_claim_without_people_is_no_admission() -> None:
    performance = a_performance()
    party = a_party(performance, 2)
    verdict = admit(performance.id, ticket_token(party), uuid4(), DOOR_A, claim=claim(0))
    assert (verdict.kind, verdict.people) == (VerdictKind.TOO_MANY, 0)


class TestAnAnswerThatDidNotArrive:
    """The server's answer was lost, and the device decided by its own list."""

    def lost(self, performance: Any, code: str, **asked: Any) -> tuple[UUID, Verdict]:
        scan = uuid4()
        return scan, admit(performance.id, code, scan, DOOR_B, **asked)

    def test_server_and_device_agree(self) -> None:
        performance = a_performance()
        party = a_party(performance, 3)
        scan, _ = self.lost(performance, ticket_token(party))
        again = admit(performance.id, ticket_token(party), scan, DOOR_B, claim=claim(3))
        assert (again.kind, again.people, again.replayed) == (VerdictKind.ADMITTED, 3, True)
        assert fresh(party.id).admitted == 3
        assert told(performance) == []

    def test_the_device_admitted_after_a_refusal(self) -> None:
        performance = a_performance()
        party = a_party(performance, 2)
        admit(performance.id, ticket_token(party), uuid4(), DOOR_A)
        scan, answer = self.lost(performance, ticket_token(party))
        assert answer.kind is VerdictKind.ALREADY_IN
        for _ in range(2):
            again = admit(performance.id, ticket_token(party), scan, DOOR_B, claim=claim(2))
            assert (again.people, again.claimed) == (0, 2)
        assert told(performance) == [(2, 0, "already_in")]
        assert conflicts(performance.id)[0].first is not None

    def test_the_device_admitted_after_changed(self) -> None:
        performance = a_performance()
        party = a_party(performance, 4)
        admit(performance.id, ticket_token(party), uuid4(), DOOR_A, people=1)
        scan, answer = self.lost(performance, ticket_token(party), people=2, seen=0)
        assert answer.kind is VerdictKind.CHANGED
        again = admit(performance.id, ticket_token(party), scan, DOOR_B, claim=claim(2))
        assert (again.kind, again.people) == (VerdictKind.ADMITTED, 2)
        assert fresh(party.id).admitted == 3
        assert told(performance) == []

    @pytest.mark.parametrize("people", [1, 2, 3, 4])
    def test_the_device_admitted_fewer_or_more(self, people: int) -> None:
        performance = a_performance()
        party = a_party(performance, 4)
        scan, _ = self.lost(performance, ticket_token(party), people=3)
        before = fresh(party.id)
        again = admit(performance.id, ticket_token(party), scan, DOOR_B, claim=claim(people))
        assert (again.kind, again.people, again.claimed) == (VerdictKind.ADMITTED, people, people)
        assert before in db.session, "read in this session"
        assert again.party == party_of(before)
        assert before.admitted == people
        assert fresh(party.id).admitted == people
        assert told(performance) == []

    def test_an_admission_undone_by_another_door_stays_undone(self) -> None:
        performance = a_performance()
        party = a_party(performance, 3)
        scan, _ = self.lost(performance, ticket_token(party))
        undo(performance.id, scan, DOOR_A)
        again = admit(performance.id, ticket_token(party), scan, DOOR_B, claim=claim(1))
        assert (again.people, again.undone) == (3, True)
        assert fresh(party.id).admitted == 0

    @pytest.mark.parametrize("people", [0, 2])
    @pytest.mark.parametrize("what", [VerdictKind.UNKNOWN, VerdictKind.ALREADY_IN])
    def test_both_refused_or_the_device_admitted_anyway(
        self, what: VerdictKind, people: int
    ) -> None:
        performance = a_performance()
        party = a_party(performance, 2)
        code = "ZZZZZZZZ" if what is VerdictKind.UNKNOWN else ticket_token(party)
        admit(performance.id, ticket_token(party), uuid4(), DOOR_A)
        scan, answer = self.lost(performance, code)
        decided = claim(people, VerdictKind.ADMITTED if people else what)
        again = admit(performance.id, code, scan, DOOR_B, claim=decided)
        assert answer.kind == again.kind == what
        assert (again.people, again.claimed) == (0, people)
        assert told(performance) == ([(2, 0, what)] if people else [])

    def test_the_device_admitted_into_released_seats(self) -> None:
        performance, party = whose_places_were_released(2)
        scan, answer = self.lost(performance, ticket_token(party))
        assert answer.kind is VerdictKind.RELEASED
        again = admit(performance.id, ticket_token(party), scan, DOOR_B, claim=claim(2))
        assert (again.kind, again.people) == (VerdictKind.ADMITTED, 2)
        assert (fresh(party.id).admitted, fresh(party.id).released) == (2, 0)

    def test_the_device_refused_after_an_admission(self, database: psycopg.Connection[Any]) -> None:
        performance = a_performance()
        party = a_party(performance, 3)
        scan, _ = self.lost(performance, ticket_token(party))
        sent_away = claim(0, VerdictKind.NOT_CONFIRMED)
        again = admit(performance.id, ticket_token(party), scan, DOOR_B, claim=sent_away)
        assert (again.kind, again.people) == (VerdictKind.NOT_CONFIRMED, 0)
        assert fresh(party.id).admitted == 0
        assert database.execute("SELECT count(*) FROM admission").fetchone() == (0,)


def test_a_claim_that_is_undone_is_no_conflict_any_more() -> None:
    performance = a_performance()
    party = a_party(performance, 2)
    admit(performance.id, ticket_token(party), uuid4(), DOOR_A)
    scan = uuid4()
    admit(performance.id, ticket_token(party), scan, DOOR_B, claim=claim(2))
    assert told(performance)
    for _ in range(2):
        assert undo(performance.id, scan, DOOR_B).undone
    assert admit(performance.id, ticket_token(party), scan, DOOR_B, claim=claim(2)).undone
    assert told(performance) == []
    assert fresh(party.id).admitted == 2


@pytest.mark.parametrize("minutes_ago", [-60, 60 * 24 * 30])
def test_an_impossible_time_is_replaced_by_now(
    database: psycopg.Connection[Any], minutes_ago: float
) -> None:
    performance = a_performance()
    party = a_party(performance, 2)
    decided = claim(2, minutes_ago=minutes_ago)
    admit(performance.id, ticket_token(party), uuid4(), DOOR_A, claim=decided)
    row = database.execute("SELECT scanned_at = received_at FROM scan").fetchone()
    assert row == (True,)

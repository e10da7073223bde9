"""The rules of verdicts, case by case. The door app's are tested with the same table."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from azionelab.bookings.party import Party
from azionelab.checkin.limits import MAX_PEOPLE
from azionelab.checkin.verdicts import (
    Door,
    ScanOptions,
    VerdictKind,
    Way,
    count_claim,
    decide,
    lets_all_in,
)

TABLE = json.loads(Path(__file__).with_name("verdicts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["case"])
def test_the_verdict(case: dict[str, Any]) -> None:
    party = Party(**case["party"]) if case["party"] else None
    reentry = case.get("reentry", False)
    door = Door(TABLE["door"], cancelled=case["cancelled"], free=case["free"], reentry=reentry)
    asked = case["asked"] | {"way": Way(case["asked"].get("way", "in"))}
    verdict = decide(party, door, ScanOptions(**asked))
    assert verdict == (case["verdict"], case["people"])


@pytest.mark.parametrize("case", TABLE["unlisted"], ids=lambda case: case["case"])
def test_verdicts_on_unlisted_tickets(case: dict[str, Any]) -> None:
    party = Party(**case["party"]) if case["party"] else None
    kind, _people = decide(party, Door(TABLE["door"], cancelled=case["cancelled"]))
    assert kind == case["server"]
    assert case["phone"] in (kind, VerdictKind.NOT_LISTED)


def test_the_table_knows_every_verdict_of_the_server() -> None:
    assert {case["verdict"] for case in TABLE["cases"]} == {*VerdictKind} - {VerdictKind.NOT_LISTED}


@pytest.mark.parametrize("other", [6, 8])
def test_a_ticket_of_an_earlier_or_later_performance_is_of_another(other: int) -> None:
    party = Party(other, "confirmed", 2, 0)
    assert decide(party, Door(7, cancelled=False)) == (VerdictKind.WRONG_PERFORMANCE, 0)


def test_numbers_of_performances_are_compared_as_such() -> None:
    # Python has one object for each small number, and several for larger ones: `is` would fail.
    here, there = int("1000"), int("1000")
    party, door = Party(there, "confirmed", 2, 0), Door(here, cancelled=False)
    assert decide(party, door) == (VerdictKind.ADMITTED, 2)


def test_a_door_of_which_no_more_is_known_has_no_free_places() -> None:
    late = Party(7, "confirmed", 1, 0, released=1)
    assert decide(late, Door(7, cancelled=False), ScanOptions(late=True)) == (VerdictKind.FULL, 0)


@pytest.mark.parametrize("people", [None, 1, 2, MAX_PEOPLE])
@pytest.mark.parametrize("seen", [None, 0, 1])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("way", Way)
def test_the_single_statement_agrees_with_the_rules(
    people: int | None, seen: int | None, late: bool, way: Way
) -> None:
    """First scans skip `decide`: it must agree on all parties that `lets_all_in` covers."""
    asked = ScanOptions(people, seen, late, way)
    told = {
        seats: decide(Party(7, "confirmed", seats, 0), Door(7, cancelled=False), asked)
        for seats in range(1, MAX_PEOPLE + 1)
    }
    everybody = {seats: (VerdictKind.ADMITTED, seats) for seats in told}
    assert lets_all_in(asked) == (told == everybody)


@pytest.mark.parametrize(
    ("party", "claimed", "free", "counted"),
    [
        (Party(7, "confirmed", 4, 0), 4, 0, (VerdictKind.ADMITTED, 4)),
        (Party(7, "confirmed", 4, 3), 4, 0, (VerdictKind.ADMITTED, 1)),
        (Party(7, "confirmed", 4, 4), 4, 0, (VerdictKind.ALREADY_IN, 0)),
        (Party(7, "confirmed", 4, 0, 4), 3, 2, (VerdictKind.ADMITTED, 2)),
        (Party(7, "confirmed", 4, 0, 4), 3, 0, (VerdictKind.FULL, 0)),
        (Party(7, "pending", 4, 0), 4, 9, (VerdictKind.NOT_CONFIRMED, 0)),
        (Party(8, "confirmed", 4, 0), 4, 9, (VerdictKind.WRONG_PERFORMANCE, 0)),
        (Party(6, "confirmed", 4, 0), 4, 9, (VerdictKind.WRONG_PERFORMANCE, 0)),
        # More people were admitted than there are seats: nobody loses a held one.
        (Party(7, "confirmed", 4, 0, 2), 4, -1, (VerdictKind.ADMITTED, 2)),
        (None, 2, 9, (VerdictKind.UNKNOWN, 0)),
    ],
)
def test_claimed_admissions_count_as_far_as_there_are_seats(
    party: Party | None, claimed: int, free: int, counted: tuple[VerdictKind, int]
) -> None:
    door = Door(7, cancelled=False, free=free)
    assert count_claim(party, door, claimed) == counted


@pytest.mark.parametrize(
    ("way", "outside", "claimed", "counted"),
    [
        (Way.OUT, 0, 4, (VerdictKind.LET_OUT, 4)),
        (Way.OUT, 3, 4, (VerdictKind.LET_OUT, 1)),
        (Way.OUT, 4, 2, (VerdictKind.NONE_IN, 0)),
        (Way.AGAIN, 2, 2, (VerdictKind.IN_AGAIN, 2)),
        (Way.AGAIN, 1, 2, (VerdictKind.IN_AGAIN, 1)),
        (Way.AGAIN, 0, 2, (VerdictKind.NONE_OUT, 0)),
    ],
)
def test_claimed_passages_count_as_far_as_possible(
    way: Way, outside: int, claimed: int, counted: tuple[VerdictKind, int]
) -> None:
    # Whether re-entry is allowed or not: they went.
    party, door = Party(7, "confirmed", 4, 4, outside=outside), Door(7, cancelled=False)
    assert count_claim(party, door, claimed, way) == counted


def test_nobody_counts_for_a_cancelled_performance() -> None:
    party, door = Party(7, "confirmed", 4, 0), Door(7, cancelled=True)
    assert count_claim(party, door, 4) == (VerdictKind.PERFORMANCE_CANCELLED, 0)


def test_the_counts_of_a_party() -> None:
    at = datetime(2026, 11, 30, 20, 10, tzinfo=UTC)
    party = Party(7, "confirmed", seats=9, admitted=4, released=2, outside=1, late_at=at)
    assert (party.to_come, party.inside, party.awaited_at) == (3, 3, at)
    complete = replace(party, admitted=9, released=0)
    assert (complete.to_come, complete.inside, complete.awaited_at) == (0, 8, None)

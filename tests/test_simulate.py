"""The simulated evenings: time passes for code and database alike, and what must hold holds in one of them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from azionelab.bookings import rules
from azionelab.bookings.errors import HoldExpired
from azionelab.bookings.seats.holds import expire_lapsed_holds
from simulate.evening import Evening
from simulate.habits import Habits, Theatre
from simulate.loop import ALL, Loop
from simulate.outcome import Outcome
from simulate.people import draw_parties
from simulate.plot import draw
from simulate.tables import make_plan, write_tables
from simulate.world import world
from tests.factories import a_visitor

# All who wait are near, so that a small house shows what becomes of them.
HABITS = Habits(says_near=1, near_minutes=(0, 1, 0, 0, 0, 0))
THEATRE = Theatre(capacity=8, opens_days=4)
LAPSED = "SELECT count(*) FROM lapsed_hold"


def test_time_passes_for_the_code_and_for_the_database(
    migrated_database: str, tmp_path: Path
) -> None:
    with world(migrated_database, tmp_path) as theatre:
        theatre.open_evening(10, timedelta(days=2))
        party = rules.reserve(theatre.performance_id, a_visitor(), 2)
        theatre.pass_until(timedelta(days=2) - timedelta(minutes=29))
        assert (theatre.rows(LAPSED), expire_lapsed_holds()) == ([(0,)], 0)
        theatre.pass_until(timedelta(days=2) - timedelta(minutes=31))
        assert theatre.rows(LAPSED) == [(1,)]
        assert expire_lapsed_holds() == 1
        with pytest.raises(HoldExpired):
            rules.confirm(party.id)


def test_nobody_who_kept_their_seats_is_turned_away(migrated_database: str, tmp_path: Path) -> None:
    found = {}
    with world(migrated_database, tmp_path) as theatre:
        for loop in (Loop(), ALL.without("again"), ALL):
            evening = Evening(theatre, THEATRE, HABITS, loop, 0.5)
            parties = draw_parties(THEATRE, HABITS, "7")
            found[loop] = evening.play(parties, [1, 2], lambda booked: booked // 2)
    for outcome in found.values():
        assert outcome.kept_turned_away == 0
        # Seats that were released are booked twice.
        assert outcome.absent < outcome.booked <= outcome.seats + outcome.released
        assert outcome.mails["ticket"] >= 2
    without, not_again, everything = found.values()
    assert not_again.near_seated > 0
    assert (not_again.mails["question"], everything.mails["question"] > 0) == (0, True)
    assert everything.released < not_again.released
    assert without.filled < everything.filled <= everything.seats
    assert (without.mails["waitlist"], everything.mails["waitlist"] > 0) == (0, True)


def test_the_same_people_come_in_every_variant() -> None:
    one, other = (draw_parties(THEATRE, HABITS, "3") for _time in range(2))
    assert one == other != draw_parties(THEATRE, HABITS, "4")
    assert sum(party.seats for party in one) >= THEATRE.capacity * THEATRE.wishes


def test_the_tables_say_whether_the_aim_is_reached() -> None:
    plan = make_plan(THEATRE, 1)
    short = {season: Outcome(evenings=1, seats=8, filled=7) for season in plan.all}
    full = {season: replace(outcome, filled=8) for season, outcome in short.items()}
    assert "**Not reached**: 87.5% filled, 0 turned away on 4 evenings" in write_tables(plan, short)
    assert "**Reached**: 100.0% filled" in write_tables(plan, full)
    picture = draw({"no loop": [90, 40], "all": [99, 96]}, [0.1, 0.6], 95)
    assert picture.count("<polyline") == 2

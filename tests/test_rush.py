"""What a simulated rush counts as kept and as broken."""

import json
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask

from azionelab.bookings.crowd.proof_of_work import check_place_proof, write_challenge
from azionelab.tokens import secret_keys
from rush.clients import Gathered
from rush.findings import (
    Facts,
    Place,
    fair_share,
    problems,
    rank_correlation,
    rank_sum_deviations,
)
from rush.people import Kind, Person, draw_people
from rush.proof import asked_cost, make_proof
from rush.stories import NO_SEATS, Said, Story
from rush.table import Log, Run, cpu_share, draw_run, write_rows
from rush.watch import Sample

STATE = {
    "let_in": 100, "inside_limit": 500, "stay_minutes": 10, "per_minute": 100, "names_minutes": True,
}  # fmt: skip


def a_story(number: int, asked_at: float = 0.0) -> Story:
    person = Person(Kind.PATIENT, number, "10.0.0.1", 0, 2, 3, 3, 3)
    return Story(person, asked_at=asked_at, joined_at=asked_at + 0.5, number=number)


# Two by lot, of whom the first was let in, then two who came afterwards.
GOOD = Facts(
    stories=[a_story(1), a_story(2), a_story(3, 100), a_story(4, 101)],
    places=[Place(1, by_lot=True, joined_at=2, let_in_at=60), Place(2, by_lot=True, joined_at=1, let_in_at=61), Place(3, by_lot=False, joined_at=100, let_in_at=None), Place(4, by_lot=False, joined_at=101, let_in_at=None)],
    seats=4,
    taken=4,
    most_taken=4,
    failed=0,
    cpu=0.4,
)  # fmt: skip


def test_a_good_rush_has_no_problem() -> None:
    assert list(problems(GOOD)) == []


def test_each_broken_promise_is_told() -> None:
    first, second, third, fourth = GOOD.places
    grown = a_story(2)
    grown.said.reload(5, 1)
    grown.said.reload(7, 1)
    broken = {
        "not sold": replace(GOOD, taken=3),
        "5 seats were sold": replace(GOOD, most_taken=5),
        "requests failed": replace(GOOD, failed=1),
        "of the cores": replace(GOOD, cpu=0.9),
        "program failed": replace(GOOD, errors=["KeyError()"]),
        "gaps": replace(GOOD, places=[first, second, third, replace(fourth, number=5)]),
        "came after the opening": replace(
            GOOD, places=[first, replace(second, by_lot=False), replace(third, by_lot=True), fourth]
        ),
        "before the number": replace(GOOD, places=[replace(first, let_in_at=62), second]),
        "joined after them": replace(
            GOOD, stories=[a_story(1), a_story(2), a_story(3, 101), a_story(4, 100)]
        ),
        "grew for 1 visitors, by up to 2": replace(GOOD, stories=[grown]),
        "found no seats": replace(GOOD, stories=[replace(a_story(1), end=NO_SEATS)]),
        "got 75% of the seats, and their places explain 0%": replace(GOOD, share=0.75),
    }
    for words, facts in broken.items():
        assert [words in sentence for sentence in problems(facts)] == [True], words


def test_a_lot_in_order_of_arrival_is_none() -> None:
    fair = [number * 37 % 101 for number in range(1, 101)]
    assert rank_correlation([3, 5, 9]) == 1
    assert rank_correlation([9, 5, 3]) == -1
    assert abs(rank_correlation(fair)) < 0.2
    places = [
        Place(number, by_lot=True, joined_at=number, let_in_at=None) for number in range(1, 101)
    ]
    assert "depends on when" in "".join(problems(replace(GOOD, stories=[], places=places)))
    assert rank_sum_deviations(range(1, 51), 100) == pytest.approx(-8.6, abs=0.1)
    assert rank_sum_deviations([1, 100], 100) == 0


def test_what_a_page_says_falls_until_it_is_loaded_again() -> None:
    said = Said()
    said.reload(500, 9)
    said.tell(450, STATE)
    assert (said.ahead, said.minutes) == (349, 4)
    said.tell(450, STATE | {"let_in": 90})  # an older answer changes nothing
    assert (said.ahead, said.grew) == (349, 0)
    said.reload(351, 4)
    assert (said.grew, said.most) == (1, 2)
    said.tell(450, STATE | {"names_minutes": False})
    said.reload(349, None)
    assert (said.minutes, said.grew) == (None, 1)


def test_scripts_have_the_share_that_places_and_seats_explain() -> None:
    """Of three that book at most four seats, and one that gives up."""
    script = Person(Kind.SCRIPT, 1, "198.18.0.1", 0, 6, 3, 0, 1)
    absent = replace(a_story(2).person, decides=None)
    people = [script, absent, a_story(3).person, a_story(4).person]
    stories = [replace(a_story(n), person=one) for n, one in enumerate(people, 1)]
    places = [Place(n, by_lot=True, joined_at=n, let_in_at=None) for n in range(1, 5)]
    share, deviation = fair_share(replace(GOOD, stories=stories, places=places, most_seats=4))
    assert share == 0.5
    # Two bookings of two seats on average: what one of them is off by, by the seats of both.
    assert deviation == pytest.approx((6 / 4 * 2 / 4) ** 0.5 / 2)


def test_scripts_share_networks_and_come_early() -> None:
    people = draw_people(1000, before=100, after=30, seed=1)
    assert people == draw_people(1000, before=100, after=30, seed=1)
    scripts = [person for person in people if person.kind is Kind.SCRIPT]
    assert (len(people), len(scripts), len({each.address for each in scripts})) == (1000, 200, 20)
    assert len({each.address for each in people}) == 820
    assert len({each.mailbox for each in people}) == 1000
    assert all(each.arrives < 0 for each in scripts)


def test_cpu_is_counted_between_two_moments() -> None:
    samples = [Sample(at, 0, 0, 0, {"nginx": at / 2}) for at in (0.0, 1.0, 2.0, 9.0)]
    assert cpu_share(samples, "nginx", 0.5, 3, 2) == 0.25
    assert cpu_share(samples, "nginx", 3, 8, 2) is None


def test_the_table_tells_what_was_counted(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    asked = [
        (200, "/en/queue/1/state", "HIT"),
        (200, "/en/queue/1/state", "MISS"),
        (503, "/en/", ""),
    ]
    lines = ({"status": status, "path": path, "cache": cache} for status, path, cache in asked)
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    samples = [Sample(at, int(at), int(at) // 2, 2, {"nginx": at / 2}) for at in range(40)]
    read = Log.read(log)
    run = Run(replace(GOOD, share=0.25), Gathered(GOOD.stories), samples, read, 20, 30, cores=2)
    rows = dict(write_rows(run))
    assert read.failed == 1
    (share,) = (figure for what, figure in rows.items() if "share of the seats" in what)
    assert share == "25%; 0% (± 0% by the lot's chance)"
    assert rows["asked how far the line is; answered from nginx's cache"] == "2; 50%"
    (cpu,) = (figure for what, figure in rows.items() if what.startswith("CPU of nginx"))
    assert cpu == "25%; 25%; none; 25%", "sold out within the minute of the lot"
    picture = draw_run(run)
    assert picture.count("<polyline") == 4
    assert all(name in picture for name in ("places given", "waiting", "let in", "seats taken"))


def test_a_proof_without_the_work_is_taken_by_the_site(
    in_app: Flask, database: psycopg.Connection[Any]
) -> None:
    with in_app.test_request_context():
        challenge = write_challenge(always=True)
        assert challenge is not None
        cost = asked_cost(f'<input data-challenge="{escape(challenge)}">')
        assert cost == 2_000
        proof = make_proof(cost, secret_keys()[0])
        check_place_proof(proof)
        rows = "SELECT count(*) FROM rate_count"
        assert database.execute(rows).fetchone() == (1,)  # the proof's use, and nobody without one
        check_place_proof(proof)
        assert database.execute(rows).fetchone() == (2,)

"""Invariant 1: seats held never exceed the capacity, whoever writes."""

import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import text

from azionelab.bookings import rules
from azionelab.bookings.errors import CapacityBelowHeld, SoldOut
from azionelab.database import db
from azionelab.shows.models import Performance
from bare_machine import postgres_programs
from tests.factories import a_party, a_performance, a_visitor, change_capacity, seats_held
from tests.support.processes import PATIENCE

pytestmark = pytest.mark.usefixtures("in_app")


def psql(database_url: str, statement: str) -> subprocess.CompletedProcess[str]:
    """Type a statement into psql."""
    program = postgres_programs.programs() / "psql"
    return subprocess.run(
        [program, database_url, "-v", "ON_ERROR_STOP=1", "-c", statement],
        capture_output=True,
        text=True,
        check=False,
    )


INSERT = """
INSERT INTO reservation (id, reference, performance_id, name, email, email_key, locale, seats,
                         state, request_key, created_at, hold_expires_at, confirmed_at)
VALUES (gen_random_uuid(), 'TYPED000', {performance}, 'Typed', 't@example.org', 't@example.org',
        'it', {seats}, 'confirmed', gen_random_uuid(), now(), now(), now())
"""


@pytest.mark.parametrize(
    "statement",
    [
        INSERT.replace("{seats}", "4"),
        "UPDATE reservation SET seats = 6 WHERE performance_id = {performance} AND seats = 2",
        "UPDATE reservation SET state = 'confirmed', confirmed_at = now() WHERE seats = 5",
        "UPDATE performance SET capacity = 1 WHERE id = {performance}",
    ],
    ids=["insert", "more seats", "revived", "less capacity"],
)
def test_a_hand_typed_oversell_is_refused(database_url: str, statement: str) -> None:
    performance = a_performance(capacity=5)
    gone = a_party(performance, 5)
    rules.cancel(gone.id)
    a_party(performance, 2)
    answer = psql(database_url, statement.format(performance=performance.id))
    assert answer.returncode != 0
    assert "ck_performance_capacity_held" in answer.stderr
    assert seats_held(performance.id) == (2, 2)


def test_a_hand_typed_insert_that_fits_is_counted(database_url: str) -> None:
    performance = a_performance(capacity=5)
    answer = psql(database_url, INSERT.format(performance=performance.id, seats=5))
    assert answer.returncode == 0, answer.stderr
    assert seats_held(performance.id) == (5, 5)
    assert psql(database_url, "DELETE FROM reservation").returncode == 0
    assert seats_held(performance.id) == (0, 0)


def test_the_counter_cannot_be_written_by_hand(database_url: str) -> None:
    performance = a_performance(capacity=5)
    a_party(performance, 5)
    answer = psql(database_url, "UPDATE performance SET seats_held = 0")
    assert "counted from reservations" in answer.stderr
    assert seats_held(performance.id) == (5, 5)


def storm(app: Flask, performance_id: int, attempts: int, parties: int = 1) -> list[str]:
    """Book from many threads at once, each on a connection of its own."""

    def attempt(_number: int) -> str:
        with app.app_context():
            try:
                rules.reserve(performance_id, a_visitor(), parties, uuid4())
            except SoldOut:
                return "sold out"
            return "reserved"

    with ThreadPoolExecutor(16) as crowd:
        return list(crowd.map(attempt, range(attempts)))


def test_a_storm_fills_the_house_and_no_more(app: Flask) -> None:
    performance = a_performance(capacity=20)
    answers = storm(app, performance.id, attempts=100)
    assert answers.count("reserved") == 20
    assert seats_held(performance.id) == (20, 20)


def told_together(parties: int) -> Callable[..., None]:
    """Everybody is told that there is a seat before anybody takes it."""
    everybody = threading.Barrier(parties, timeout=PATIENCE)
    check = rules.check_bookable

    def check_and_wait(*facts: Any) -> None:
        check(*facts)
        everybody.wait()

    return check_and_wait


def race_for_the_last_seat(app: Flask, performance_id: int) -> list[str]:
    def attempt(_number: int) -> str:
        with app.app_context():
            try:
                return rules.reserve(performance_id, a_visitor(), 1, uuid4()).state
            except SoldOut as refusal:
                return f"sold out, {refusal.seats_left} left"

    with ThreadPoolExecutor(4) as crowd:
        return sorted(crowd.map(attempt, range(4)))


def test_who_read_a_free_seat_that_another_took_is_told_so(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    performance = a_performance(capacity=1)
    monkeypatch.setattr(rules, "check_bookable", told_together(4))
    answers = race_for_the_last_seat(app, performance.id)
    assert answers == ["pending"] + ["sold out, 0 left"] * 3
    assert seats_held(performance.id) == (1, 1)
    queued = db.session.scalar(text("SELECT count(*) FROM procrastinate_jobs"))
    assert queued == 1, "no mail for who was refused"


@pytest.mark.usefixtures("without_the_database_guard")
def test_negative_control_without_the_constraint_the_house_is_oversold(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    performance = a_performance(capacity=1)
    monkeypatch.setattr(rules, "check_bookable", told_together(4))
    assert race_for_the_last_seat(app, performance.id) == ["pending"] * 4
    assert seats_held(performance.id) == (4, 4)


def race_with_one_press(app: Flask, performance_id: int, visitor: Any, press: Any) -> set[Any]:
    def attempt(_number: int) -> Any:
        with app.app_context():
            return rules.reserve(performance_id, visitor, 1, press or uuid4()).id

    with ThreadPoolExecutor(4) as crowd:
        return set(crowd.map(attempt, range(4)))


@pytest.mark.parametrize("press", [uuid4(), None], ids=["same press", "same address"])
def test_one_visitor_on_many_connections_has_one_booking(app: Flask, press: Any) -> None:
    performance = a_performance(capacity=10)
    for _ in range(5):
        visitor = a_visitor()
        assert len(race_with_one_press(app, performance.id, visitor, press)) == 1
    assert seats_held(performance.id) == (5, 5)


def test_a_capacity_edit_races_with_bookings(app: Flask) -> None:
    performance = a_performance(capacity=20)

    def cut(_number: int) -> None:
        with app.app_context():
            held, _ = seats_held(performance.id)
            with suppress(CapacityBelowHeld):  # the house filled up meanwhile
                change_capacity(performance.id, max(1, held))

    with ThreadPoolExecutor(2) as office:
        edits = office.map(cut, range(20))
        storm(app, performance.id, attempts=40)
        list(edits)
    db.session.rollback()
    capacity = db.session.get_one(Performance, performance.id, populate_existing=True).capacity
    held, live = seats_held(performance.id)
    assert held == live <= capacity

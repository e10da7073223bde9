"""The box office and visitors at once: the last seats, one address, one lot of house seats."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from azionelab.bookings import locks, rules
from azionelab.bookings.box_office import book_for as module
from azionelab.bookings.box_office.book_for import Guest, Terms, book_for
from azionelab.bookings.box_office.house_seats import keep_back, release_house_seats
from azionelab.bookings.errors import BookingError
from tests.bookings.test_locks import (
    MAIL_GATE,
    Race,
    without_its_lock,
    without_the_lock_before_the_key,
)
from tests.factories import a_performance, a_visitor, seats_held
from tests.support.processes import PATIENCE

pytestmark = pytest.mark.usefixtures("in_app")


def at_once(app: Flask, *deeds: Callable[[], Any]) -> list[str]:
    """What each is told, on connections of their own: "booked", or the refusal's name."""

    def attempt(deed: Callable[[], Any]) -> str:
        with app.app_context():
            try:
                deed()
            except BookingError as refusal:
                return type(refusal).__name__
            return "booked"

    with ThreadPoolExecutor(len(deeds)) as people:
        return list(people.map(attempt, deeds))


def counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Visitor and box office have both read that there is a seat before either takes it."""
    both = threading.Barrier(2, timeout=PATIENCE)
    check, count = rules.check_bookable, module.count_free

    def check_and_wait(*facts: Any) -> None:
        check(*facts)
        both.wait()

    def count_and_wait(*facts: Any) -> Any:
        free = count(*facts)
        both.wait()
        return free

    monkeypatch.setattr(rules, "check_bookable", check_and_wait)
    monkeypatch.setattr(module, "count_free", count_and_wait)


def race_for_the_last_seats(app: Flask, performance_id: int) -> list[str]:
    caller = Guest("Ada", "", "en")
    return at_once(
        app,
        lambda: rules.reserve(performance_id, a_visitor(), 2),
        lambda: book_for(performance_id, caller, 2),
    )


def test_a_visitor_and_the_box_office_do_not_both_get_the_last_seats(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    performance = a_performance(3)
    counted_together(monkeypatch)
    assert race_for_the_last_seats(app, performance.id) == ["SoldOut", "booked"]
    assert seats_held(performance.id) == (2, 2)


@pytest.mark.usefixtures("without_the_database_guard")
def test_negative_control_without_the_constraint_both_get_them(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    performance = a_performance(3)
    counted_together(monkeypatch)
    assert race_for_the_last_seats(app, performance.id) == ["booked", "booked"]
    assert seats_held(performance.id) == (4, 4)


def test_two_at_the_box_office_do_not_both_get_the_last_seats(
    app: Flask, database_url: str
) -> None:
    performance = a_performance(3)
    ada, bruno = (Guest(name, f"{name}@example.org", "en") for name in ("ada", "bruno"))
    told = Race(app, database_url).run(
        MAIL_GATE,
        lambda: book_for(performance.id, ada, 2),
        lambda: book_for(performance.id, bruno, 2),
    )
    assert told[1] == "SoldOut"
    assert seats_held(performance.id) == (2, 2)


@pytest.mark.parametrize("_again", range(8))
def test_one_address_books_once_and_nobody_waits_for_ever(app: Flask, _again: int) -> None:
    performance, ada = a_performance(9), Guest("Ada", "ada@example.org", "en")
    told = at_once(
        app,
        lambda: rules.reserve(performance.id, a_visitor(ada.email), 2),
        lambda: book_for(performance.id, ada, 2),
    )
    assert told[0] == "booked", "a visitor is told nothing of the other booking"
    assert told[1] in ("booked", "AlreadyBooked")
    assert seats_held(performance.id) == (2, 2)


def test_negative_control_without_the_lock_before_the_key_they_deadlock(
    app: Flask,
    database: psycopg.Connection[Any],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The box office has the lock and wants the key of a visitor's row, which waits for the lock."""
    performance = a_performance(9)
    count = module.count_free
    visitors: list[Future[Any]] = []

    def book_as_visitor() -> None:
        with app.app_context():
            rules.reserve(performance.id, a_visitor("a@example.org"), 2)

    def count_and_let_the_visitor_book(*facts: Any) -> Any:
        visitors.append(other.submit(book_as_visitor))
        Race(app, database_url).stands(observer, visitors[0], waiting=1)
        return count(*facts)

    monkeypatch.setattr(module, "count_free", count_and_let_the_visitor_book)
    with (
        without_the_lock_before_the_key(database),
        psycopg.connect(database_url, autocommit=True) as observer,
        ThreadPoolExecutor(1) as other,
    ):
        told = ""
        try:
            book_for(performance.id, Guest("Ada", "a@example.org", "en"), 2)
        except OperationalError as error:
            told = str(error)
        told += str(visitors[0].exception())
    assert "deadlock detected" in told


@pytest.mark.parametrize(
    ("locked", "told"), [(True, "HouseSeatsGone"), (False, "done")], ids=["locked", "control"]
)
def test_house_seats_are_not_given_and_released_at_once(
    app: Flask, database_url: str, monkeypatch: pytest.MonkeyPatch, locked: bool, told: str
) -> None:
    performance = a_performance(6)
    kept = keep_back(performance.id, "Press", 4)
    critic = Guest("Ada", "ada@example.org", "en")
    if not locked:
        for name in ("_PERFORMANCE", "_RESERVATION"):
            monkeypatch.setattr(locks, name, without_its_lock(getattr(locks, name)))
    answers = Race(app, database_url).run(
        MAIL_GATE,
        lambda: book_for(performance.id, critic, 4, Terms(from_house=kept.id)),
        lambda: release_house_seats(kept.id, 3, seen=4),
    )
    assert answers[1] == told
    assert seats_held(performance.id) == (4, 4)

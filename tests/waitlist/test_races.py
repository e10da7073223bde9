"""Many at once: cancellations, offers, answers and bookings, on real connections."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from azionelab.bookings import rules
from azionelab.bookings.errors import BookingError, SoldOut
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.seats import holds
from azionelab.bookings.transitions import consequences
from azionelab.database import db, transaction
from azionelab.mail.models import MailKind
from azionelab.waitlist import line, offers
from azionelab.waitlist import rules as waitlist
from tests.bookings.test_locks import without_the_lock_before_the_key
from tests.factories import (
    a_performance,
    a_visitor,
    a_waiting_party,
    fresh,
    let_lapse,
    mails,
    seats_held,
)
from tests.support.processes import PATIENCE, eventually


@pytest.fixture
def by_day(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """An application without a night, so that tests do not depend on the time of day."""
    app = make_app(NIGHT_BEGINS="0", NIGHT_ENDS="0")
    with app.app_context():
        yield app


def a_sold_out_evening(parties: int, waiting: int) -> tuple[int, list[UUID], list[UUID]]:
    """A performance, its parties of one, and as many in line, by their ids."""
    performance_id = a_performance(parties).id
    booked = [a_party_of_one(performance_id) for _ in range(parties)]
    return performance_id, booked, [a_waiting_party(performance_id).id for _ in range(waiting)]


def a_party_of_one(performance_id: int) -> UUID:
    return rules.confirm(rules.reserve(performance_id, a_visitor(), 1, uuid4()).id).id


def offered(performance_id: int) -> list[UUID]:
    """Who was ever offered seats."""
    db.session.rollback()
    return list(
        db.session.scalars(
            select(Reservation.id).where(
                Reservation.performance_id == performance_id, Reservation.offered_at.is_not(None)
            )
        )
    )


def press(app: Flask, deed: Callable[[], object]) -> str:
    """What somebody is told who does something on a connection of their own."""
    with app.app_context():
        try:
            deed()
        except BookingError as refusal:
            return type(refusal).__name__
        return "done"


def answer(dice: random.Random, party: UUID) -> None:
    """One of those who were offered seats takes them, refuses, or lets the time pass."""
    match dice.choice(["take", "take", "refuse", "lapse"]):
        case "take":
            rules.confirm(party)
        case "refuse":
            waitlist.leave(party)
        case _:
            let_lapse(fresh(party))
            holds.expire_lapsed_holds()


def open_offers(app: Flask, performance_id: int) -> list[UUID]:
    with app.app_context():
        return [offer.id for offer in line.open_offers(performance_id)]


def test_a_hundred_wait_while_seats_come_free_and_are_booked(by_day: Flask) -> None:
    performance_id, booked, waiting = a_sold_out_evening(parties=20, waiting=100)
    dice = random.Random(1)
    leaving = dice.sample(waiting, 10)
    over = threading.Event()

    def answers(seed: int) -> None:
        own = random.Random(seed)
        while not over.is_set():
            for party in open_offers(by_day, performance_id):
                press(by_day, partial(answer, own, party))

    def book(_number: int) -> str:
        return press(by_day, lambda: rules.reserve(performance_id, a_visitor(), 1, uuid4()))

    with ThreadPoolExecutor(8) as crowd:
        answering = [crowd.submit(answers, seed) for seed in range(2)]
        cancelling = [crowd.submit(press, by_day, partial(rules.cancel, one)) for one in booked]
        left = [crowd.submit(press, by_day, partial(waitlist.leave, one)) for one in leaving]
        bookings = list(crowd.map(book, range(40)))
        told = [each.result() for each in (*cancelling, *left)]
        over.set()
        for each in answering:
            each.result()

    assert Counter(told) == {"done": 30}
    assert Counter(bookings) == {"SoldOut": 40}, "nobody jumps the line"
    held, live = seats_held(performance_id)
    assert held == live == 20, "no seat is over, and none is left while somebody waits"
    states = {party: fresh(party).state for party in waiting}
    had_offers = offered(performance_id)
    # Who let an offer lapse still waits, but only for seats near the curtain.
    in_line = [
        party for party in waiting if states[party] == State.WAITING and party not in had_offers
    ]
    first_in_line = waiting.index(in_line[0])
    assert all(waiting.index(party) < first_in_line for party in had_offers), "in order"
    assert all(party in had_offers or party in leaving for party in waiting[:first_in_line]), (
        "nobody is left out"
    )
    # Every offer was told once, and answered, passed on, or is open.
    for party in had_offers:
        assert mails(fresh(party)).count(MailKind.OFFER) == 1
    taken = [party for party in had_offers if states[party] in (State.CONFIRMED, State.PENDING)]
    assert len(taken) == 20


def test_negative_control_seats_that_are_offered_after_the_commit_go_to_the_fastest(
    by_day: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consequences, "_followers", [])
    performance_id, booked, waiting = a_sold_out_evening(parties=1, waiting=1)
    rules.cancel(booked[0])
    jumped = rules.reserve(performance_id, a_visitor(), 1, uuid4())
    offers.settle()
    assert (fresh(jumped.id).state, fresh(waiting[0]).state) == ("pending", "waiting")


def book_while_the_seat_is_offered(app: Flask, database: psycopg.Connection) -> tuple[str, UUID]:
    """Who waits books by the form as well, while a cancellation is about to offer the seat to the same address."""
    performance_id, _booked, waiting = a_sold_out_evening(parties=1, waiting=1)
    email = fresh(waiting[0]).email
    with ThreadPoolExecutor(1) as crowd:
        with transaction() as session:
            # Seats that the form has seen: it is about to take one.
            session.execute(
                text("UPDATE performance SET capacity = 3 WHERE id = :id"), {"id": performance_id}
            )
        with transaction() as session:
            session.execute(
                text("SELECT FROM performance WHERE id = :id FOR NO KEY UPDATE"),
                {"id": performance_id},
            )
            booking = crowd.submit(
                press, app, lambda: rules.reserve(performance_id, a_visitor(email), 1, uuid4())
            )
            waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            eventually(
                lambda: database.execute(waits).fetchone() == (1,), "the booking at the lock"
            )
            offers.pass_on(session, performance_id)
        told = booking.result(PATIENCE)
    return told, waiting[0]


def test_who_waits_and_books_at_the_same_time_has_one_booking(
    by_day: Flask, database: psycopg.Connection
) -> None:
    told, waiting = book_while_the_seat_is_offered(by_day, database)
    assert told == "done", "the mail says that there is an offer already"
    assert fresh(waiting).state == "pending"
    assert "existing" in mails(fresh(waiting))


def test_negative_control_without_the_lock_before_the_key_they_wait_for_each_other(
    by_day: Flask, database: psycopg.Connection
) -> None:
    with (
        without_the_lock_before_the_key(database),
        pytest.raises(OperationalError, match="deadlock"),
    ):
        book_while_the_seat_is_offered(by_day, database)
    db.session.rollback()


def test_a_seat_goes_to_one_of_two_who_cancel_and_take_at_once(by_day: Flask) -> None:
    """Two cancellations of one performance offer two seats to two parties, not both to the first."""
    performance_id, booked, waiting = a_sold_out_evening(parties=2, waiting=3)
    with ThreadPoolExecutor(2) as crowd:
        list(crowd.map(lambda one: press(by_day, lambda: rules.cancel(one)), booked))
    assert [fresh(one).state for one in waiting] == ["pending", "pending", "waiting"]
    with suppress(SoldOut):
        rules.reserve(performance_id, a_visitor(), 1, uuid4())
    assert seats_held(performance_id) == (2, 2)

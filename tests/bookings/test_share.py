"""Unconfirmed seats hold only a share of the house: beyond it, whoever confirms first gets them."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask

from azionelab.bookings import locks, performance_changes, rules
from azionelab.bookings.errors import HoldExpired, SoldOut
from azionelab.bookings.mails.texts import text_for
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.seats import bookable, holds
from azionelab.checkin.house.counts import house_counts
from azionelab.database import now
from azionelab.mail.models import MailKind
from azionelab.shows.models import Performance
from azionelab.shows.programme import find_listing
from tests.bookings.test_locks import Race, without_its_lock
from tests.factories import a_performance, a_visitor, change_capacity, fresh, let_lapse, seats_held
from tests.factories import visitor_token as token_of

ENGLISH = {"Accept-Language": "en"}
_networks = count(1)


@pytest.fixture
def shared(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """The application that holds half of a house for who has not confirmed."""
    app = make_app(UNCONFIRMED_PERCENT="50")
    with app.app_context():
        yield app


def book(
    performance: Performance, seats: int, *, email: str | None = None, key: Any = None
) -> Reservation:
    """Book from a network that nobody else books from."""
    network = f"2001:db8::{next(_networks):x}"
    visitor = rules.Visitor("Ada", email or a_visitor().email, "en", network)
    return rules.reserve(performance.id, visitor, seats, key or uuid4())


def seats_left(performance: Performance) -> int:
    """What the programme says."""
    told = find_listing(performance.id, now())
    assert told is not None
    return told.seats_left


@pytest.mark.parametrize(
    ("capacity", "share", "held"), [(12, "50", 6), (13, "50", 6), (14, "50", 7), (10, "100", 10)]
)
def test_half_of_the_house_is_held_and_the_rest_is_for_who_confirms(
    make_app: Callable[..., Flask], capacity: int, share: str, held: int
) -> None:
    with make_app(UNCONFIRMED_PERCENT=share).app_context():
        evening = a_performance(capacity=capacity)
        parties = [book(evening, 1) for _ in range(10)]
        assert [party.shown_as_held for party in parties] == [True] * held + [False] * (10 - held)
        assert [fresh(party.id).holds_seats for party in parties] == [
            party.shown_as_held for party in parties
        ]
        assert seats_held(evening.id) == (held, held)
        assert seats_left(evening) == capacity - held


def test_a_party_that_does_not_fit_into_the_share_leaves_it_to_a_smaller_one(
    shared: Flask,
) -> None:
    evening = a_performance(capacity=10)
    book(evening, 3)
    assert not book(evening, 3).shown_as_held
    assert book(evening, 2).shown_as_held
    assert seats_held(evening.id) == (5, 5)


def test_confirmed_seats_are_not_of_the_share(shared: Flask) -> None:
    evening = a_performance(capacity=12)
    for _ in range(2):
        party = book(evening, 6)
        assert party.shown_as_held
        rules.confirm(party.id)
    with pytest.raises(SoldOut):
        book(evening, 1)


def test_one_confirmed_seat_leaves_the_share_whole(shared: Flask) -> None:
    evening = a_performance(capacity=13)
    rules.confirm(book(evening, 1).id)
    assert book(evening, 6).shown_as_held
    assert not book(evening, 1).shown_as_held


def test_lapsed_cancelled_and_released_holds_make_room_in_the_share(shared: Flask) -> None:
    evening = a_performance(capacity=12)
    lapsed, cancelled = book(evening, 3), book(evening, 3)
    assert not book(evening, 3).shown_as_held
    let_lapse(lapsed)
    assert book(evening, 3).shown_as_held
    rules.cancel(cancelled.id)
    assert book(evening, 3).shown_as_held
    assert not book(evening, 1).shown_as_held


def test_the_box_office_always_holds(shared: Flask) -> None:
    evening = a_performance(capacity=10)
    for _ in range(2):
        assert rules.reserve(evening.id, a_visitor(), 5).shown_as_held
    assert seats_held(evening.id) == (10, 10)


def test_who_confirms_first_gets_the_seats(shared: Flask) -> None:
    evening = a_performance(capacity=12)
    holds = book(evening, 6)
    first, second, smaller = book(evening, 4), book(evening, 4), book(evening, 2)
    confirmed = rules.confirm(second.id)
    assert (confirmed.state, confirmed.holds_seats) == (State.CONFIRMED, True)
    assert fresh(second.id).holds_seats
    with pytest.raises(SoldOut) as refused:
        rules.confirm(first.id)
    assert refused.value.seats_left == 2
    rules.confirm(smaller.id)
    assert (
        rules.confirm(holds.id).state == State.CONFIRMED
    )  # whose seats were held waits for nobody
    assert seats_held(evening.id) == (12, 12)
    assert fresh(first.id).state == State.PENDING


def test_who_came_too_late_can_take_fewer_or_try_again(shared: Flask) -> None:
    evening = a_performance(capacity=12)
    lapses = book(evening, 6)
    fewer, again = book(evening, 5), book(evening, 5)
    rules.confirm(book(evening, 4).id)
    for party in (fewer, again):
        with pytest.raises(SoldOut):
            rules.confirm(party.id)
    rules.reduce_seats(fewer.id, 2)
    assert seats_held(evening.id) == (10, 10)
    rules.confirm(fewer.id)
    let_lapse(lapses)
    rules.confirm(again.id)
    assert fresh(lapses.id).state == State.EXPIRED
    assert seats_held(evening.id) == (11, 11)


def test_one_without_a_hold_ends_as_every_other(shared: Flask) -> None:
    evening = a_performance(capacity=12)
    book(evening, 6)
    cancelled, lapsed, waits, called_off = (book(evening, 3) for _ in range(4))
    assert rules.cancel(cancelled.id).state == State.CANCELLED
    let_lapse(lapsed)
    with pytest.raises(HoldExpired):
        rules.confirm(lapsed.id)
    assert seats_left(evening) == 6
    assert holds.expire_lapsed_holds() == 1
    assert seats_held(evening.id) == (6, 6)
    counts = house_counts([evening.id])[evening.id]
    assert (counts.pending, counts.without_hold, counts.free) == (6, 6, 6)
    assert change_capacity(evening.id, 6).capacity == 6
    rules.cancel(waits.id)
    assert performance_changes.cancel_performance(evening.id) == 2
    assert fresh(called_off.id).state == State.CANCELLED


def test_an_address_that_has_a_booking_is_told_what_a_new_one_would_be(shared: Flask) -> None:
    evening = a_performance(capacity=12)
    booked = book(evening, 6, email="ada@example.org")
    again = book(evening, 6, email="ada@example.org")
    assert (again.id, again.shown_as_held) == (booked.id, False)
    assert fresh(booked.id).holds_seats
    rules.confirm(booked.id)
    assert book(evening, 6, email="ada@example.org").shown_as_held


def test_the_same_press_is_told_the_same(shared: Flask) -> None:
    evening = a_performance(capacity=12)
    press = uuid4()
    assert book(evening, 6, email="ada@example.org", key=press).shown_as_held
    assert book(evening, 6, email="ada@example.org", key=press).shown_as_held
    late = uuid4()
    assert not book(evening, 2, email="late@example.org", key=late).shown_as_held
    assert not book(evening, 2, email="late@example.org", key=late).shown_as_held


def _at_once(app: Flask, attempts: int, act: Callable[[int], str]) -> Counter[str]:
    """So many at the same moment, each on a connection of its own."""
    start = threading.Barrier(attempts)

    def one(number: int) -> str:
        with app.app_context():
            start.wait()
            return act(number)

    with ThreadPoolExecutor(attempts) as crowd:
        return Counter(crowd.map(one, range(attempts)))


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "negative control"])
def test_no_race_passes_the_share(
    shared: Flask, database: psycopg.Connection[Any], guarded: bool
) -> None:
    evening = a_performance(capacity=60)

    def held(_number: int) -> str:
        return "held" if book(evening, 3).shown_as_held else "not held"

    if not guarded:
        database.execute("ALTER TABLE reservation DISABLE TRIGGER reservation_holds_seats")
    try:
        answers = _at_once(shared, 16, held)
    finally:
        database.execute("ALTER TABLE reservation ENABLE TRIGGER reservation_holds_seats")
    if guarded:
        assert answers == {"held": 10, "not held": 6}
        assert seats_held(evening.id) == (30, 30)
    else:
        assert answers["held"] > 10, "they did not meet"


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "negative control"])
def test_two_who_confirm_the_last_seats_at_once(
    shared: Flask, database_url: str, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    evening = a_performance(capacity=12)
    book(evening, 6)
    first, second = book(evening, 4), book(evening, 4)
    if not locked:
        monkeypatch.setattr(locks, "_PERFORMANCE", without_its_lock(locks._PERFORMANCE))
    told = Race(shared, database_url).run(
        "LOCK TABLE mail IN EXCLUSIVE MODE",
        lambda: rules.confirm(first.id),
        lambda: rules.confirm(second.id),
    )
    # Without the lock the constraint stands, but says so as no visitor could read it.
    assert told == ["done", "SoldOut" if locked else "ck_performance_capacity_held"]
    assert seats_held(evening.id) == (10, 10)


def test_the_database_refuses_to_hold_more_than_the_share(
    shared: Flask, database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    evening = a_performance(capacity=12)
    book(evening, 6)
    read = bookable.read_booking_facts
    stale = iter([6])

    def read_before_the_others(*asked: Any) -> Any:
        facts = read(*asked)
        return replace(facts, unconfirmed_left=next(stale, facts.unconfirmed_left))

    monkeypatch.setattr(rules, "read_booking_facts", read_before_the_others)
    assert not book(evening, 1).shown_as_held
    assert next(stale, None) is None
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="unconfirmed"):
        database.execute(
            "UPDATE reservation SET holds_seats = true WHERE NOT holds_seats"
            " AND performance_id = %s",
            [evening.id],
        )


def test_page_mail_and_api_say_that_the_seats_are_not_held(shared: Flask) -> None:
    evening = a_performance(capacity=12)
    book(evening, 6)
    client = shared.test_client()
    form = f"/performances/{evening.id}/book"
    page = client.get(form, headers=ENGLISH).text
    csrf = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    received = client.post(
        form,
        data={
            "csrf_token": csrf,
            "request_key": str(uuid4()),
            "name": "Grace Hopper",
            "email": "grace@example.org",
            "seats": "2",
            "consent": "y",
        },
        headers=ENGLISH | {"X-Forwarded-For": "198.51.100.1"},
        follow_redirects=True,
    )
    assert "They go to whoever confirms first." in received.text
    assert "We hold the seats" not in received.text

    told = client.post(
        f"/api/v1/performances/{evening.id}/reservations",
        json={"name": "B", "email": "b@example.org", "seats": 1, "consent": True},
    )
    assert told.json == {"status": "check_your_inbox", "hold_minutes": 30, "held": False}

    party = book(evening, 4)
    with shared.test_request_context(headers=ENGLISH):
        mail = text_for(MailKind.CONFIRM, fresh(party.id), {})
    assert "they go to whoever confirms first" in " ".join(mail.paragraphs)

    confirm = f"/bookings/confirm/{token_of(party)}"
    page = client.get(confirm, headers=ENGLISH).text
    assert "Confirm to get 4 seats" in page
    assert "held for you" not in page
    rules.confirm(book(evening, 4).id)
    assert (
        "Others confirmed before you: 2 seats are left."
        in client.get(confirm, headers=ENGLISH).text
    )
    assert (
        "if you confirm before others do"
        in client.get(confirm.replace("/confirm", ""), headers=ENGLISH).text
    )
    rules.confirm(book(evening, 2).id)
    assert "no seats are left at the moment" in client.get(confirm, headers=ENGLISH).text

"""Unconfirmed seats by network: at most so many, whoever books at the same time, and staff release them."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings import rules
from azionelab.bookings.errors import HoldExpired, SoldOut, TooManyUnconfirmed
from azionelab.bookings.models import Reservation
from azionelab.bookings.seats import holds
from azionelab.bookings.seats.network_holds import (
    network_key,
    network_limit,
    networks_of,
    release_network,
)
from azionelab.database import now
from azionelab.shows.models import Performance
from tests.factories import a_performance, a_visitor, fresh, let_lapse, seats_held

HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"


@pytest.fixture
def limited(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """The application with the limits of .env.example."""
    app = make_app(UNCONFIRMED_SEATS_PER_NETWORK="", UNCONFIRMED_PERCENT_PER_NETWORK="")
    with app.app_context():
        yield app


def book(performance: Performance, seats: int, network: str | None = HERE) -> Reservation:
    visitor = rules.Visitor("Ada", a_visitor().email, "en", network)
    return rules.reserve(performance.id, visitor, seats, uuid4())


def test_one_network_holds_so_many_and_others_are_served(limited: Flask) -> None:
    evening = a_performance(capacity=90)
    for _ in range(5):
        book(evening, 6)
    with pytest.raises(TooManyUnconfirmed) as refused:
        book(evening, 1)
    assert refused.value.held == 30
    assert refused.value.free_at > now()
    assert seats_held(evening.id) == (30, 30)
    book(evening, 6, ELSEWHERE)
    book(a_performance(capacity=90), 6)  # another evening is counted by itself


def test_confirmed_cancelled_and_lapsed_seats_count_no_more(limited: Flask) -> None:
    evening = a_performance(capacity=90)
    confirmed, cancelled, lapsed, *_ = [book(evening, 6) for _ in range(5)]
    for end in (
        lambda: rules.confirm(confirmed.id),
        lambda: rules.cancel(cancelled.id),
        lambda: let_lapse(lapsed),
    ):
        with pytest.raises(TooManyUnconfirmed):
            book(evening, 6)
        end()
        book(evening, 6)


def test_the_network_is_forgotten_when_the_booking_is_confirmed_or_ends(
    limited: Flask, database: psycopg.Connection[Any]
) -> None:
    evening = a_performance(capacity=90)
    pending, confirmed, cancelled, lapsed = (book(evening, 1) for _ in range(4))
    rules.confirm(confirmed.id)
    rules.cancel(cancelled.id)
    let_lapse(lapsed)
    holds.expire_lapsed_holds()
    kept = database.execute("SELECT id FROM reservation WHERE network IS NOT NULL").fetchall()
    assert [row.id for row in kept] == [pending.id]
    assert HERE.encode() not in network_key(evening.id, HERE)
    assert network_key(evening.id, HERE) != network_key(evening.id + 1, HERE)


def test_the_box_office_is_not_limited(limited: Flask) -> None:
    evening = a_performance(capacity=90)
    for _ in range(15):
        book(evening, 6, None)
    with pytest.raises(SoldOut):
        book(evening, 1, None)


@pytest.mark.parametrize(
    ("capacity", "party_limit", "limit"),
    [(90, 6, 30), (89, 6, 30), (88, 6, 29), (999, 6, 30), (30, 6, 10), (10, 6, 6), (90, 40, 40)],
)
def test_the_smaller_of_number_and_share_counts_but_one_party_fits(
    limited: Flask, capacity: int, party_limit: int, limit: int
) -> None:
    assert network_limit(capacity, party_limit) == limit


def _race(app: Flask, performance_id: int, attempts: int) -> Counter[str]:
    """So many bookings of one seat at the same moment, each on a connection of its own."""
    start = threading.Barrier(attempts)

    def one(number: int) -> str:
        visitor = rules.Visitor("Ada", f"race-{number}@example.org", "en", HERE)
        with app.app_context():
            start.wait()
            try:
                rules.reserve(performance_id, visitor, 3)
            except TooManyUnconfirmed:
                return "refused"
            return "booked"

    with ThreadPoolExecutor(attempts) as crowd:
        return Counter(crowd.map(one, range(attempts)))


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "negative control"])
def test_no_race_passes_the_limit(
    limited: Flask, database: psycopg.Connection[Any], guarded: bool
) -> None:
    evening = a_performance(capacity=90)
    if not guarded:
        database.execute("ALTER TABLE reservation DISABLE TRIGGER reservation_holds_seats")
    try:
        answers = _race(limited, evening.id, 16)
    finally:
        database.execute("ALTER TABLE reservation ENABLE TRIGGER reservation_holds_seats")
    assert answers == ({"booked": 10, "refused": 6} if guarded else {"booked": 16})


def test_the_api_says_when_to_try_again(limited: Flask) -> None:
    evening = a_performance(capacity=90)
    client = limited.test_client()

    def ask(number: int) -> Any:
        return client.post(
            f"/api/v1/performances/{evening.id}/reservations",
            json={"name": "A", "email": f"a{number}@example.org", "seats": 6, "consent": True},
            headers={"Accept-Language": "en"},
        )

    assert [ask(number).status_code for number in range(5)] == [202] * 5
    refused = ask(5)
    assert refused.status_code == 409
    assert refused.json["type"] == "/api/problems/too-many-unconfirmed"
    assert "confirm those from their e-mails first" in refused.json["detail"]
    assert 0 < int(refused.headers["Retry-After"]) <= 30 * 60


def test_the_form_says_when_to_try_again_and_keeps_what_was_typed(limited: Flask) -> None:
    evening = a_performance(capacity=90)
    for _ in range(5):
        book(evening, 6, "127.0.0.1")
    client: FlaskClient = limited.test_client()
    address = f"/performances/{evening.id}/book"
    page = client.get(address, headers={"Accept-Language": "en"}).text
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    key: UUID = uuid4()
    refused = client.post(
        address,
        data={
            "csrf_token": token,
            "request_key": str(key),
            "name": "Grace Hopper",
            "email": "grace@example.org",
            "seats": "2",
            "consent": "y",
        },
        headers={"Accept-Language": "en"},
    )
    assert refused.status_code == 409
    assert "are waiting for confirmation" in refused.text
    assert "Grace Hopper" in refused.text
    assert 0 < int(refused.headers["Retry-After"]) <= 30 * 60


def test_what_a_network_holds_is_released_at_once(limited: Flask) -> None:
    evening = a_performance(capacity=90)
    held = [book(evening, 6) for _ in range(3)]
    other = book(evening, 2, ELSEWHERE)
    rules.confirm(held[0].id)
    first, second = networks_of(evening.id)
    assert (first.parties, first.seats, second.parties, second.seats) == (2, 12, 1, 2)
    released = release_network(evening.id, first.key)
    assert released == first
    assert seats_held(evening.id) == (8, 8)
    assert [fresh(party.id).state for party in (*held, other)] == [
        "confirmed",
        "expired",
        "expired",
        "pending",
    ]
    with pytest.raises(HoldExpired):
        rules.confirm(held[1].id)
    assert release_network(evening.id, first.key) is None

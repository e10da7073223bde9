"""Fifteen requests shall not empty a house: the attack over HTTP, and what a real visitor still gets."""

import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import psycopg
import pytest

from azionelab.bookings import rules
from azionelab.bookings.seats import holds
from tests.conftest import Site, served
from tests.factories import a_performance, seats_held
from tests.support.processes import PATIENCE, free_port

pytestmark = pytest.mark.usefixtures("in_app")

HOUSE, PARTY, REQUESTS = 90, 6, 15
MOST = 30  # unconfirmed seats of one network, by default
_numbers = count(1)


@pytest.fixture(scope="module")
def site(
    database_url: str, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The site with the limits of .env.example, behind a proxy that says who asks."""
    own = {
        "SITE_BASE_URL": f"http://127.0.0.1:{free_port()}",
        "TRUSTED_PROXIES": "1",
        "BOOKING_RATE_LIMIT": "",
        "UNCONFIRMED_SEATS_PER_NETWORK": "",
        "UNCONFIRMED_PERCENT_PER_NETWORK": "",
        "UNCONFIRMED_PERCENT": "",
    }
    with served(settings | own, tmp_path_factory.mktemp("site") / "gunicorn.log") as site:
        yield site


def book(site: Site, performance_id: int, address: str, seats: int) -> int:
    """Book from an address on the network, with an e-mail address made up; the status."""
    booking = {
        "name": "Nobody",
        "email": f"made-up-{next(_numbers)}@example.org",
        "seats": seats,
        "consent": True,
    }
    asked = urllib.request.Request(
        f"{site.url}/api/v1/performances/{performance_id}/reservations",
        json.dumps(booking).encode(),
        {"Content-Type": "application/json", "X-Forwarded-For": address},
    )
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def attack(site: Site, performance_id: int, addresses: list[str]) -> Counter[int]:
    """Fifteen bookings of six at once, from these addresses in turn."""
    with ThreadPoolExecutor(REQUESTS) as script:
        return Counter(
            script.map(
                lambda n: book(site, performance_id, addresses[n % len(addresses)], PARTY),
                range(REQUESTS),
            )
        )


def half_an_hour_later(database: psycopg.Connection[Any]) -> None:
    """Let half an hour pass, by the clock of all that was written."""
    database.execute("""
        UPDATE reservation SET created_at = created_at - interval '30 minutes',
            hold_expires_at = hold_expires_at - interval '30 minutes'
    """)
    database.execute("UPDATE rate_count SET ends_at = ends_at - interval '30 minutes'")


def test_who_attacks_every_half_hour_from_one_network_leaves_the_house_to_others(
    site: Site, database: psycopg.Connection[Any]
) -> None:
    evening = a_performance(capacity=HOUSE)
    for hour in range(3):
        assert attack(site, evening.id, ["203.0.113.66"]) == {202: 5, 409: 10}
        assert seats_held(evening.id)[0] == MOST + 2 * hour
        visitor = f"198.51.100.{hour}"
        assert book(site, evening.id, visitor, 2) == 202
        database.execute(
            "UPDATE reservation SET state = 'confirmed', confirmed_at = now() WHERE seats = 2"
        )
        half_an_hour_later(database)


def test_a_school_class_books_while_the_attack_goes_on(site: Site) -> None:
    evening = a_performance(capacity=HOUSE)
    attack(site, evening.id, ["203.0.113.66"])
    with ThreadPoolExecutor(8) as classroom:
        answers = classroom.map(lambda _: book(site, evening.id, "198.51.100.7", 1), range(28))
        assert Counter(answers) == {202: 28}
    # What a real visitor still gets.
    assert book(site, evening.id, "192.0.2.1", PARTY) == 202


@pytest.mark.parametrize(
    ("addresses", "networks"),
    [
        ([f"2001:db8:0:1::{n:x}" for n in range(1, 71)], 1),
        ([f"2001:db8:0:{n}::1" for n in (1, 2)], 2),
        (["203.0.113.66", "::ffff:203.0.113.66"], 1),
        (["203.0.113.66", "203.0.113.67"], 2),
    ],
    ids=["one /64", "two /64s", "IPv4 and mapped", "two IPv4s"],
)
def test_each_network_holds_so_many_and_no_more(
    site: Site, addresses: list[str], networks: int
) -> None:
    evening = a_performance(capacity=2 * HOUSE)
    answers = attack(site, evening.id, addresses)
    assert answers == {202: 5 * networks, 409: REQUESTS - 5 * networks}
    assert seats_held(evening.id)[0] == MOST * networks
    assert book(site, evening.id, "192.0.2.1", PARTY) == 202


def test_who_attacks_from_many_networks_empties_half_of_the_house_at_most(
    site: Site, database: psycopg.Connection[Any]
) -> None:
    evening = a_performance(capacity=HOUSE)
    for network in range(10):
        attack(site, evening.id, [f"203.0.113.{network}"])
    assert seats_held(evening.id)[0] == HOUSE // 2 // PARTY * PARTY
    # What real visitors still get: all the rest of the house, as fast as they confirm.
    parties = (HOUSE - seats_held(evening.id)[0]) // PARTY
    for visitor in range(parties):
        assert book(site, evening.id, f"198.51.100.{visitor}", PARTY) == 202
        newest = database.execute(
            "SELECT id FROM reservation ORDER BY created_at DESC LIMIT 1"
        ).fetchone()
        rules.confirm(newest.id)
    assert seats_held(evening.id)[0] == HOUSE
    # The made-up ones are confirmed by nobody, and after half an hour hold nothing.
    half_an_hour_later(database)
    assert holds.expire_lapsed_holds() == 50
    assert seats_held(evening.id)[0] == parties * PARTY

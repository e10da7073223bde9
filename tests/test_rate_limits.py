"""Rate limits hold across processes, count by network, and store no address."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from flask import Flask
from limits import parse

from azionelab.web.rate_limits import RateCounts, delete_ended_windows, network_of
from tests.api.expect import BOOKING

LIMIT = parse("10 per minute")


def several_processes(app: Flask, tries: int, counts: Callable[[int], RateCounts]) -> int:
    """How many of `tries` at once are allowed, each counted by what a process knows."""

    def attempt(number: int) -> bool:
        with app.app_context():
            return counts(number).hit(LIMIT, "test", "198.51.100.7") is None

    with ThreadPoolExecutor(8) as crowd:
        return sum(crowd.map(attempt, range(tries)))


def test_a_limit_holds_across_processes(app: Flask) -> None:
    processes = [RateCounts() for _ in range(4)]
    assert several_processes(app, 60, lambda number: processes[number % 4]) == 10


def test_the_limit_is_held_by_the_shared_table(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: with keys of its own for each process, each allows the whole limit."""
    processes = [RateCounts() for _ in range(4)]
    for number, process in enumerate(processes):
        hit = process.hit
        monkeypatch.setattr(
            process, "hit", lambda limit, *who, n=number, hit=hit: hit(limit, *who, f"process {n}")
        )
    assert several_processes(app, 60, lambda number: processes[number % 4]) == 40


def test_requests_over_the_limit_write_nothing(
    in_app: Flask, database: psycopg.Connection[Any]
) -> None:
    counts = RateCounts()
    for _ in range(30):
        counts.hit(LIMIT, "test", "198.51.100.7")
    assert database.execute("SELECT tries FROM rate_count").fetchall() == [(11,)]


def test_a_new_window_begins_when_the_last_is_over(
    in_app: Flask, database: psycopg.Connection[Any]
) -> None:
    for _ in range(11):
        RateCounts().hit(LIMIT, "test", "198.51.100.7")
    assert RateCounts().hit(LIMIT, "test", "198.51.100.7") is not None
    database.execute("UPDATE rate_count SET ends_at = now()")
    assert RateCounts().hit(LIMIT, "test", "198.51.100.7") is None
    assert database.execute("SELECT tries FROM rate_count").fetchall() == [(1,)]


def test_ended_windows_are_deleted(in_app: Flask, database: psycopg.Connection[Any]) -> None:
    for address in ("198.51.100.7", "198.51.100.8"):
        RateCounts().hit(LIMIT, "test", address)
    database.execute(
        "UPDATE rate_count SET ends_at = now() WHERE key = (SELECT key FROM rate_count ORDER BY key LIMIT 1)"
    )
    delete_ended_windows()
    assert database.execute("SELECT count(*) FROM rate_count").fetchone() == (1,)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("198.51.100.7", "198.51.100.8", False),
        ("198.51.100.7", "::ffff:198.51.100.7", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("198.51.100.7", "198.51.100.7:40123", True),
        ("198.51.100.7:40123", "198.51.100.8:40123", False),
        ("2001:db8:1:2::1", "[2001:db8:1:2::2]:443", True),
        ("2001:db8:1:2::1", "[2001:db8:1:2::2]", True),
        ("unknown", "_hidden", True),
        ("unknown", "1" * 5_000, True),
        ("unknown", "198.51.100.7%eth0", True),
        ("unknown", "198.51.100.7", False),
    ],
)
def test_a_network_is_one_visitors_range(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


def test_all_addresses_of_an_ipv6_network_share_a_limit(
    make_app: Callable[..., Flask], database: psycopg.Connection[Any]
) -> None:
    app = make_app(BOOKING_RATE_LIMIT="3 per minute")

    def book(address: str) -> int:
        path = "/api/v1/performances/1/reservations"
        answer = app.test_client().post(path, json=BOOKING, environ_base={"REMOTE_ADDR": address})
        return answer.status_code

    assert [book(f"2001:db8::{n}") for n in range(1, 6)] == [404, 404, 404, 429, 429]
    assert book("2001:db8:0:1::1") == 404
    kept = database.execute("SELECT encode(key, 'escape') FROM rate_count").fetchall()
    assert not any("2001" in key for (key,) in kept)


@pytest.mark.parametrize(
    ("forwarded", "limited"),
    [
        ("192.0.2.7", False),
        ("192.0.2.7:40123", False),
        ("::ffff:192.0.2.7", False),
        ("198.51.100.7:40123", True),
        ("unknown", True),
        ("192.0.2.7, unknown", True),
    ],
)
def test_a_booking_is_limited_by_any_forwarded_address(
    make_app: Callable[..., Flask], forwarded: str, limited: bool
) -> None:
    app = make_app(
        BOOKING_RATE_LIMIT="1 per minute", BOX_OFFICE_NETWORKS="192.0.2.0/24", TRUSTED_PROXIES="1"
    )
    path = "/api/v1/performances/1/reservations"

    def book() -> int:
        headers = {"X-Forwarded-For": forwarded}
        return app.test_client().post(path, json=BOOKING, headers=headers).status_code

    assert [book(), book()] == [404, 429 if limited else 404]


@pytest.mark.parametrize("host", ["a" * 300, "a..b"])
@pytest.mark.parametrize("path", ["/", "/api/v1/performances", "/nowhere"])
def test_an_invalid_host_name(make_app: Callable[..., Flask], host: str, path: str) -> None:
    answer = (
        make_app(FLASK_DEBUG="true", ALLOWED_HOSTS="")
        .test_client()
        .get(path, headers={"Host": host})
    )
    assert (answer.status_code, answer.text) == (400, "Unknown host name\n")

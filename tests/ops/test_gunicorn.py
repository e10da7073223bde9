"""gunicorn's Connection header matches what it does with the connection."""

import http.client
import json
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.conftest import Site
from tests.factories import a_performance
from tests.support.processes import PATIENCE


@pytest.fixture
def connection(live_site: Site) -> Iterator[http.client.HTTPConnection]:
    """One connection to the site, which is not opened again behind the test's back."""
    site = http.client.HTTPConnection(urlsplit(live_site.url).netloc, timeout=PATIENCE)
    site.connect()
    site.auto_open = False
    yield site
    site.close()


def post(site: http.client.HTTPConnection, body: object, **headers: str) -> tuple[int, str | None]:
    """Send a booking to the API; the answer's status, and what it says of the connection."""
    chunked = not isinstance(body, bytes)
    # The site may have answered and hung up while the rest is still being sent.
    with suppress(BrokenPipeError, ConnectionResetError):
        site.request(
            "POST",
            "/api/v1/performances/1/bookings",
            body,  # type: ignore[arg-type]
            {"Content-Type": "application/json", **headers},
            encode_chunked=chunked,
        )
    answer = site.getresponse()
    answer.read()
    return answer.status, answer.getheader("Connection")


@pytest.mark.usefixtures("in_app")
def test_a_too_large_body_closes_the_connection_with_notice(
    connection: http.client.HTTPConnection,
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", f"/performances/{a_performance().id}/book", b"x" * 300_000, form)
    answer = connection.getresponse()
    answer.read()
    assert (answer.status, answer.getheader("Connection")) == (413, "close")


@pytest.mark.parametrize("size", [100_000, 300_000])
def test_an_unread_body_closes_the_connection(
    connection: http.client.HTTPConnection, size: int
) -> None:
    assert post(connection, b"x" * size) == (404, "close")


def test_a_body_of_unknown_length_closes_the_connection(
    connection: http.client.HTTPConnection,
) -> None:
    assert post(connection, iter([b"x" * 100_000]))[1] == "close"


def test_a_refused_booking_keeps_the_connection(connection: http.client.HTTPConnection) -> None:
    for _ in range(2):
        assert post(connection, json.dumps({"seats": "two"}).encode())[1] == "keep-alive"
    assert post(connection, b"x" * 64_000)[1] == "keep-alive"
    assert post(connection, b"{}")[1] == "keep-alive"

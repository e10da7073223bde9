"""nginx's rate limits for booking, login and API, and the box office's exemption."""

import json
from collections.abc import Callable

import pytest
from flask import Flask

from tests.api.expect import BOOKING
from tests.support.nginx import Answer, Echo, Nginx

BOX_OFFICE = "127.0.0.7"


@pytest.fixture
def strict(start_nginx: Callable[..., Nginx], echo: Echo) -> Nginx:
    """nginx with limits that the second or third request meets."""
    return start_nginx(
        BACKEND=f"127.0.0.1:{echo.port}",
        BOOKING_RATE="1 per minute",
        LOGIN_RATE="1 per minute",
        API_RATE="1 per minute",
        DOOR_RATE="4 per minute",
        BOX_OFFICE_NETWORKS=f"{BOX_OFFICE}/32, 2001:db8::/32",
    )


def post(nginx: Nginx, path: str, times: int, source: str = "127.0.0.1") -> list[Answer]:
    return [nginx.fetch(path, "POST", body=b"", source=source) for _ in range(times)]


@pytest.mark.parametrize(
    "path", ["/performances/1/book", "/it/performances/1/book", "/staff/login", "/staff/reset"]
)
def test_posting_too_often_gets_429(strict: Nginx, echo: Echo, path: str) -> None:
    answers = post(strict, path, 4)
    assert [answer.status for answer in answers] == [200, 200, 429, 429]
    assert len(echo.requests) == 2
    assert answers[3].headers["retry-after"] == "60"
    assert "Troppe richieste dalla vostra rete" in answers[3].text
    assert "Too many requests" in answers[3].text
    assert strict.fetch(path).status == 200, "looking is not sending"
    assert post(strict, path, 1, source="127.0.0.8")[0].status == 200, "another address"


def test_bookings_and_logins_have_separate_limits(strict: Nginx, echo: Echo) -> None:
    assert post(strict, "/performances/1/book", 3)[2].status == 429
    assert post(strict, "/staff/login", 1)[0].status == 200


def test_the_api_gets_429_with_problem_details(strict: Nginx, echo: Echo) -> None:
    answers = [strict.fetch("/api/v1/performances") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].headers["content-type"] == "application/problem+json"
    assert answers[2].headers["retry-after"] == "60"
    assert '"status":429' in answers[2].text


def test_phones_at_the_door_have_a_separate_limit(strict: Nginx, echo: Echo) -> None:
    assert [strict.fetch("/api/v1/performances").status for _ in range(3)][-1] == 429
    answers = post(strict, "/api/v1/checkin/performances/1/sync", 7)
    assert [answer.status for answer in answers] == [200] * 5 + [429] * 2
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert len(echo.requests) == 2 + 5


def test_booking_by_the_api_counts_as_booking(
    start_nginx: Callable[..., Nginx], echo: Echo
) -> None:
    nginx = start_nginx(BACKEND=f"127.0.0.1:{echo.port}", BOOKING_RATE="1 per minute")
    assert post(nginx, "/performances/1/book", 2)[1].status == 200
    (refused,) = post(nginx, "/api/v1/performances/1/reservations", 1)
    assert refused.status == 429
    assert refused.headers["content-type"] == "application/problem+json"


def test_the_box_office_is_never_limited(strict: Nginx, echo: Echo) -> None:
    for path in ("/performances/1/book", "/staff/login", "/api/v1/performances/1/reservations"):
        answers = post(strict, path, 20, source=BOX_OFFICE)
        assert {answer.status for answer in answers} == {200}


def test_the_application_sees_the_same_box_office(
    start_nginx: Callable[..., Nginx], start_site: Callable[..., tuple[str, object]], app: Flask
) -> None:
    address, _ = start_site(BOOKING_RATE_LIMIT="1 per hour", BOX_OFFICE_NETWORKS=BOX_OFFICE)
    nginx = start_nginx(BACKEND=address, BOOKING_RATE="1000 per second")

    def book(source: str) -> int:
        path, body = "/api/v1/performances/1/reservations", json.dumps(BOOKING).encode()
        headers = {"Content_Type": "application/json"}
        return nginx.fetch(path, "POST", body=body, source=source, **headers).status

    assert [book("127.0.0.1") for _ in range(3)] == [404, 429, 429]
    assert [book(BOX_OFFICE) for _ in range(3)] == [404, 404, 404]

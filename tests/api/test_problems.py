"""Whatever goes wrong under /api/ is told as RFC 9457 says, and tells nothing personal."""

import logging
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.expect import BOOKING, assert_problem
from tests.factories import a_performance
from tests.support.processes import free_port


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/nothing",
        "/api/v1/performances/7",
        "/api/v1/performances/-1",
        f"/api/v1/performances/{2**31}",
        "/api/v1/performances/" + "9" * 5000,
    ],
)
def test_nothing_there(client: FlaskClient, path: str) -> None:
    assert_problem(client.get(path), 404)


def test_a_wrong_method_is_told_the_right_ones(client: FlaskClient) -> None:
    answer = client.put("/api/v1/performances/1/reservations")
    assert_problem(answer, 405)
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("body", "mimetype", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff\xfe{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"1" * 5_000, "application/json", 400),
        (b"name=Ada&seats=1", "application/x-www-form-urlencoded", 415),
        (b'{"name": "Ada"}', "text/plain", 415),
        (b'"' + b"x" * 1_000_000 + b'"', "application/json", 413),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'"text"', "application/json", 422),
    ],
)
def test_bodies_that_are_none(client: FlaskClient, body: bytes, mimetype: str, status: int) -> None:
    answer = client.post("/api/v1/performances/1/reservations", data=body, content_type=mimetype)
    assert_problem(answer, status, "invalid-fields" if status == 422 else None)


def test_too_many_requests_are_told_when_to_come_back(make_app: Callable[..., Flask]) -> None:
    client = make_app(BOOKING_RATE_LIMIT="2 per hour").test_client()
    address = "/api/v1/performances/1/reservations"
    mistakes = [client.post(address, json=BOOKING | {"seats": 0}) for _ in range(3)]
    assert [answer.status_code for answer in mistakes] == [422] * 3
    seen = [client.post(address, json=BOOKING) for _ in range(3)]
    assert [answer.status_code for answer in seen[:2]] == [404, 404]
    assert_problem(seen[2], 429)
    assert int(seen[2].headers["Retry-After"]) > 0


def test_a_database_that_is_away_is_told_as_busy(make_app: Callable[..., Flask]) -> None:
    nowhere = f"postgresql://theatre:pw@127.0.0.1:{free_port()}/theatre"
    client = make_app(DATABASE_URL=nowhere).test_client()
    for answer in (
        client.get("/api/v1/performances"),
        client.post("/api/v1/performances/1/reservations", json=BOOKING),
    ):
        assert_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0


def test_a_fault_of_ours_tells_nothing_about_the_visitor(
    app: Flask,
    client: FlaskClient,
    database: psycopg.Connection[Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with app.app_context():
        performance = a_performance()
    database.execute("ALTER TABLE reservation RENAME TO mislaid")
    try:
        with caplog.at_level(logging.DEBUG):
            answer = client.post(
                f"/api/v1/performances/{performance.id}/reservations", json=BOOKING
            )
    finally:
        database.execute("ALTER TABLE mislaid RENAME TO reservation")
    assert_problem(answer, 500)
    assert "ProgrammingError" in caplog.text
    for text in (caplog.text, answer.text):
        assert "Ada" not in text
        assert "ada@" not in text


def test_pages_keep_their_own_errors(client: FlaskClient) -> None:
    assert client.get("/nothing").mimetype == "text/html"


def test_all_of_a_problem_is_in_one_language(
    client: FlaskClient, door_headers: dict[str, str]
) -> None:
    """Each thing that can be wrong with a field is said in another way to an Italian."""
    booking = "/api/v1/performances/1/reservations"
    scans = "/api/v1/checkin/performances/1/scans"
    parties = "/api/v1/checkin/performances/1/parties"
    wrong: list[tuple[str, Any]] = [
        (booking, {"surprise": 1, "seats": 0, "consent": False, "locale": "fr"}),
        (booking, {"name": "", "email": "ada", "seats": "2", "consent": None, "locale": 1}),
        (booking, {"name": None, "email": "", "seats": 1.5, "consent": 1, "locale": None}),
        (booking, []),
        (scans, {"scan_id": "1", "code": "", "people": 0, "seen": -1, "door": "x" * 61}),
        (scans, {"scan_id": None, "code": 1, "people": 10**30, "seen": True, "door": "\0"}),
        (parties, {"query": "a"}),
        (parties, {"query": "a\nb"}),
    ]

    def told(language: str) -> list[tuple[str, str]]:
        answers = [
            client.post(
                address,
                json=body,
                headers=door_headers | {"Accept-Language": language, "Idempotency-Key": "none"},
            )
            for address, body in wrong
        ]
        problems = [assert_problem(answer, 422, "invalid-fields") for answer in answers]
        details = [("", problem["detail"]) for problem in problems]
        return details + [
            (error["field"], error["detail"]) for problem in problems for error in problem["errors"]
        ]

    for english, italian in zip(told("en"), told("it"), strict=True):
        assert english[0] == italian[0]
        assert english[1] != italian[1]
    said = dict(told("it"))
    assert said["people"] == "Deve essere compreso tra 1 e 1000."

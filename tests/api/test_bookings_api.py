"""Booking through the API: the rules of the form, told to programs."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings.models import MAX_NAME
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.database import now
from tests.api.expect import BOOKING, assert_problem
from tests.factories import a_party, a_performance


def book(client: FlaskClient, performance_id: int, key: Any = None, **changes: Any) -> Any:
    body = {name: value for name, value in (BOOKING | changes).items() if value is not None}
    headers = {"Idempotency-Key": str(key)} if key else {}
    address = f"/api/v1/performances/{performance_id}/reservations"
    return client.post(address, json=body, headers=headers)


@pytest.fixture
def evening(app: Flask) -> int:
    with app.app_context():
        return a_performance(capacity=10, party_limit=4).id


def bookings(database: psycopg.Connection[Any]) -> list[Any]:
    return database.execute("SELECT * FROM reservation ORDER BY created_at").fetchall()


def test_a_booking_is_held_and_its_mail_enqueued(
    client: FlaskClient, evening: int, database: psycopg.Connection[Any]
) -> None:
    answer = book(client, evening, name="  Ada   Rossi ", locale="it")
    assert answer.status_code == 202
    assert answer.json == {"status": "check_your_inbox", "hold_minutes": 30, "held": True}
    assert answer.headers["Cache-Control"] == "no-store"
    (made,) = bookings(database)
    assert (made.name, made.email, made.seats) == ("Ada Rossi", "ada@example.org", 2)
    assert (made.state, made.locale) == ("pending", "it")
    mails = database.execute("SELECT reservation_id, kind FROM mail").fetchall()
    assert mails == [(made.id, "confirm")]


def test_the_mails_speak_the_callers_language_unless_told(
    client: FlaskClient, evening: int, database: psycopg.Connection[Any]
) -> None:
    address = f"/api/v1/performances/{evening}/reservations"
    client.post(address, json=BOOKING, headers={"Accept-Language": "en-GB"})
    (made,) = bookings(database)
    assert made.locale == "en"


def test_the_same_key_is_one_booking(
    client: FlaskClient, evening: int, database: psycopg.Connection[Any]
) -> None:
    key = uuid4()
    first, again = book(client, evening, key), book(client, evening, key)
    assert (first.status_code, first.json) == (again.status_code, again.json)
    assert len(bookings(database)) == 1
    assert database.execute("SELECT count(*) FROM mail").fetchone() == (1,)


def test_a_stranger_does_not_learn_who_has_booked(
    app: Flask, client: FlaskClient, evening: int, database: psycopg.Connection[Any]
) -> None:
    new, known = book(client, evening), book(client, evening, name="Somebody Else", seats=1)
    assert (new.status_code, new.json) == (known.status_code, known.json)
    (made,) = bookings(database)
    assert (made.name, made.seats) == ("Ada Rossi", 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * (MAX_NAME + 1)),
        ("name", "Ada\0"),
        ("name", "Ada\nBcc: all@example.org"),
        ("name", "Ada \ud800"),
        ("name", 7),
        ("name", None),
        ("email", "ada"),
        ("email", "ada@example.org\n"[::-1]),
        ("email", "a" * 300 + "@example.org"),
        ("email", "\ud800@example.org"),
        ("email", None),
        ("seats", 0),
        ("seats", -1),
        ("seats", "2"),
        ("seats", "two"),
        ("seats", 1.5),
        ("seats", True),
        ("seats", None),
        ("consent", False),
        ("consent", "true"),
        ("consent", 1),
        ("consent", None),
        ("locale", "fr"),
        ("surprise", "x"),
    ],
)
def test_a_wrong_field_is_named(
    client: FlaskClient,
    evening: int,
    database: psycopg.Connection[Any],
    field: str,
    value: object,
) -> None:
    told = assert_problem(book(client, evening, **{field: value}), 422, "invalid-fields")
    assert [error["field"] for error in told["errors"]] == [field]
    assert told["errors"][0]["detail"]
    assert bookings(database) == []


@pytest.mark.parametrize(
    "name", ["ليلى بن علي", "אבי", "🎭 Ada", "زینت\u200cنور", "क्\u200dष", "李"]
)
def test_every_name_is_a_name(
    client: FlaskClient, evening: int, database: psycopg.Connection[Any], name: str
) -> None:
    assert book(client, evening, name=name).status_code == 202
    assert bookings(database)[0].name == name


@pytest.mark.parametrize("key", ["1", "not-a-uuid", "x" * 5000])
def test_a_key_that_is_no_uuid_is_refused(client: FlaskClient, evening: int, key: str) -> None:
    told = assert_problem(book(client, evening, key), 422, "invalid-fields")
    assert [error["field"] for error in told["errors"]] == ["Idempotency-Key"]


def test_the_form_and_the_api_refuse_in_the_same_words(client: FlaskClient, evening: int) -> None:
    address = f"/api/v1/performances/{evening}/reservations?lang=en"
    told = client.post(address, json=BOOKING | {"name": ""}).json
    assert told["errors"][0]["detail"] == "Please enter your name."


@pytest.mark.parametrize("seats", [5, 10**9, 10**30])
def test_a_party_can_be_too_large(client: FlaskClient, evening: int, seats: int) -> None:
    told = assert_problem(book(client, evening, seats=seats), 422, "party-too-large")
    assert told["limit"] == 4
    assert [error["field"] for error in told["errors"]] == ["seats"]


def test_a_house_can_be_sold_out(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        performance = a_performance(capacity=3)
        a_party(performance, seats=2)
    told = assert_problem(book(client, performance.id, seats=2), 409, "sold-out")
    assert told["seats_left"] == 1


def test_booking_can_be_not_yet_open(app: Flask, client: FlaskClient) -> None:
    opens_at = now().replace(microsecond=0) + timedelta(hours=2)
    with app.app_context():
        performance = a_performance(booking_opens_at=opens_at)
    told = assert_problem(book(client, performance.id), 409, "booking-closed")
    assert told["window"] == "not_yet_open"
    assert datetime.fromisoformat(told["opens_at"]) == opens_at


def test_booking_can_be_over(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        past = a_performance(starts_at=now() - timedelta(hours=2))
        cancelled = a_performance()
        cancel_performance(cancelled.id)
    for performance, window in ((past, "past"), (cancelled, "cancelled")):
        told = assert_problem(book(client, performance.id), 409, "booking-closed")
        assert told["window"] == window
        assert "opens_at" not in told


def test_what_is_not_in_the_programme_cannot_be_booked(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        hidden = a_performance(published=False)
    for performance_id in (hidden.id, 2**31 - 1, 0):
        assert_problem(book(client, performance_id), 404)

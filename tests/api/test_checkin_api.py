"""The door's API: by token only; a party enters once."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.staff.tokens import Scope, issue_token, revoke_token
from tests.api.expect import assert_problem
from tests.factories import a_party, a_performance, ticket_token

REQUESTS = [
    ("GET", "/1"),
    ("POST", "/1/scans"),
    ("DELETE", "/1/scans/7d444840-9dc0-11d1-b245-5ffdce74fad2"),
    ("POST", "/1/parties"),
]


@pytest.fixture
def house(app: Flask) -> Any:
    """A performance with a confirmed party of three and one that is only held."""
    with app.app_context():
        performance = a_performance(capacity=10)
        party = a_party(performance, seats=3, name="Ada Rossi")
        a_party(performance, seats=2, name="Bruno Bianchi", confirmed=False)
        return performance.id, party.reference, ticket_token(party)


def scan(door: Any, evening: int, code: str, /, **facts: Any) -> Any:
    body = {"scan_id": str(uuid4()), "code": code} | facts
    return door("post", f"/{evening}/scans", json=body)


@pytest.mark.parametrize(("method", "path"), REQUESTS)
def test_nobody_comes_near_without_a_token(
    app: Flask, client: FlaskClient, method: str, path: str
) -> None:
    with app.app_context():
        _, expired = issue_token("Expired", Scope.DOOR, hours=-1)
        token, revoked = issue_token("Lost", Scope.DOOR, hours=1)
        revoke_token(token.id)
    address = f"/api/v1/checkin/performances{path}"
    answer = client.open(address, method=method)
    assert_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    for sent in (expired, revoked, "forged", "\xff", "x" * 5000):
        answer = client.open(address, method=method, headers={"Authorization": f"Bearer {sent}"})
        assert_problem(answer, 401, "device-revoked" if sent == revoked else None)
        assert "invalid_token" in answer.headers["WWW-Authenticate"]
    answer = client.open(address, method=method, headers={"Authorization": "Basic YTpi"})
    assert_problem(answer, 401)


def test_the_house(door: Any, house: Any) -> None:
    evening, _, ticket = house
    scan(door, evening, ticket, people=1)
    figures = door("get", f"/{evening}").json
    assert (figures["capacity"], figures["expected"], figures["pending"]) == (10, 3, 2)
    assert (figures["inside"], figures["to_come"], figures["free"]) == (1, 2, 5)
    assert_problem(door("get", f"/{evening + 1}"), 404)


def test_a_party_enters_once(door: Any, house: Any) -> None:
    evening, reference, ticket = house
    first = scan(door, evening, ticket, door="Left door").json
    assert (first["verdict"], first["people"], first["first"]) == ("admitted", 3, None)
    assert first["party"] == {
        "reference": reference,
        "name": "Ada Rossi",
        "ended": None,
        "reduced": None,
        "late_at": None,
        "note": "",
        "has_note": False,
        "wheelchair_places": 0,
        "state": "confirmed",
        "seats": 3,
        "admitted": 3,
        "released": 0,
        "outside": 0,
        "remaining": 0,
    }
    second = scan(door, evening, reference.lower()).json
    assert (second["verdict"], second["people"]) == ("already_in", 0)
    assert (second["first"]["by"], second["first"]["door"]) == ("Marta's phone", "Left door")
    assert datetime.fromisoformat(second["first"]["at"]).tzinfo


def test_the_same_scan_counts_once(
    door: Any, house: Any, database: psycopg.Connection[Any]
) -> None:
    evening, _, ticket = house
    scan_id = str(uuid4())
    first = scan(door, evening, ticket, scan_id=scan_id, people=1).json
    again = scan(door, evening, ticket, scan_id=scan_id, people=1).json
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["party"]["admitted"] == 1
    other = scan(door, evening, "AAAAAAAA", scan_id=scan_id)
    assert_problem(other, 409, "scan-reused")
    verdicts = database.execute("SELECT verdict, people FROM scan ORDER BY scanned_at").fetchall()
    assert verdicts == [("admitted", 1), ("reused", 0)]


def test_the_ticket_of_another_evening_names_it(app: Flask, door: Any, house: Any) -> None:
    with app.app_context():
        other = a_performance()
        ticket = ticket_token(a_party(other))
        named = {
            "id": other.id,
            "show_title": other.show.title,
            "venue_name": other.venue.name,
            "starts_at": other.starts_at,
        }
    scan_id = str(uuid4())
    for _ in range(2):
        told = scan(door, house[0], ticket, scan_id=scan_id).json
        assert told["verdict"] == "wrong_performance"
        when = datetime.fromisoformat(told["evening"]["starts_at"])
        assert told["evening"] | {"starts_at": when} == named
        assert told["party"] is None
    assert scan(door, house[0], house[2]).json["evening"] is None


def test_what_the_device_saw_may_be_outdated(door: Any, house: Any) -> None:
    evening, _, ticket = house
    scan(door, evening, ticket, people=1)
    assert scan(door, evening, ticket, people=1, seen=0).json["verdict"] == "changed"
    assert scan(door, evening, ticket, people=3, seen=1).json["verdict"] == "too_many"


@pytest.mark.parametrize(
    "code",
    [
        "https://elsewhere.example/x",
        "x" * 501,
        "x" * 100_000,
        "BEGIN:VCARD\r\nFN:Ada\r\nEND:VCARD",
        "AAAA\0AAA",
        "\ud800",
        " ",
    ],
    ids=["elsewhere", "long", "very long", "lines", "NUL", "surrogate", "blank"],
)
def test_a_foreign_code_is_told_and_not_recorded(
    door: Any, house: Any, database: psycopg.Connection[Any], code: str
) -> None:
    told = assert_problem(scan(door, house[0], code), 409, "not-a-ticket")
    assert "non è né un biglietto né un codice prenotazione" in told["detail"]
    assert database.execute("SELECT verdict FROM scan").fetchall() == []


@pytest.mark.parametrize("code", ["ZZZZZZZZ", "https://elsewhere.example/" + "x" * 43])
def test_an_unknown_code_is_a_verdict_and_is_recorded(
    door: Any, house: Any, database: psycopg.Connection[Any], code: str
) -> None:
    verdict = scan(door, house[0], code).json
    assert (verdict["verdict"], verdict["party"]) == ("unknown", None)
    assert database.execute("SELECT verdict FROM scan").fetchall() == [("unknown",)]


def test_undo(door: Any, house: Any) -> None:
    evening, _, ticket = house
    scan_id = scan(door, evening, ticket).json["scan_id"]
    for _ in range(2):
        undone = door("delete", f"/{evening}/scans/{scan_id}").json
        assert (undone["undone"], undone["people"]) == (True, 0)
        assert undone["party"]["remaining"] == 3
    assert scan(door, evening, ticket).json["verdict"] == "admitted"
    assert_problem(door("delete", f"/{evening}/scans/{uuid4()}"), 404)
    assert_problem(door("delete", f"/{evening + 1}/scans/{scan_id}"), 404)
    assert_problem(door("delete", f"/{evening}/scans/1"), 404)


def test_a_door_that_is_not_there(door: Any, house: Any) -> None:
    assert_problem(scan(door, house[0] + 1, "AAAAAAAA"), 404)
    search = door("post", f"/{house[0] + 1}/parties", json={"query": "Ada"})
    assert_problem(search, 404)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", ""),
        ("code", None),
        ("scan_id", "1"),
        ("scan_id", None),
        ("people", 0),
        ("people", "1"),
        ("people", 10**30),
        ("seen", -1),
        ("seen", True),
        ("door", "Left\0"),
        ("door", "x" * 61),
        ("door", "\ud800"),
        ("surprise", 1),
    ],
)
def test_a_wrong_field_is_named(
    door: Any, house: Any, database: psycopg.Connection[Any], field: str, value: object
) -> None:
    told = assert_problem(scan(door, house[0], house[2], **{field: value}), 422, "invalid-fields")
    assert [error["field"] for error in told["errors"]] == [field]
    assert database.execute("SELECT count(*) FROM scan").fetchone() == (0,)


def test_a_party_is_found_by_name(door: Any, house: Any) -> None:
    evening, reference, _ = house

    def found(query: str) -> list[str]:
        answer = door("post", f"/{evening}/parties", json={"query": query})
        return [party["reference"] for party in answer.json["parties"]]

    assert found("ross") == [reference]
    assert found(reference) == [reference]
    assert found("nobody") == []
    assert door("post", f"/{evening}/parties", json={"query": "ross"}).json["more"] is False
    short = door("post", f"/{evening}/parties", json={"query": "a"})
    assert_problem(short, 422, "invalid-fields")


def test_names_are_looked_for_as_often_as_a_queue_does(door: Any, house: Any) -> None:
    """Nobody finds out all names, or an address letter by letter, in the course of an evening."""
    address = f"/{house[0]}/parties"
    for _ in range(60):
        assert door("post", address, json={"query": "rossi"}).status_code == 200
    refused = door("post", address, json={"query": "rossi"})
    assert_problem(refused, 429)
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert door("get", f"/{house[0]}").status_code == 200

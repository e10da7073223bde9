"""A door device does what it was given the right for, and nothing else: a phone that only scans."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings import rules
from azionelab.bookings.door_notes import write_note
from azionelab.bookings.history import By
from azionelab.checkin.devices import invitations
from azionelab.checkin.devices.rights import Right
from azionelab.checkin.pages import access
from azionelab.checkin.scanning.scan_log import Actor
from azionelab.checkin.scanning.scans import admit
from azionelab.database import now
from azionelab.shows.models import Performance
from azionelab.staff.accounts import create_account
from azionelab.staff.tokens import Scope
from tests.api.expect import assert_problem
from tests.factories import a_party, ticket_token

Send = Callable[..., Any]

EVERYTHING = ["names", "release", "scan", "search", "undo-others", "walk-in"]


@pytest.fixture
def make_phone(app: Flask, client: FlaskClient, evening: Performance) -> Callable[[Scope], Send]:
    """Enrol a phone by an invitation of that scope."""

    def make(scope: Scope) -> Send:
        with app.app_context():
            body = {
                "invitation": invitations.make_invitation(evening.id, scope=scope),
                "label": "Door",
            }
        token = client.post("/api/v1/checkin/devices", json=body).json["token"]

        def send(method: str, path: str, **options: Any) -> Any:
            address = f"/api/v1/checkin/performances/{evening.id}{path}"
            headers = {"Authorization": f"Bearer {token}"}
            return client.open(address, method=method, headers=headers, **options)

        return send

    return make


@pytest.fixture
def scanner(make_phone: Callable[[Scope], Send]) -> Send:
    """A phone that only scans."""
    return make_phone(Scope.SCAN)


@pytest.fixture
def full(make_phone: Callable[[Scope], Send]) -> Send:
    """One that may do everything."""
    return make_phone(Scope.DOOR)


def sync(phone: Send, *actions: dict[str, Any]) -> dict[str, Any]:
    answer = phone("POST", "/sync", json={"version": 1, "cursor": None, "actions": actions})
    assert answer.status_code == 200, answer.text
    news: dict[str, Any] = answer.json
    return news


def scan(phone: Send, code: str, **facts: Any) -> dict[str, Any]:
    answer = phone("POST", "/scans", json={"scan_id": str(uuid4()), "code": code} | facts)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json
    return told


@pytest.mark.parametrize(("scope", "rights"), [(Scope.DOOR, EVERYTHING), (Scope.SCAN, ["scan"])])
def test_a_phone_is_told_what_it_may_do(
    app: Flask, client: FlaskClient, evening: Performance, scope: Scope, rights: list[str]
) -> None:
    with app.app_context():
        invited = {"invitation": invitations.make_invitation(evening.id, scope=scope)}
    assert client.post("/api/v1/checkin/invitations", json=invited).json["rights"] == rights
    device = client.post("/api/v1/checkin/devices", json=invited | {"label": "Door"}).json
    assert device["rights"] == rights
    news = client.post(
        f"/api/v1/checkin/performances/{evening.id}/sync",
        json={"version": 1},
        headers={"Authorization": f"Bearer {device['token']}"},
    ).json
    assert news["rights"] == rights


def test_rights_are_listed_for_every_request(app: Flask) -> None:
    endpoints = {
        rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.startswith("door_api.")
    }
    assert endpoints == set(access._NEEDED)


def test_a_request_without_a_listed_right_is_nobodys(
    full: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(access._NEEDED, "door_api.house")
    assert_problem(full("GET", ""), 409, "right-missing")


@pytest.mark.parametrize(
    "asked",
    [
        ("POST", "/walk-ins", {"people": 1, "scan_id": str(uuid4())}),
        ("POST", "/parties", {"query": "rossi"}),
        ("POST", "/release", None),
        ("DELETE", "/release", None),
    ],
    ids=lambda asked: " ".join(asked[:2]),
)
def test_who_only_scans_is_refused_the_rest(
    scanner: Send, full: Send, database: psycopg.Connection[Any], asked: tuple[str, str, Any]
) -> None:
    method, path, body = asked
    told = assert_problem(scanner(method, path, json=body), 409, "right-missing")
    assert told["detail"]
    state = "SELECT count(*) FROM scan UNION ALL SELECT count(*) FROM reservation WHERE walk_in"
    assert database.execute(state).fetchall() == [(0,), (0,)]
    assert database.execute("SELECT released_at FROM performance").fetchone() == (None,)
    assert full(method, path, json=body).status_code == 200


def test_it_lets_in_by_ticket_and_by_reference(
    app: Flask, scanner: Send, evening: Performance
) -> None:
    with app.app_context():
        one, other = a_party(evening, 2), a_party(evening, 3)
        ticket = ticket_token(one)
    assert scan(scanner, ticket)["people"] == 2
    assert scan(scanner, other.reference, people=1)["people"] == 1
    assert scanner("GET", "").json["inside"] == 3


def test_it_takes_back_its_own_scans_alone(
    app: Flask, scanner: Send, full: Send, evening: Performance
) -> None:
    with app.app_context():
        mine, theirs = a_party(evening, 2), a_party(evening, 3)
    own, other = scan(scanner, mine.reference), scan(full, theirs.reference)
    refused = scanner("DELETE", f"/scans/{other['scan_id']}")
    assert_problem(refused, 409, "right-missing")
    (result,) = sync(scanner, {"kind": "undo", "scan_id": other["scan_id"]})["results"]
    assert (result["verdict"], result["problem"]) == (None, "right-missing")
    assert full("GET", "").json["inside"] == 5
    assert scanner("DELETE", f"/scans/{own['scan_id']}").json["undone"] is True
    assert full("GET", "").json["inside"] == 3
    assert full("DELETE", f"/scans/{scan(scanner, mine.reference)['scan_id']}").status_code == 200


def test_what_it_says_of_walk_ins_later_is_not_taken_either(
    scanner: Send, full: Send, database: psycopg.Connection[Any]
) -> None:
    offline = {"at": now().isoformat(), "verdict": "admitted", "people": 2}
    walk_in = {"kind": "walk_in", "scan_id": str(uuid4()), "people": 2, "offline": offline}
    (result,) = sync(scanner, walk_in)["results"]
    assert result["problem"] == "right-missing"
    assert database.execute("SELECT count(*) FROM scan").fetchone() == (0,)
    (result,) = sync(full, walk_in)["results"]
    assert result["verdict"]["people"] == 2


def test_it_is_told_nobodys_name(
    app: Flask, scanner: Send, full: Send, evening: Performance
) -> None:
    """With every reference on its list it could ask for every name, one by one."""
    with app.app_context():
        parties = [a_party(evening, 2, name=f"Ada Rossi {number}") for number in range(3)]
        ticket = ticket_token(parties[0])
    answers = [
        scan(scanner, ticket),
        scan(scanner, ticket),
        scan(scanner, parties[1].reference, people=50),
    ]
    # One that was let in twice: a conflict, which names its party to others.
    offline = {"at": now().isoformat(), "verdict": "admitted", "people": 2}
    twice = {"kind": "scan", "scan_id": str(uuid4()), "code": ticket, "offline": offline}
    news = sync(scanner, twice)
    answers += [news, sync(scanner), scanner("DELETE", f"/scans/{answers[0]['scan_id']}").json]
    assert "Rossi" not in str(answers)
    assert len(news["parties"]) == 3
    assert all(party["tickets"] and party["reference"] for party in news["parties"])
    assert [one["name"] for one in news["conflicts"]] == [""]
    assert str(sync(full)).count("Ada Rossi") >= 4


def test_it_is_told_that_there_is_a_note_and_not_what_it_says(
    app: Flask, scanner: Send, full: Send, evening: Performance
) -> None:
    with app.app_context():
        party = a_party(evening, 2)
        write_note(party.id, "Hearing loop, row 1", seen="")
        ended = a_party(evening, 2)
        write_note(ended.id, "Guest of the stage", seen="")
        rules.cancel(ended.id)
        ticket = ticket_token(party)
    answers = [sync(scanner), scan(scanner, ticket), scan(scanner, party.reference)]
    assert "earing loop" not in str(answers)
    assert [answer["party"]["has_note"] for answer in answers[1:]] == [True, True]
    news, told = sync(full), scan(full, party.reference)
    assert told["party"]["note"] == "Hearing loop, row 1"
    for phone in (news, answers[0]):
        assert sorted(one["has_note"] for one in phone["parties"]) == [False, True]
    assert sorted(one["note"] for one in news["parties"]) == ["", "Hearing loop, row 1"]


def test_a_device_is_told_why_a_ticket_is_not_what_it_was(
    app: Flask, scanner: Send, evening: Performance
) -> None:
    with app.app_context():
        cancelled, smaller = a_party(evening, 2), a_party(evening, 4)
        rules.cancel(cancelled.id)
        rules.reduce_seats(smaller.id, 2, by=By.STAFF)
        tickets = [ticket_token(cancelled), ticket_token(smaller)]
    listed = {party["reference"]: party for party in sync(scanner)["parties"]}
    for ticket, party in zip(tickets, (cancelled, smaller), strict=True):
        told = scan(scanner, ticket)["party"]
        known = listed[party.reference]
        assert (told["ended"], told["reduced"]) == (known["ended"], known["reduced"])
    assert listed[cancelled.reference]["ended"]["by"] == "visitor"
    assert listed[smaller.reference]["reduced"] | {"at": ""} == {
        "at": "",
        "by": "staff",
        "seats": 4,
    }


def test_nobody_at_a_door_is_told_the_address_of_an_account(
    app: Flask, full: Send, evening: Performance
) -> None:
    with app.app_context():
        party = a_party(evening, 2)
        account = create_account("dora@theatre.org", "door", "a long enough password")
        actor = Actor(door="Left", user_id=account.id, label=str(account))
        admit(evening.id, party.reference, uuid4(), actor)
    offline = {"at": now().isoformat(), "verdict": "admitted", "people": 2}
    twice = {"kind": "scan", "scan_id": str(uuid4()), "code": party.reference, "offline": offline}
    news = sync(full, twice)
    assert "dora" not in str(news)
    assert news["conflicts"][0]["first"]["by"] == "qualcuno del personale"
    assert scan(full, party.reference)["first"]["by"] == "qualcuno del personale"


def test_it_hears_of_no_silent_phones(
    scanner: Send, full: Send, database: psycopg.Connection[Any]
) -> None:
    for phone, silent in ((scanner, []), (full, ["Door"])):
        sync(full)
        database.execute("UPDATE api_token SET last_seen_at = now() - interval '5 minutes'")
        assert sync(phone)["silent"] == silent


def test_every_right_is_somebodys() -> None:
    assert sorted(right.value for right in Right) == EVERYTHING

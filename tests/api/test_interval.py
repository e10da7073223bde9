"""What devices tell the server of people who go out and come in again, and are told."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.checkin.devices import invitations, scan_rate
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.scanning.interval import allow_reentry
from azionelab.database import now
from azionelab.shows.models import Performance
from azionelab.staff.tokens import Scope, issue_token, revoke_token
from azionelab.web.rate_limits import RateLimit
from tests.api.expect import assert_problem
from tests.api.test_door_sync import Phone
from tests.factories import a_party

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def make_phone(client: FlaskClient, evening: Performance) -> Callable[..., Phone]:
    def make(label: str = "Door A", scope: Scope = Scope.DOOR) -> Phone:
        return Phone(client, invitations.make_invitation(evening.id, scope=scope), label)

    return make


@pytest.fixture
def interval(evening: Performance) -> Performance:
    """The evening, while people may go out."""
    allow_reentry(evening.id, allowed=True)
    return evening


def scan(phone: Phone, code: str, way: str, **facts: Any) -> tuple[str, int]:
    body = {"scan_id": str(uuid4()), "code": code, "way": way} | facts
    answer = phone.send("POST", "/scans", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json["verdict"], answer.json["people"]


def told(way: str, went: int, verdict: str, **facts: Any) -> dict[str, Any]:
    """An action that a phone decided on without the server."""
    offline = {"at": now().isoformat(), "verdict": verdict, "people": went}
    kind = "scan" if "code" in facts else "walk_in"
    return {"kind": kind, "scan_id": str(uuid4()), "way": way, "offline": offline} | facts


@pytest.mark.parametrize("scope", [Scope.DOOR, Scope.SCAN])
def test_whoever_scans_lets_out_and_in_again(
    make_phone: Callable[..., Phone], interval: Performance, scope: Scope
) -> None:
    phone, party = make_phone(scope=scope), a_party(interval, 3)
    assert scan(phone, party.reference, "any") == ("admitted", 3)
    assert scan(phone, party.reference, "out", people=2) == ("let_out", 2)
    news = phone.sync()
    assert news["performance"]["reentry"] is True
    (listed,) = news["parties"]
    assert (listed["admitted"], listed["outside"]) == (3, 2)
    counts = news["counts"]
    assert (counts["in_building"], counts["inside"], counts["outside"]) == (1, 3, 2)
    assert scan(phone, party.reference, "any") == ("in_again", 2)
    assert phone.sync()["counts"]["in_building"] == 3


def test_a_program_that_may_scan_lets_out_as_well(
    client: FlaskClient, interval: Performance
) -> None:
    party = a_party(interval, 2)
    _, text = issue_token("Turnstile", Scope.SCAN, 5)
    address = f"/api/v1/checkin/performances/{interval.id}/scans"
    for way, verdict in (("any", "admitted"), ("out", "let_out"), ("any", "in_again")):
        body = {"scan_id": str(uuid4()), "code": party.reference, "way": way, "door": "Turnstile"}
        answer = client.post(address, json=body, headers={"Authorization": f"Bearer {text}"})
        assert answer.json["verdict"] == verdict


def test_a_page_that_knows_of_no_interval_is_answered_as_before(
    make_phone: Callable[..., Phone], interval: Performance
) -> None:
    phone, party = make_phone(), a_party(interval, 2)
    scan(phone, party.reference, "any")
    scan(phone, party.reference, "out")
    body = {"scan_id": str(uuid4()), "code": party.reference}
    assert phone.send("POST", "/scans", json=body).json["verdict"] == "already_in"


def test_it_is_off_at_first(make_phone: Callable[..., Phone], evening: Performance) -> None:
    phone, party = make_phone(), a_party(evening, 2)
    scan(phone, party.reference, "any")
    assert phone.sync()["performance"]["reentry"] is False
    assert scan(phone, party.reference, "out") == ("no_reentry", 0)
    body = {"scan_id": str(uuid4()), "code": party.reference, "way": "sideways"}
    assert_problem(phone.send("POST", "/scans", json=body), 422, "invalid-fields")


def test_what_waited_is_taken_once_and_its_conflicts_are_told(
    make_phone: Callable[..., Phone], interval: Performance
) -> None:
    one, other, party = make_phone("Door A"), make_phone("Door B"), a_party(interval, 2)
    scan(one, party.reference, "any")
    scan(one, party.reference, "out")
    backs = [told("again", 2, "in_again", code=party.reference) for _ in range(2)]
    for phone, back in zip((one, other, one, other), backs * 2, strict=True):
        news = phone.sync(back)
        assert news["results"][0]["problem"] is None
    counts = news["counts"]
    assert (counts["in_building"], counts["outside"]) == (4, 0)
    (conflict,) = news["conflicts"]
    assert (conflict["way"], conflict["claimed"], conflict["people"]) == ("again", 2, 0)
    assert conflict["verdict"] == "none_out"
    undo = {"kind": "undo", "scan_id": backs[1]["scan_id"]}
    news = other.sync(undo)
    assert (news["counts"]["in_building"], news["conflicts"]) == (2, [])


def test_people_without_a_ticket_go_through_the_phone_that_lets_them_in(
    make_phone: Callable[..., Phone], interval: Performance
) -> None:
    phone, scanner = make_phone(), make_phone("Scanner", Scope.SCAN)

    def passes(door: Phone, way: str, people: int) -> Any:
        body = {"scan_id": str(uuid4()), "people": people, "way": way}
        return door.send("POST", "/walk-ins", json=body)

    assert passes(phone, "in", 3).json["verdict"] == "admitted"
    assert passes(phone, "out", 2).json["verdict"] == "let_out"
    assert passes(phone, "again", 3).json["verdict"] == "too_many"
    news = phone.sync(told("again", 2, "in_again", people=2))
    assert news["results"][0]["verdict"]["people"] == 2
    assert (news["counts"]["in_building"], news["counts"]["walk_ins"]) == (3, 3)
    assert_problem(passes(scanner, "out", 1), 409, "right-missing")


def test_going_in_and_out_is_bounded_in_pace(
    make_phone: Callable[..., Phone], interval: Performance, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, party = make_phone(), a_party(interval, 2)
    scan(phone, party.reference, "any")
    few = RateLimit("door-attempt", lambda _settings: "2 per hour", spares_box_office=False)
    monkeypatch.setattr(scan_rate, "ATTEMPTS", few)
    # The one that is the first too many is in the log before that is known, and is answered.
    for way in ("out", "any", "out"):
        scan(phone, party.reference, way)
    body = {"scan_id": str(uuid4()), "code": party.reference, "way": "any"}
    assert_problem(phone.send("POST", "/scans", json=body), 429, "too-many-attempts")


def test_a_revoked_phone_is_written_down_and_lets_nobody_out(
    app: Flask, make_phone: Callable[..., Phone], interval: Performance
) -> None:
    phone, other, party = make_phone(), make_phone("Door B"), a_party(interval, 2)
    scan(phone, party.reference, "any")
    revoke_token(devices.find_device(phone.device["token"]).token_id)  # type: ignore[union-attr]
    assert phone.ask(told("out", 2, "let_out", code=party.reference)).status_code == 401
    assert other.sync()["counts"]["in_building"] == 2

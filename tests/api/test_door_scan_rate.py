"""What one device may write: more than any evening asks for, and no more; nothing real is lost by it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.checkin.devices import invitations, scan_rate
from azionelab.checkin.devices import registry as devices
from azionelab.database import now
from azionelab.shows.models import Performance
from azionelab.staff.tokens import revoke_token
from azionelab.web.rate_limits import RateLimit
from tests.api.expect import assert_problem
from tests.factories import a_party, a_performance, ticket_token

Send = Callable[..., Any]


@pytest.fixture
def evening(app: Flask) -> Performance:
    with app.app_context():
        curtain = now() + timedelta(minutes=20)
        return a_performance(starts_at=curtain, booking_closes_at=curtain, capacity=1_000)


@pytest.fixture
def make_device(app: Flask, client: FlaskClient, evening: Performance) -> Callable[[str], Send]:
    """Enrol a phone; what sends its requests."""

    def make(label: str) -> Send:
        with app.app_context():
            _, text = invitations.enrol(invitations.make_invitation(evening.id), label)

        def send(method: str, path: str, **options: Any) -> Any:
            address = f"/api/v1/checkin/performances/{evening.id}{path}"
            headers = {"Authorization": f"Bearer {text}", "Accept-Language": "en"}
            return client.open(address, method=method, headers=headers, **options)

        return send

    return make


@pytest.fixture
def device(make_device: Callable[[str], Send]) -> Send:
    return make_device("Door A")


def offline(people: int = 1) -> dict[str, Any]:
    return {"at": now().isoformat(), "verdict": "admitted", "people": people}


def walk_in(**facts: Any) -> dict[str, Any]:
    return {"kind": "walk_in", "scan_id": str(uuid4()), "offline": offline()} | facts


def sync(device: Send, actions: list[dict[str, Any]]) -> Any:
    return device("POST", "/sync", json={"version": 1, "cursor": None, "actions": actions})


def nonsense(device: Send) -> Any:
    return device("POST", "/scans", json={"scan_id": str(uuid4()), "code": "nonsense"})


def written(database: psycopg.Connection[Any]) -> int:
    row = database.execute("SELECT count(*) FROM scan").fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, database: psycopg.Connection[Any]) -> Callable[[int], None]:
    """Let it be so many seconds after the last device was enrolled, however slow the tests are."""

    def later(seconds: int) -> None:
        row = database.execute("SELECT max(created_at) FROM api_token").fetchone()
        assert row is not None
        monkeypatch.setattr(scan_rate, "now", lambda: row[0] + timedelta(seconds=seconds))

    return later


@pytest.fixture
def twelve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the limit be smaller, and of a window that does not end in a test."""
    few = RateLimit("door-attempt", lambda _settings: "12 per hour", spares_box_office=False)
    monkeypatch.setattr(scan_rate, "ATTEMPTS", few)


class TestToldLater:
    def test_a_phone_enrolled_just_now_did_not_let_in_a_hundred(
        self, device: Send, at: Callable[[int], None], database: psycopg.Connection[Any]
    ) -> None:
        waiting = [walk_in() for _ in range(100)]
        for seconds in (0, 39):
            at(seconds)
            told = sync(device, waiting)
            problem = assert_problem(told, 429, "too-many-attempts")
            assert "Send them again" in problem["detail"]
            assert int(told.headers["Retry-After"]) == 40 - seconds
        assert written(database) == 0, "all of it is sent again, in its order"
        at(40)
        told = sync(device, waiting)
        assert told.status_code == 200
        assert told.json["counts"]["walk_ins"] == 100

    def test_a_whole_evening_is_taken_in_batches(
        self, device: Send, at: Callable[[int], None], database: psycopg.Connection[Any]
    ) -> None:
        at(240)
        for _ in range(3):
            assert sync(device, [walk_in() for _ in range(100)]).status_code == 200
        assert written(database) == 300
        assert_problem(sync(device, [walk_in()]), 429, "too-many-attempts")

    def test_what_is_sent_again_takes_no_time(
        self, device: Send, at: Callable[[int], None], database: psycopg.Connection[Any]
    ) -> None:
        at(0)
        waiting = [walk_in() for _ in range(scan_rate.BURST)]
        for _ in range(3):
            assert sync(device, waiting).status_code == 200
        assert written(database) == scan_rate.BURST

    def test_a_reused_identity_takes_time(
        self,
        app: Flask,
        device: Send,
        evening: Performance,
        at: Callable[[int], None],
        database: psycopg.Connection[Any],
    ) -> None:
        """Each time it is another row of the log, unless it tells of people who are in."""
        at(0)
        with app.app_context():
            party = a_party(evening)
        reused = walk_in(kind="scan", code=party.reference)
        assert sync(device, [reused]).status_code == 200
        asked = {name: fact for name, fact in reused.items() if name != "offline"}
        others = [asked | {"code": f"ZZZZZ{n:03}"} for n in range(100)]
        sync(device, others)
        assert_problem(sync(device, others), 429, "too-many-attempts")
        assert written(database) == 101

    def test_it_asks_what_is_new_meanwhile(self, device: Send, at: Callable[[int], None]) -> None:
        at(0)
        assert sync(device, [walk_in() for _ in range(100)]).status_code == 429
        told = sync(device, [])
        assert (told.status_code, told.json["results"]) == (200, [])

    def test_others_have_their_own_time(
        self, make_device: Callable[[str], Send], at: Callable[[int], None]
    ) -> None:
        for label in ("Door A", "Door B"):
            device = make_device(label)
            at(0)
            waiting = [walk_in() for _ in range(scan_rate.BURST)]
            assert sync(device, waiting).status_code == 200

    def test_a_revoked_one_is_told_so_whatever_it_sends(
        self,
        app: Flask,
        device: Send,
        evening: Performance,
        at: Callable[[int], None],
        database: psycopg.Connection[Any],
    ) -> None:
        at(0)
        with app.app_context():
            (seen,) = devices.devices_of(evening.id)
            revoke_token(seen.token_id)
        for actions in ([walk_in() for _ in range(100)], [walk_in()]):
            assert_problem(sync(device, actions), 401, "device-revoked")
        assert written(database) == 1, "what it can have done"

    @pytest.mark.parametrize("kind", ["walk_in", "scan"])
    def test_nobody_lets_in_more_than_a_party_has(self, device: Send, kind: str) -> None:
        action = walk_in(kind=kind, code="A", offline=offline(101))
        told = assert_problem(sync(device, [action]), 422, "invalid-fields")
        assert told["errors"][0]["field"] == "actions.0.offline.people"


@pytest.mark.usefixtures("twelve")
class TestAskedAtOnce:
    def test_nonsense_is_written_as_often_as_somebody_can_scan(
        self, device: Send, database: psycopg.Connection[Any]
    ) -> None:
        answers = [nonsense(device) for _ in range(20)]
        assert {answer.status_code for answer in answers[:13]} == {200}
        told = assert_problem(answers[-1], 429, "too-many-attempts")
        assert "Send them again" in told["detail"]
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 3_600
        # The one that is the first too many is in the log before that is known, and is answered.
        assert written(database) == 13

    def test_what_else_it_writes_is_counted_with_it(self, device: Send) -> None:
        for _ in range(6):
            walk_ins = device("POST", "/walk-ins", json={"scan_id": str(uuid4())}).json
            device("DELETE", f"/scans/{walk_ins['scan_id']}")
        for method, path in (
            ("POST", "/walk-ins"),
            ("DELETE", f"/scans/{uuid4()}"),
            ("POST", "/release"),
            ("DELETE", "/release"),
            ("POST", "/scans"),
        ):
            body = {"scan_id": str(uuid4())}
            assert_problem(device(method, path, json=body), 429, "too-many-attempts")
        assert device("GET", "").status_code == 200

    def test_parties_that_come_in_are_not_counted(
        self, app: Flask, device: Send, evening: Performance
    ) -> None:
        with app.app_context():
            parties = [ticket_token(a_party(evening, 1)) for _ in range(15)]
        for code in parties:
            told = device("POST", "/scans", json={"scan_id": str(uuid4()), "code": code})
            assert told.json["verdict"] == "admitted"

    def test_others_scan_on(self, make_device: Callable[[str], Send]) -> None:
        one, other = make_device("Door A"), make_device("Door B")
        while nonsense(one).status_code == 200:
            pass
        assert nonsense(other).status_code == 200


def test_a_door_has_the_name_that_it_was_enrolled_with(
    app: Flask, make_device: Callable[[str], Send], evening: Performance, client: FlaskClient,
    database: psycopg.Connection[Any],
) -> None:  # fmt: skip
    make_device("Door A")
    device = make_device("Door B")
    with app.app_context():
        party = a_party(evening)
    claimed = {"scan_id": str(uuid4()), "door": "Door A"}
    device("POST", "/scans", json=claimed | {"code": party.reference})
    device("POST", "/walk-ins", json=claimed | {"scan_id": str(uuid4())})
    sync(device, [walk_in(door="Door A"), walk_in(kind="scan", code="A", door="Door A")])
    with app.app_context():
        revoke_token(max(seen.token_id for seen in devices.devices_of(evening.id)))
    sync(device, [walk_in(door="Door A")])
    assert database.execute("SELECT door FROM scan").fetchall() == [("Door B",)] * 5

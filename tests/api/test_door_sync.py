"""What a door device and the server tell each other: enrolling, sync, and being refused."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings import performance_changes
from azionelab.bookings import rules as booking
from azionelab.bookings.seats import no_show_seats
from azionelab.bookings.tickets.signing import write_ticket
from azionelab.checkin.devices import invitations
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.devices.registry import ticket_digest
from azionelab.checkin.scanning.scans import admit
from azionelab.database import now
from azionelab.shows.models import Performance
from azionelab.staff.tokens import revoke_token
from tests.api.expect import assert_problem
from tests.factories import DOOR_A, a_party, a_performance, ticket_token

Send = Callable[..., Any]


class Phone:
    """A door device, as far as the server sees it."""

    def __init__(self, client: FlaskClient, invitation: str, label: str = "Door A") -> None:
        self.client = client
        answer = client.post(
            "/api/v1/checkin/devices", json={"invitation": invitation, "label": label}
        )
        assert answer.status_code == 201, answer.text
        self.device: dict[str, Any] = answer.json
        self.headers = {"Authorization": f"Bearer {self.device['token']}"}
        self.evening = self.device["performance_id"]
        self.cursor: int | None = None

    def send(self, method: str, path: str = "", evening: int | None = None, **how: Any) -> Any:
        address = f"/api/v1/checkin/performances/{evening or self.evening}{path}"
        return self.client.open(address, method=method, headers=self.headers, **how)

    def ask(self, *actions: dict[str, Any], **changes: Any) -> Any:
        body = {"version": 1, "cursor": self.cursor, "actions": actions} | changes
        return self.send("POST", "/sync", json=body)

    def sync(self, *actions: dict[str, Any], **changes: Any) -> dict[str, Any]:
        answer = self.ask(*actions, **changes)
        assert answer.status_code == 200, answer.text
        news: dict[str, Any] = answer.json
        self.cursor = news["cursor"]
        return news


def scan(code: str, people: int = 1, **facts: Any) -> dict[str, Any]:
    offline = {"at": now().isoformat(), "verdict": "admitted", "people": people}
    return {"kind": "scan", "scan_id": str(uuid4()), "code": code, "offline": offline} | facts


@pytest.fixture
def make_phone(app: Flask, client: FlaskClient, evening: Performance) -> Callable[..., Phone]:
    def make(label: str = "Door A") -> Phone:
        with app.app_context():
            invitation = invitations.make_invitation(evening.id)
        return Phone(client, invitation, label)

    return make


@pytest.fixture
def phone(make_phone: Callable[..., Phone]) -> Phone:
    return make_phone()


def references(news: dict[str, Any]) -> list[str]:
    return sorted(party["reference"] for party in news["parties"])


class TestEnrolling:
    def test_the_token_is_told_once(self, phone: Phone, database: psycopg.Connection[Any]) -> None:
        row = database.execute("SELECT api_token::text FROM api_token").fetchone()
        assert row is not None
        assert phone.device["token"] not in row[0]
        assert phone.device["label"] == "Door A"

    def test_the_same_key_gives_the_same_device(
        self, app: Flask, client: FlaskClient, evening: Performance
    ) -> None:
        with app.app_context():
            body = {"invitation": invitations.make_invitation(evening.id), "label": "Door A"}

        def enrol(**headers: str) -> Any:
            return client.post("/api/v1/checkin/devices", json=body, headers=headers)

        first, again = (enrol(**{"Idempotency-Key": str(UUID(int=7))}) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json == again.json
        assert_problem(enrol(), 410, "invitation-over")
        assert_problem(enrol(**{"Idempotency-Key": str(uuid4())}), 410, "invitation-over")
        assert_problem(enrol(**{"Idempotency-Key": "no UUID"}), 422, "invalid-fields")

    def test_a_pass_opens_the_doors_of_other_evenings(
        self, app: Flask, client: FlaskClient, evening: Performance
    ) -> None:
        with app.app_context():
            other = a_performance()
            invitation = invitations.make_invitation(evening.id, serves_days=3)
            title = other.show.title
        phone = Phone(client, invitation)
        address, body = "/api/v1/checkin/passes", {"pass": phone.device["pass"]}
        told = client.post(address, json=body).get_json()["evenings"]
        assert [one["id"] for one in told] == [evening.id, other.id]
        assert told[1]["show_title"] == title
        there = Phone(client, told[1]["invitation"])
        assert (there.evening, there.device["pass"]) == (other.id, None)
        with app.app_context():
            (seen,) = devices.devices_of(other.id)
            revoke_token(seen.token_id)
        assert_problem(phone.ask(), 401, "device-revoked")
        assert_problem(client.post(address, json=body), 410, "pass-over")
        assert_problem(client.post(address, json={"pass": "forged"}), 410, "pass-over")
        assert_problem(client.post(address, json={}), 422, "invalid-fields")

    def test_an_invitation_tells_its_evening(
        self,
        app: Flask,
        client: FlaskClient,
        evening: Performance,
        database: psycopg.Connection[Any],
    ) -> None:
        with app.app_context():
            body = {"invitation": invitations.make_invitation(evening.id)}
        answer = client.post("/api/v1/checkin/invitations", json=body)
        assert answer.status_code == 200
        told = answer.get_json()
        assert (told["id"], told["show_title"]) == (evening.id, evening.show.title)
        assert database.execute("SELECT count(*) FROM api_token").fetchone() == (0,)

    @pytest.mark.parametrize("path", ["invitations", "devices"])
    def test_what_is_no_invitation(self, client: FlaskClient, path: str) -> None:
        body = {"invitation": "forged"} | ({"label": "Door A"} if path == "devices" else {})
        answer = client.post(f"/api/v1/checkin/{path}", json=body)
        told = assert_problem(answer, 422, "invalid-fields")
        assert [error["field"] for error in told["errors"]] == ["invitation"]

    @pytest.mark.parametrize("path", ["invitations", "devices"])
    def test_one_that_is_over(self, app: Flask, client: FlaskClient, path: str) -> None:
        with app.app_context():
            past = a_performance(starts_at=now() - timedelta(hours=3))
            invitation = invitations.make_invitation(past.id)
        body = {"invitation": invitation} | ({"label": "Door A"} if path == "devices" else {})
        answer = client.post(f"/api/v1/checkin/{path}", json=body)
        assert_problem(answer, 410, "invitation-over")

    @pytest.mark.parametrize("label", ["", "  ", "\u202e", "A\u2067B", "x" * 61, "a\nb", None, 1])
    def test_a_name_that_cannot_be(
        self, app: Flask, client: FlaskClient, evening: Performance, label: object
    ) -> None:
        with app.app_context():
            body = {"invitation": invitations.make_invitation(evening.id), "label": label}
        answer = client.post("/api/v1/checkin/devices", json=body)
        told = assert_problem(answer, 422, "invalid-fields")
        assert [error["field"] for error in told["errors"]] == ["label"]

    def test_it_opens_its_own_performance_only(self, app: Flask, phone: Phone) -> None:
        with app.app_context():
            other = a_performance().id
        for method, path in (("GET", ""), ("POST", "/scans"), ("POST", "/sync")):
            answer = phone.send(method, path, evening=other, json={})
            assert_problem(answer, 403, "other-performance")


class TestTheList:
    def test_first_all_of_it_then_what_changed(
        self, app: Flask, phone: Phone, evening: Performance
    ) -> None:
        with app.app_context():
            one = a_party(evening, 3, name="Ada Rossi")
            signed = write_ticket(one).partition("/")[2]
            digests = [ticket_digest(token) for token in (signed, ticket_token(one))]
            other = a_party(evening, 2, name="Bruno Bianchi", confirmed=False)
            a_party(a_performance(), 2)
        news = phone.sync()
        assert news["complete"]
        parties = {party["reference"]: party for party in news["parties"]}
        assert parties == {
            one.reference: {
                "reference": one.reference,
                "tickets": digests,
                "state": "confirmed",
                "name": "Ada Rossi",
                "ended": None,
                "reduced": None,
                "late_at": None,
                "note": "",
                "has_note": False,
                "wheelchair_places": 0,
                "seats": 3,
                "admitted": 0,
                "released": 0,
                "outside": 0,
                "moved": False,
            },
            other.reference: parties[other.reference] | {"state": "pending", "seats": 2},
        }
        assert (news["counts"]["expected"], news["counts"]["free"]) == (3, 5)

        news = phone.sync()
        assert (news["complete"], news["parties"]) == (False, [])
        with app.app_context():
            admit(evening.id, one.reference, uuid4(), DOOR_A, people=2)
            new = a_party(evening, 1)
        news = phone.sync()
        assert references(news) == sorted([one.reference, new.reference])
        assert {p["reference"]: p["admitted"] for p in news["parties"]}[one.reference] == 2
        assert phone.sync()["parties"] == []

    def test_a_transaction_that_commits_late_is_not_missed(
        self, app: Flask, phone: Phone, evening: Performance, database_url: str
    ) -> None:
        with app.app_context():
            slow, quick = a_party(evening), a_party(evening)
        phone.sync()
        change = "UPDATE reservation SET locale = 'it' WHERE reference = %s"
        with psycopg.connect(database_url) as late:
            late.execute(change, [slow.reference])
            with psycopg.connect(database_url) as early:
                early.execute(change, [quick.reference])
            assert references(phone.sync()) == [quick.reference]
        # The one that began first ended last; who asks for later numbers only would miss it.
        assert slow.reference in references(phone.sync())
        assert phone.sync()["parties"] == []

    def test_who_gave_the_booking_back_loses_the_name(
        self, app: Flask, phone: Phone, evening: Performance
    ) -> None:
        with app.app_context():
            party = a_party(evening, name="Ada Rossi")
        phone.sync()
        with app.app_context():
            booking.cancel(party.id)
        (told,) = phone.sync()["parties"]
        assert (told["state"], told["name"]) == ("cancelled", "")

    @pytest.mark.parametrize("of", ["another database", "a release before signed tickets"])
    def test_a_cursor_of_before_brings_everything(
        self, app: Flask, phone: Phone, evening: Performance, of: str
    ) -> None:
        with app.app_context():
            party = a_party(evening)
        cursor = phone.sync()["cursor"]
        news = phone.sync(cursor=2**60 if of == "another database" else cursor - 2**52)
        assert (news["complete"], references(news)) == (True, [party.reference])

    def test_rows_of_a_restored_database_are_not_sent_for_ever(
        self, app: Flask, phone: Phone, evening: Performance, database: psycopg.Connection[Any]
    ) -> None:
        with app.app_context():
            party = a_party(evening)
        # As pg_restore does: the numbers are those of the server that was.
        database.execute("SET session_replication_role = replica")
        database.execute("UPDATE reservation SET changed_in = 2::bigint ^ 60")
        assert references(phone.sync()) == [party.reference]
        assert phone.sync()["parties"] == []

    def test_walk_ins_are_counted_and_not_listed(self, phone: Phone) -> None:
        walk_in = {"scan_id": str(uuid4()), "people": 2}
        verdict = phone.send("POST", "/walk-ins", json=walk_in).json
        assert (verdict["verdict"], verdict["people"]) == ("admitted", 2)
        news = phone.sync()
        assert news["parties"] == []
        assert (news["counts"]["walk_ins"], news["counts"]["inside"]) == (2, 2)

    def test_tickets_of_older_keys_are_known(
        self, make_app: Callable[..., Flask], settings: dict[str, str], evening: Performance
    ) -> None:
        app = make_app(
            SECRET_KEY="n" * 20 + "A1b2C3d4E5f6", SECRET_KEY_FALLBACKS=settings["SECRET_KEY"]
        )
        with app.app_context():
            party = a_party(evening)
            invitation = invitations.make_invitation(evening.id)
        (told,) = Phone(app.test_client(), invitation).sync()["parties"]
        # Of today's ticket, and of those before 0.4 by either key.
        assert len(told["tickets"]) == 3
        with make_app().app_context():
            assert ticket_digest(ticket_token(party)) in told["tickets"]

    def test_what_the_device_must_know_of_the_evening(
        self, phone: Phone, evening: Performance
    ) -> None:
        news = phone.sync()
        told = news["performance"]
        assert datetime.fromisoformat(told["closes_at"]) == evening.starts_at + timedelta(hours=2)
        assert (
            datetime.fromisoformat(told["release_from"])
            == evening.starts_at - no_show_seats.RELEASE_FROM
        )
        assert (told["cancelled"], told["released_at"], news["closed"]) == (False, None, False)
        apart = datetime.now(UTC) - datetime.fromisoformat(news["server_time"])
        assert abs(apart) < timedelta(minutes=1)

    def test_which_devices_were_not_heard_from(
        self, make_phone: Callable[..., Phone], database: psycopg.Connection[Any]
    ) -> None:
        first, second, never = (make_phone(f"Door {letter}") for letter in "ABC")
        for phone in (first, second):
            assert phone.sync()["silent"] == []
        database.execute("UPDATE api_token SET last_seen_at = last_seen_at - interval '3 minutes'")
        assert first.sync()["silent"] == ["Door B"]
        assert second.sync()["silent"] == []
        assert never.sync()["silent"] == []


class TestWhatWaited:
    def test_it_is_taken_in_order_and_once(
        self, app: Flask, phone: Phone, evening: Performance
    ) -> None:
        with app.app_context():
            party = a_party(evening, 4)
        first, then = scan(party.reference, 3), scan(party.reference, 1)
        undone = {"kind": "undo", "scan_id": first["scan_id"]}
        guests = {"kind": "walk_in", "scan_id": str(uuid4()), "people": 2}
        for _ in range(2):
            results = phone.sync(first, then, undone, guests)["results"]
            assert [result["problem"] for result in results] == [None] * 4
            people = [result["verdict"]["people"] for result in results]
            assert people == [3, 1, 0, 2]
        counts = phone.sync()["counts"]
        assert (counts["inside"], counts["walk_ins"]) == (3, 2)

    def test_a_conflict_is_told_to_both_phones(
        self, app: Flask, make_phone: Callable[..., Phone], evening: Performance
    ) -> None:
        with app.app_context():
            party = a_party(evening, 2, name="Ada Rossi")
        one, other = make_phone("Door A"), make_phone("Door B")
        one.sync(scan(party.reference, 2))
        verdict = other.sync(scan(party.reference, 2))["results"][0]["verdict"]
        assert (verdict["verdict"], verdict["people"], verdict["claimed"]) == ("already_in", 0, 2)
        for phone in (one, other):
            (conflict,) = phone.sync()["conflicts"]
            assert conflict["door"] == "Door B"
            assert conflict["first"]["door"] == "Door A"
            assert (conflict["name"], conflict["claimed"]) == ("Ada Rossi", 2)
            assert not conflict["walk_in"]

    def test_walk_ins_in_conflict_are_told_as_such(
        self, phone: Phone, database: psycopg.Connection[Any]
    ) -> None:
        database.execute("UPDATE performance SET capacity = 3")
        offline = {"at": now().isoformat(), "verdict": "admitted", "people": 2}
        for _ in range(3):
            walk_in = {"kind": "walk_in", "scan_id": str(uuid4()), "offline": offline}
            phone.sync(walk_in)
        told = phone.sync()["conflicts"]
        assert {(x["walk_in"], x["people"], x["claimed"]) for x in told} == {
            (True, 0, 2),
            (True, 1, 2),
        }

    def test_one_that_cannot_be_done_holds_nothing_up(
        self, app: Flask, phone: Phone, evening: Performance
    ) -> None:
        with app.app_context():
            one, other = a_party(evening), a_party(evening)
        done = scan(one.reference)
        reused = scan(other.reference, scan_id=done["scan_id"])
        nothing = {"kind": "undo", "scan_id": str(uuid4())}
        last = scan(other.reference)
        results = phone.sync(done, reused, nothing, last)["results"]
        problems = [result["problem"] for result in results]
        assert problems == [None, "scan-reused", "scan-unknown", None]
        assert results[3]["verdict"]["people"] == 1

    def test_five_thousand_of_them(
        self, app: Flask, phone: Phone, evening: Performance, database: psycopg.Connection[Any]
    ) -> None:
        # It was a door for so long: one that was enrolled just now has done less (test_door_scan_rate.py).
        database.execute("UPDATE api_token SET created_at = created_at - interval '90 minutes'")
        with app.app_context():
            party = a_party(evening, 1)
        waiting = [scan(party.reference) for _ in range(300)]
        waiting += [scan("nobody") for _ in range(4_700)]
        for start in range(0, len(waiting), 100):
            phone.sync(*waiting[start : start + 100])
        news = phone.sync(*waiting[:100])
        assert all(result["verdict"]["replayed"] for result in news["results"])
        assert news["counts"]["inside"] == 1
        assert len(news["conflicts"]) == 200, "no more than a phone can show"

    def test_more_than_fit_are_refused_by_name(self, phone: Phone) -> None:
        told = assert_problem(phone.ask(*[scan("A")] * 101), 422, "invalid-fields")
        assert told["errors"][0]["field"] == "actions"

    @pytest.mark.parametrize(
        ("field", "value"),
        [("kind", "dance"), ("scan_id", "1"), ("people", 0), ("surprise", 1), ("offline", {})],
    )
    def test_a_wrong_action_is_named(self, phone: Phone, field: str, value: object) -> None:
        told = assert_problem(phone.ask(scan("A") | {field: value}), 422, "invalid-fields")
        assert told["errors"][0]["field"].startswith(f"actions.0.{field}"), told

    @pytest.mark.parametrize("code", ["", "x" * 10_000, "A\0B", "\ud800"])
    def test_whatever_a_camera_read_is_taken(self, phone: Phone, code: str) -> None:
        (result,) = phone.sync(scan(code))["results"]
        assert (result["verdict"]["verdict"], result["problem"]) == ("unknown", None)


class TestBeingRefused:
    def test_a_page_of_another_version_must_be_loaded_anew(self, phone: Phone) -> None:
        told = assert_problem(phone.ask(version=2), 409, "reload-needed")
        assert told["version"] == 1

    def test_a_revoked_device_leaves_its_news_and_lets_nobody_in(
        self,
        app: Flask,
        phone: Phone,
        evening: Performance,
        database: psycopg.Connection[Any],
    ) -> None:
        with app.app_context():
            party = a_party(evening, 2)
            (seen,) = devices.devices_of(evening.id)
            revoke_token(seen.token_id)
        for method, path in (("GET", ""), ("POST", "/scans"), ("POST", "/parties")):
            assert_problem(phone.send(method, path, json={}), 401, "device-revoked")
        waiting = [scan(party.reference, 2), {"kind": "undo", "scan_id": str(uuid4())}]
        for _ in range(2):
            assert_problem(phone.ask(*waiting), 401, "device-revoked")
        rows = database.execute("SELECT verdict, people, claimed FROM scan").fetchall()
        assert rows == [("revoked", 0, 2)]
        assert database.execute("SELECT admitted FROM reservation").fetchone() == (0,)

    def test_who_was_let_in_by_a_revoked_device_is_told_with_that_door(
        self, app: Flask, make_phone: Callable[..., Phone], evening: Performance
    ) -> None:
        with app.app_context():
            party = a_party(evening, 2)
        lost, other = make_phone("Door A"), make_phone("Door B")
        with app.app_context():
            (seen,) = (one for one in devices.devices_of(evening.id) if "Door A" in one.label)
            revoke_token(seen.token_id)
        earlier = (now() - timedelta(minutes=5)).isoformat()
        offline = {"at": earlier, "verdict": "admitted", "people": 2}
        assert_problem(lost.ask(scan(party.reference, 2, offline=offline)), 401, "device-revoked")
        (conflict,) = other.sync(scan(party.reference, 2))["conflicts"]
        assert (conflict["verdict"], conflict["attempt"]["door"]) == ("revoked", "Door A")
        assert conflict["door"] == "Door B", "the party's other scan, which came later"

    def test_walk_ins_of_a_revoked_device_are_told_as_such(
        self, app: Flask, make_phone: Callable[..., Phone], evening: Performance
    ) -> None:
        lost, other = make_phone("Door A"), make_phone("Door B")
        with app.app_context():
            (seen,) = (one for one in devices.devices_of(evening.id) if "Door A" in one.label)
            revoke_token(seen.token_id)
        forged = scan("nonsense", 3)
        walk_in = scan("", 1, kind="walk_in")
        assert_problem(lost.ask(forged, walk_in), 401, "device-revoked")
        told = {one["claimed"]: one for one in other.sync()["conflicts"]}
        assert {one["verdict"] for one in told.values()} == {"revoked"}
        assert told[1]["walk_in"]
        assert not told[3]["walk_in"]

    def test_whom_it_let_in_and_did_not_take_back_is_in_the_building(
        self, app: Flask, make_phone: Callable[..., Phone], evening: Performance
    ) -> None:
        with app.app_context():
            party = a_party(evening, 4)
        lost, other = make_phone("Door A"), make_phone("Door B")
        other.sync(scan(party.reference, 3))
        with app.app_context():
            (seen,) = (one for one in devices.devices_of(evening.id) if "Door A" in one.label)
            revoke_token(seen.token_id)
        slip = scan("", 2, kind="walk_in")
        taken_back = {"kind": "undo", "scan_id": slip["scan_id"]}
        for _ in range(2):
            told = lost.ask(scan("", 4, kind="walk_in"), slip, taken_back)
            assert_problem(told, 401, "device-revoked")
        counts = other.sync()["counts"]
        assert (counts["inside"], counts["in_building"]) == (3, 11)
        assert other.send("GET").json["in_building"] == 11

    def test_the_figure_is_not_sure_until_it_was_told_that_it_is_revoked(
        self,
        app: Flask,
        make_phone: Callable[..., Phone],
        evening: Performance,
        database: psycopg.Connection[Any],
    ) -> None:
        lost, other = make_phone("Door A"), make_phone("Door B")
        lost.sync()
        heard = now() - timedelta(minutes=20)
        database.execute("UPDATE api_token SET last_seen_at = %s", [heard])
        with app.app_context():
            (seen,) = (one for one in devices.devices_of(evening.id) if "Door A" in one.label)
            revoke_token(seen.token_id)
        assert datetime.fromisoformat(other.sync()["counts"]["known_at"]) == heard
        body = {"scan_id": str(uuid4()), "code": "nonsense"}
        assert_problem(lost.send("POST", "/scans", json=body), 401, "device-revoked")
        news = other.sync()
        known_at = datetime.fromisoformat(news["counts"]["known_at"])
        assert datetime.fromisoformat(news["server_time"]) - known_at < timedelta(minutes=1)

    def test_a_device_is_revoked_at_once_though_it_is_remembered(
        self, app: Flask, phone: Phone, evening: Performance, database: psycopg.Connection[Any]
    ) -> None:
        with app.app_context():
            party = a_party(evening, 4)
        body = {"scan_id": str(uuid4()), "code": party.reference, "people": 1}
        assert phone.send("POST", "/scans", json=body).json["people"] == 1
        # By hand: what the application remembers is not told of it.
        database.execute("UPDATE api_token SET revoked_at = now()")
        for code in (party.reference, "ZZZZZZZZ"):
            body = {"scan_id": str(uuid4()), "code": code}
            assert_problem(phone.send("POST", "/scans", json=body), 401, "device-revoked")
        assert database.execute("SELECT admitted FROM reservation").fetchone() == (1,)
        assert database.execute("SELECT count(*) FROM scan").fetchone() == (1,)
        database.execute("UPDATE api_token SET revoked_at = NULL")
        assert phone.send("POST", "/scans", json=body).status_code == 200

    def test_one_that_is_revoked_while_it_syncs(
        self, app: Flask, phone: Phone, evening: Performance, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with app.app_context():
            party = a_party(evening, 2)
        found = devices.find_device

        def find_and_revoke(text: str) -> devices.Device | None:
            device = found(text)
            assert device is not None
            revoke_token(device.token_id)
            return device

        monkeypatch.setattr(devices, "find_device", find_and_revoke)
        assert_problem(phone.ask(scan(party.reference)), 401, "device-revoked")
        walk_in = {"scan_id": str(uuid4())}
        assert_problem(phone.send("POST", "/walk-ins", json=walk_in), 401, "device-revoked")

    def test_a_revoked_device_does_not_fill_the_books(
        self,
        app: Flask,
        phone: Phone,
        evening: Performance,
        database: psycopg.Connection[Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("azionelab.checkin.pages.api._MAX_REVOKED_SCANS", 3)
        with app.app_context():
            (seen,) = devices.devices_of(evening.id)
            revoke_token(seen.token_id)
        for _ in range(3):
            phone.ask(scan("A"), scan("B"))
        assert database.execute("SELECT count(*) FROM scan").fetchone() == (3,)

    def test_when_the_performance_is_over_the_list_is_not_given(
        self, app: Flask, phone: Phone, evening: Performance, database: psycopg.Connection[Any]
    ) -> None:
        with app.app_context():
            party = a_party(evening, 2)
        phone.sync()
        database.execute("UPDATE performance SET starts_at = now() - interval '3 hours'")
        news = phone.sync(scan(party.reference, 2), cursor=None)
        assert (news["closed"], news["parties"], news["conflicts"]) == (True, [], [])
        assert news["results"][0]["verdict"]["people"] == 2, "what happened before is still taken"
        online = {"kind": "scan", "scan_id": str(uuid4()), "code": party.reference}
        assert phone.sync(online)["results"][0]["problem"] == "door-closed"
        for method, path in (
            ("GET", ""),
            ("POST", "/parties"),
            ("POST", "/scans"),
            ("POST", "/walk-ins"),
            ("POST", "/release"),
            ("DELETE", f"/scans/{uuid4()}"),
        ):
            assert_problem(phone.send(method, path, json={}), 403, "door-closed")


class TestReleasing:
    def test_it_and_taking_it_back(self, app: Flask, phone: Phone, evening: Performance) -> None:
        with app.app_context():
            a_party(evening, 3)
        # Whoever misspells whom it is about releases nothing.
        assert phone.send("POST", "/release?lates=true").status_code == 422
        released = phone.send("POST", "/release").json
        assert (released["parties"], released["places"]) == (1, 3)
        news = phone.sync()
        assert (news["counts"]["free"], news["counts"]["released"]) == (10, 3)
        assert news["performance"]["released_at"]
        assert phone.send("DELETE", "/release").json["places"] == 3
        assert phone.sync()["performance"]["released_at"] is None

    def test_too_early(
        self, phone: Phone, evening: Performance, database: psycopg.Connection[Any]
    ) -> None:
        database.execute("UPDATE performance SET starts_at = now() + interval '2 hours'")
        told = assert_problem(phone.send("POST", "/release"), 409, "release-too-early")
        assert datetime.fromisoformat(told["opens_at"]).tzinfo

    def test_called_off(self, app: Flask, phone: Phone, evening: Performance) -> None:
        with app.app_context():
            performance_changes.cancel_performance(evening.id)
        assert_problem(phone.send("POST", "/release"), 409, "performance-cancelled")
        walk_in = phone.send("POST", "/walk-ins", json={"scan_id": str(uuid4())}).json
        assert walk_in["verdict"] == "performance_cancelled"
        assert phone.sync()["performance"]["cancelled"]


def test_a_late_comer(app: Flask, phone: Phone, evening: Performance) -> None:
    with app.app_context():
        party = a_party(evening, 2)
        no_show_seats.release_no_shows(evening.id)
    body = {"scan_id": str(uuid4()), "code": party.reference}
    told = phone.send("POST", "/scans", json=body).json
    assert (told["verdict"], told["party"]["released"]) == ("released", 2)
    body = {"scan_id": str(uuid4()), "code": party.reference, "people": 1, "late": True}
    told = phone.send("POST", "/scans", json=body).json
    assert (told["verdict"], told["people"], told["party"]["released"]) == ("admitted", 1, 1)


def test_late_comers_who_came_one_after_the_other_without_a_network(
    app: Flask, phone: Phone, evening: Performance
) -> None:
    with app.app_context():
        party = a_party(evening, 4)
        no_show_seats.release_no_shows(evening.id)
    news = phone.sync(scan(party.reference, 2), scan(party.reference, 1), scan(party.reference, 1))
    told = [result["verdict"] for result in news["results"]]
    assert [(verdict["people"], verdict["party"]["admitted"]) for verdict in told] == [
        (2, 2),
        (1, 3),
        (1, 4),
    ]
    assert (news["counts"]["inside"], news["counts"]["released"]) == (4, 0)


def test_a_claim_by_the_door_of_scans(app: Flask, phone: Phone, evening: Performance) -> None:
    with app.app_context():
        party = a_party(evening, 2)
    body = {k: v for k, v in scan(party.reference, 2).items() if k != "kind"}
    told = phone.send("POST", "/scans", json=body).json
    assert (told["verdict"], told["claimed"]) == ("admitted", 2)
    assert told["party"]["admitted"] == 2


@pytest.mark.parametrize(
    ("verdict", "people"),
    [("already_in", 0), ("not_listed", 0), ("not_listed", 2), ("admitted", 2)],
)
def test_of_another_performances_visitors_a_claim_tells_nothing(
    app: Flask, phone: Phone, verdict: str, people: int
) -> None:
    with app.app_context():
        party = a_party(a_performance(), name="Ada Rossi")
    action = scan(party.reference, people)
    action["offline"]["verdict"] = verdict
    kind = action.pop("kind")
    answers = [phone.sync({"kind": kind} | action), phone.sync(cursor=None)]
    # The same again, as without a sync.
    answers.append(phone.send("POST", "/scans", json=action).json)
    if people:
        answers.append(phone.send("DELETE", f"/scans/{action['scan_id']}").json)
    assert "Ada Rossi" not in json.dumps(answers)

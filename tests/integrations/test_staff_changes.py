"""The API for staff that changes reservations: by the box office's rules, once, and told to whom it concerns."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from azionelab.bookings import performance_changes
from azionelab.bookings.models import Reservation
from azionelab.checkin.scanning.scans import admit
from azionelab.database import db, now
from azionelab.database.audit import ActorKind, AuditEntry
from azionelab.integrations.program_keys import KEPT, forget_keys
from azionelab.integrations.tokens import Scope, issue_program_token, revoke_program_token
from azionelab.integrations.webhooks.endpoints import Event, create_webhook
from tests.api.expect import assert_problem
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    fresh,
    mails,
    seats_held,
    ticket_token,
)

Database = psycopg.Connection[Any]
pytestmark = pytest.mark.usefixtures("in_app")
ADA = {"name": "Ada Rossi", "email": "ada@example.org", "seats": 2}


class Programs:
    """A program that may change reservations, and its requests."""

    def __init__(self, client: FlaskClient, label: str = "The theatre's site") -> None:
        self.client = client
        self.token, text = issue_program_token(label, [Scope.CHANGE_RESERVATIONS], 1, None)
        self.headers = {"Authorization": f"Bearer {text}", "Accept-Language": "en"}

    def send(self, method: str, path: str, key: UUID | None = None, **body: Any) -> Any:
        headers = self.headers | ({"Idempotency-Key": str(key)} if key else {})
        address = f"/api/v1/staff/reservations{path}"
        return self.client.open(address, method=method, json=body, headers=headers)

    def book(self, performance_id: int, key: UUID | None = None, **booking: Any) -> Any:
        return self.send(
            "POST", "", key or uuid4(), performance_id=performance_id, **(ADA | booking)
        )

    def do(self, what: str, entry: dict[str, Any], **body: Any) -> Any:
        """One of a reservation's changes, with the version of the entry."""
        path = f"/{entry['id']}" + (f"/{what}" if what != "change" else "")
        body = {"version": entry["version"]} | body
        return self.send("PATCH" if what == "change" else "POST", path, **body)


@pytest.fixture
def program(client: FlaskClient) -> Programs:
    return Programs(client)


def test_a_booking_is_made_changed_moved_cancelled_and_taken_back(
    program: Programs, database: Database
) -> None:
    tomorrow, later = a_performance(), a_performance(starts_at=now() + timedelta(days=9))
    create_webhook("http://127.0.0.1:1/", tuple(Event), None)
    answer = program.book(tomorrow.id, note="wheelchair", contact="555 12", locale="it")
    assert answer.status_code == 201
    party = answer.json
    assert (party["state"], party["kind"], party["seats"]) == ("confirmed", "box_office", 2)
    assert (party["note"], party["contact"], party["locale"]) == ("wheelchair", "555 12", "it")
    assert mails(fresh(UUID(party["id"]))) == ["ticket"]

    changed = program.do("change", party, seats=3, name=" Ada  Bianchi ", notify=False)
    assert changed.status_code == 200
    assert changed.json["version"] > party["version"]
    assert {name for name in party if party[name] != changed.json[name]} == {
        "name",
        "seats",
        "version",
    }
    assert changed.json["name"] == "Ada Bianchi"
    moved = program.do("move", changed.json, performance_id=later.id).json
    assert (moved["performance_id"], moved["reference"]) == (later.id, party["reference"])
    assert (seats_held(tomorrow.id), seats_held(later.id)) == ((0, 0), (3, 3))
    cancelled = program.do("cancel", moved, notify=False).json
    assert cancelled["state"] == "cancelled"
    assert seats_held(later.id) == (0, 0)
    assert mails(fresh(UUID(party["id"]))) == ["ticket", "changed"], "of the move alone"
    back = program.do("reinstate", cancelled).json
    assert (back["state"], back["seats"]) == ("confirmed", 3)

    # Sent again, each answers the same and changes nothing.
    for what, sent, more in (("reinstate", cancelled, {}), ("change", party, {"seats": 3})):
        again = program.do(what, sent, **more)
        assert (again.status_code, again.json) == (200, back)
    events = [event for (event,) in database.execute("SELECT event FROM webhook_delivery")]
    assert sorted(set(events)) == [
        f"reservation.{what}" for what in ("cancelled", "changed", "confirmed", "reserved")
    ]
    entries = db.session.scalars(
        select(AuditEntry).where(
            AuditEntry.object_type == "reservation", AuditEntry.object_id == party["id"]
        )
    ).all()
    assert len(entries) >= 5
    assert {(one.actor, one.token_id, one.address) for one in entries} == {
        (ActorKind.API, program.token.id, "127.0.0.1")
    }


def test_seats_are_held_until_a_time_and_without_an_address(program: Programs) -> None:
    performance = a_performance()
    until = (now() + timedelta(hours=3)).replace(microsecond=0)
    held = program.book(performance.id, email="", held_until=until.isoformat()).json
    assert (held["state"], held["email"]) == ("pending", "")
    assert held["hold_expires_at"] == until.isoformat()
    told = assert_problem(program.book(performance.id, email=""), 409, "same-name")
    assert (told["reservation_id"], told["reference"]) == (held["id"], held["reference"])
    assert program.book(performance.id, email="", same_name=True).status_code == 201


def test_a_change_names_more_wheelchair_places_than_seats(program: Programs) -> None:
    party = program.book(a_performance(capacity=9, wheelchair_places=3).id, seats=1).json
    refused = assert_problem(
        program.do("change", party, wheelchair_places=2), 422, "invalid-fields"
    )
    assert [error["field"] for error in refused["errors"]] == ["wheelchair_places"]
    assert program.do("change", party, seats=2, wheelchair_places=2).json["wheelchair_places"] == 2


def test_a_booking_sent_again_is_the_same_booking(program: Programs, client: FlaskClient) -> None:
    performance, key = a_performance(capacity=20), uuid4()
    first = program.book(performance.id, key)
    assert program.book(performance.id, key).json == first.json
    assert mails(fresh(UUID(first.json["id"]))) == ["ticket"]
    told = assert_problem(program.book(performance.id, key, note="other"), 422, "key-reused")
    assert [error["field"] for error in told["errors"]] == ["Idempotency-Key"]
    program.do("cancel", first.json)
    again = program.book(performance.id, key)
    assert (again.json["id"], again.json["state"]) == (first.json["id"], "cancelled")
    assert seats_held(performance.id) == (0, 0)
    # The key of another program is another key.
    other = Programs(client, "A sheet").book(performance.id, key, note="other")
    assert (other.status_code, other.json["id"] != first.json["id"]) == (201, True)
    told = assert_problem(
        program.send("POST", "", performance_id=performance.id, **ADA), 422, "invalid-fields"
    )
    assert [error["field"] for error in told["errors"]] == ["Idempotency-Key"]


def test_keys_are_forgotten_after_a_day(program: Programs, database: Database) -> None:
    performance, key = a_performance(), uuid4()
    booked = program.book(performance.id, key).json
    database.execute("UPDATE program_key SET created_at = now() - %s", [KEPT + timedelta(hours=1)])
    program.book(performance.id, email="b@example.org")
    forget_keys()
    assert database.execute("SELECT count(*) FROM program_key").fetchone() == (1,)
    assert program.book(performance.id, key).json == booked, "its booking is known by its row"


def test_the_second_of_two_is_told(program: Programs) -> None:
    party = program.book(a_performance().id).json
    other = a_performance()
    program.do("change", party, note="first")
    for what, body in (
        ("change", {"note": "second"}),
        ("move", {"performance_id": other.id}),
        ("cancel", {}),
    ):
        told = assert_problem(program.do(what, party, **body), 409, "reservation-changed")
        assert [error["field"] for error in told["errors"]] == ["version"]
    stored = fresh(UUID(party["id"]))
    assert (stored.note, stored.state) == ("first", "confirmed")


def test_what_is_refused_is_named(program: Programs) -> None:
    performance = a_performance(capacity=12, party_limit=4)
    party = program.book(performance.id).json
    a_party(performance, email="bruno@example.org")
    full = a_performance(capacity=1)
    over = a_performance(starts_at=now() - timedelta(days=2))
    gone = a_performance()
    performance_changes.cancel_performance(gone.id)
    late = (performance.starts_at + timedelta(minutes=1)).isoformat()
    new = {"email": "carla@example.org"}
    inside = a_party(performance, 1)
    admit(performance.id, ticket_token(inside), uuid4(), DOOR_A)
    seen = {"id": str(inside.id), "version": fresh(inside.id).changed_in}
    refusals: list[tuple[Any, int, str, str | None]] = [
        (program.book(performance.id, **new, seats=5), 422, "party-too-large", "limit_reason"),
        (program.book(performance.id, **new, seats=9999), 422, "invalid-fields", "seats"),
        (program.book(full.id), 409, "sold-out", None),
        (program.book(performance.id), 409, "already-booked", "email"),
        (program.book(performance.id, **new, held_until=late), 422, "invalid-fields", "held_until"),
        (program.book(over.id), 409, "performance-over", None),
        (program.book(gone.id), 409, "performance-cancelled", None),
        (program.book(999_999), 422, "invalid-fields", "performance_id"),
        (program.do("change", party, seats=11), 422, "party-too-large", "limit_reason"),
        (program.do("change", party, email="bruno@example.org"), 409, "already-booked", "email"),
        (program.do("change", party, email="nobody"), 422, "invalid-fields", "email"),
        (program.do("change", party, note="a\x07"), 422, "invalid-fields", "note"),
        (program.do("change", party, notify="yes"), 422, "invalid-fields", "notify"),
        (program.do("change", party, state="confirmed"), 422, "invalid-fields", "state"),
        (program.do("move", party, performance_id=full.id), 409, "sold-out", None),
        (
            program.do("move", party, performance_id=over.id),
            422,
            "invalid-fields",
            "performance_id",
        ),
        (program.do("move", party, performance_id=99), 422, "invalid-fields", "performance_id"),
        (program.do("cancel", seen), 409, "party-inside", None),
        (program.send("POST", f"/{party['id']}/cancel"), 422, "invalid-fields", "version"),
    ]
    for answer, status, kind, field in refusals:
        told = assert_problem(answer, status, kind)
        named = [error["field"] for error in told.get("errors", [])]
        assert named == ([field] if field else []), told
        assert told["detail"]
    for what in ("change", "cancel"):
        assert_problem(program.do(what, {"id": uuid4(), "version": 1}), 404)
    reasoned = program.book(performance.id, **new, seats=5, limit_reason="A class")
    assert (reasoned.status_code, reasoned.json["limit_reason"]) == (201, "A class")
    assert fresh(UUID(party["id"])).seats == 2


def test_a_program_that_lost_its_token_changes_nothing(
    program: Programs, database: Database
) -> None:
    party = program.book(a_performance().id).json
    revoke_program_token(program.token.id)
    told = assert_problem(program.do("cancel", party), 401)
    assert "Ada" not in str(told)
    database.execute(
        "UPDATE program_token SET revoked_at = NULL, expires_at = now() - interval '1 second'"
    )
    assert_problem(program.do("cancel", party), 401)
    assert db.session.get_one(Reservation, UUID(party["id"]), populate_existing=True).is_live

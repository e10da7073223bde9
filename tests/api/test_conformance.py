"""Schemathesis makes requests out of the published description, right and wrong ones, and holds
every answer against it: no server error, no undocumented status, no body that is not as described.
"""

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, assume, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from azionelab.bookings.models import MAX_EMAIL
from azionelab.bookings.seats.no_show_seats import RELEASE_FROM
from azionelab.checkin.devices import scan_rate
from azionelab.checkin.devices.invitations import enrol, make_invitation
from azionelab.checkin.devices.passes import make_pass
from azionelab.database import db, now
from azionelab.database.row_versions import add_row
from azionelab.integrations.pages import access
from azionelab.shows.models import Performance, Show
from azionelab.web.pages import MAX_ROW
from azionelab.web.rate_limits import RateLimit
from tests.factories import a_party, a_performance, fresh, ticket_token

_TURNS = 5


@pytest.fixture
def described(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The description as the site publishes it, and a house that most requests find."""
    # More than a device may write is refused: that is tried in test_door_scan_rate.py.
    many = RateLimit("door-attempt", lambda _settings: "10000 per minute", spares_box_office=False)
    monkeypatch.setattr(scan_rate, "ATTEMPTS", many)
    monkeypatch.setattr(access, "_REQUESTS", many)
    with app.app_context():
        # Soon enough that places can be released, and still open for booking.
        curtain = now() + RELEASE_FROM / 2
        performance = a_performance(
            capacity=100_000, party_limit=100, starts_at=curtain, booking_closes_at=curtain
        )
        party = a_party(performance, seats=6)
        show = add_row(Show, {"title": "Il gabbiano", "slug": "il-gabbiano"}).id
        played, venue = performance.show_id, performance.venue_id
        minutes = itertools.count(60_000)
        identity, code, reservation = performance.id, ticket_token(party), str(party.id)
        invitation = make_invitation(identity, phones=1_000)  # each right request makes one
        passed = make_pass(enrol(make_invitation(identity, serves_days=3), "Marta")[0])
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)

    def seen_version(label: str) -> int:
        if "/shows/" in label:
            return db.session.get_one(Show, show, populate_existing=True).version
        if "/performances/" in label:
            found = db.session.get_one(Performance, identity, populate_existing=True)
            return found.version
        return fresh(party.id).changed_in

    def _find_performance(where: Any) -> None:
        number = where and where.get("performance_id")
        if type(number) is int and 0 <= number <= MAX_ROW and number % 4:
            where["performance_id"] = identity

    @schema.hook
    def map_path_parameters(context: Any, parameters: Any) -> Any:
        _find_performance(parameters)
        number = parameters and parameters.get("show_id")
        if type(number) is int and 0 < number <= MAX_ROW:
            parameters["show_id"] = show if "/staff/" in context.operation.label else played
        if parameters and len(str(parameters.get("reservation_id"))) == len(reservation):
            parameters["reservation_id"] = reservation
        return parameters

    @schema.hook
    def map_body(context: Any, body: Any) -> Any:
        if isinstance(body, dict):
            if "/staff/" in context.operation.label:
                _find_performance(body)
                seen = body.get("version")
                if type(seen) is int and 0 < seen <= MAX_ROW and seen % 4:
                    with app.app_context():
                        body["version"] = seen_version(context.operation.label)
                for name, row in (("show_id", played), ("venue_id", venue)):
                    if type(body.get(name)) is int and 0 < body[name] <= MAX_ROW:
                        body[name] = row
                if _is_moment(body.get("starts_at")):
                    body["starts_at"] = (now() + timedelta(minutes=next(minutes))).isoformat()
            typed, email, seats = body.get("code"), body.get("email"), body.get("seats")
            if isinstance(typed, str) and len(typed) > 2:
                body["code"] = code
            shown = body.get("invitation")
            if isinstance(shown, str) and 0 < len(shown) <= 500:
                body["invitation"] = invitation
            kept = body.get("pass")
            if isinstance(kept, str) and 0 < len(kept) <= 500:
                body["pass"] = passed
            if isinstance(email, str) and "@" in email and len(email) <= MAX_EMAIL:
                body["email"] = f"visitor-{len(email)}@example.org"
            # The form for visitors names no greatest party, since it is the performance's.
            if type(seats) is int and seats > 100 and "consent" in body:
                body["seats"] = seats % 100 + 1
        return body

    return schema


def test_the_description_is_valid_openapi(described: Any) -> None:
    described.validate()
    assert described.raw_schema["openapi"] == "3.1.0"


def test_right_requests_are_answered_as_described(
    described: Any, door_headers: dict[str, str], program_headers: dict[str, str]
) -> None:
    for operation in _operations(described):
        done = {200, 201, 202}
        seen: set[int] = set()
        # Else the checks saw refusals only. (A scan to undo is not found by chance.)
        for turn in range(_TURNS):
            headers = program_headers if "/staff/" in operation.label else door_headers
            seen |= _try_out(operation, GenerationMode.POSITIVE, headers, turn)
            if seen & done or operation.label.startswith("DELETE"):
                break
        else:
            pytest.fail(f"{operation.label}: {seen}")


def test_wrong_requests_are_refused_as_described(
    described: Any, door_headers: dict[str, str], program_headers: dict[str, str]
) -> None:
    for operation in _operations(described):
        if operation.label in ("GET /api/v1/performances", "GET /api/v1/staff/shows"):
            continue  # they take nothing that could be wrong
        headers = program_headers if "/staff/" in operation.label else door_headers
        seen = _try_out(operation, GenerationMode.NEGATIVE, headers)
        assert seen & {400, 404, 415, 422}, operation.label


def _is_moment(typed: Any) -> bool:
    try:
        return datetime.fromisoformat(typed).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _operations(described: Any) -> list[Any]:
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) == 34
    return operations


def _try_out(
    operation: Any, mode: GenerationMode, headers: dict[str, str], turn: int = 0
) -> set[int]:
    """Hold the answers to generated requests against the description; the statuses seen.

    Each turn has its own requests. They are the same in each run of the same code, of whose constants they are
    made: any change of it may leave one turn with refusals only.
    """
    seen = set()

    @seed(turn)
    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        assume(_is_sent_whole(case))
        answer = case.call_and_validate(
            headers=headers,
            # A description cannot say all that an address or a party's size must be.
            excluded_checks=[positive_data_acceptance],
        )
        seen.add(answer.status_code)

    check()
    return seen


def _is_sent_whole(case: Any) -> bool:
    """Whether all that was made up is in the request: an empty value of a query is not, and leaves nothing wrong."""
    return all(value not in (None, [], {}) for value in (case.query or {}).values())

"""A client that a generator writes from the published description books, and opens the door."""

import importlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask.testing import FlaskClient

from azionelab.admin.exports.downloads import XLSX
from tests.api.expect import BOOKING
from tests.conftest import Site
from tests.factories import a_party, a_performance, ticket_token
from tests.support.processes import PATIENCE, PYTHON

pytestmark = pytest.mark.usefixtures("in_app")

Module = Callable[[str], Any]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, app: Any) -> Path:
    """The folder of a client that was generated from /api/openapi.json."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_bytes(app.test_client().get("/api/openapi.json").data)
    options = {
        "package_name_override": "theatre_client",
        "post_hooks": [],
        # The generator knows no workbooks: they are bytes.
        "content_type_overrides": {XLSX: "application/octet-stream"},
    }
    (folder / "options.json").write_text(json.dumps(options), encoding="utf-8")
    generated = subprocess.run(
        [
            *(PYTHON, "-m", "openapi_python_client", "generate", "--meta", "none"),
            *("--path", "openapi.json", "--config", "options.json", "--fail-on-warning"),
            *("--output-path", "theatre_client"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert generated.returncode == 0, generated.stdout + generated.stderr
    return folder


@pytest.fixture
def part(written: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """Import a module of the generated client."""
    monkeypatch.syspath_prepend(str(written))

    def find(name: str) -> Any:
        return importlib.import_module(f"theatre_client.{name}")

    return find


def test_it_finds_a_performance_and_books_it(
    part: Module, live_site: Site, database: psycopg.Connection[Any]
) -> None:
    performance = a_performance(capacity=10)
    booking = part("models.booking").Booking.from_dict
    book_seats = part("api.bookings_api.book_seats").sync
    with part("client").Client(base_url=live_site.url, timeout=PATIENCE) as visitor:
        programme = part("api.programme_api.list_performances").sync(client=visitor)
        (listed,) = programme.performances
        assert (listed.id, listed.seats_left) == (performance.id, 10)
        # (The generator's types say UUID, and its code wants the text of one.)
        answer = book_seats(
            listed.id, client=visitor, body=booking(BOOKING), idempotency_key=str(uuid4())
        )
        assert answer.status == "check_your_inbox"
        assert database.execute("SELECT seats_held FROM performance").fetchone() == (2,)
        greedy = booking(BOOKING | {"email": "bruno@example.org", "seats": 7})
        problem = book_seats(listed.id, client=visitor, body=greedy)
    assert (problem.status, problem.type_) == (422, "/api/problems/party-too-large")


def test_it_lets_a_party_in(part: Module, live_site: Site, door_headers: dict[str, str]) -> None:
    party = a_party(a_performance(), 3)
    token = door_headers["Authorization"].removeprefix("Bearer ")
    scan = part("models.scan").Scan.from_dict(
        {"scan_id": str(uuid4()), "code": ticket_token(party), "door": "Main"}
    )
    authenticated = part("client").AuthenticatedClient
    with authenticated(base_url=live_site.url, token=token, timeout=PATIENCE) as device:
        verdict = part("api.door_api.scan_ticket").sync(
            party.performance_id, client=device, body=scan
        )
    assert (verdict.verdict, verdict.people) == ("admitted", 3)


def test_every_operation_has_a_name_and_says_who_may_call_it(client: FlaskClient) -> None:
    described = client.get("/api/openapi.json").json
    operations = [
        (path, operation)
        for path, methods in described["paths"].items()
        for name, operation in methods.items()
        if name != "parameters"
    ]
    names = [operation["operationId"] for _, operation in operations]
    assert len(set(names)) == len(names) == 34
    for path, operation in operations:
        guards = {"/api/v1/checkin/performances/": "doorToken", "/api/v1/staff/": "programToken"}
        expected = [{scheme: []} for start, scheme in guards.items() if path.startswith(start)]
        assert operation["security"] == expected
    assert described["info"]["license"]["identifier"] == "CC0-1.0"

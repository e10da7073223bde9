"""The API for staff: tokens with scopes, pages and filters."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.database import now
from azionelab.integrations.pages import access
from azionelab.integrations.tokens import Scope, issue_program_token, revoke_program_token
from azionelab.web.rate_limits import RateLimit
from tests.api.expect import assert_problem
from tests.factories import a_party, a_performance, let_lapse
from tests.support.people import logged_in, press

Database = psycopg.Connection[Any]
pytestmark = pytest.mark.usefixtures("in_app")


def a_token(*scopes: Scope, days: int = 1) -> dict[str, str]:
    """The headers of a program with these scopes."""
    _token, text = issue_program_token("A sheet", scopes or tuple(Scope), days, None)
    return {"Authorization": f"Bearer {text}"}


def get(client: FlaskClient, path: str, headers: dict[str, str] | None = None, **asked: Any) -> Any:
    return client.get(f"/api/v1/staff{path}", headers=headers or a_token(), query_string=asked)


def test_shows_and_performances_are_listed_unpublished_ones_too(
    client: FlaskClient, database: Database
) -> None:
    hidden = a_performance(capacity=9)
    a_party(hidden, seats=4)
    a_party(hidden, seats=2, confirmed=False)
    database.execute("UPDATE show SET published = false")
    (show,) = [show for show in get(client, "/shows").json["shows"] if show["id"] == hidden.show_id]
    assert show["published"] is False
    listed = get(client, "/performances", show_id=hidden.show_id).json
    (found,) = listed["performances"]
    assert listed["next"] is None
    assert found == get(client, f"/performances/{hidden.id}").json
    assert found["seats"] == {
        "capacity": 9,
        "confirmed": 4,
        "pending": 2,
        "walk_ins": 0,
        "admitted": 0,
        "free": 3,
        "wheelchair_free": 0,
    }
    assert get(client, "/performances/999999").status_code == 404


def test_performances_are_found_by_their_date(client: FlaskClient) -> None:
    soon = a_performance(starts_at=now() + timedelta(days=3))
    later = a_performance(starts_at=now() + timedelta(days=9))
    asked = {"starts_from": (now() + timedelta(days=5)).isoformat()}
    found = get(client, "/performances", **asked).json["performances"]
    assert [each["id"] for each in found] == [later.id]
    asked = {"starts_before": (now() + timedelta(days=5)).isoformat()}
    found = get(client, "/performances", **asked).json["performances"]
    assert [each["id"] for each in found] == [soon.id]


def test_reservations_are_read_page_by_page_each_once(client: FlaskClient) -> None:
    performance = a_performance(capacity=50)
    made = {str(a_party(performance, name=f"Visitor {n}").id) for n in range(7)}
    a_party(a_performance())
    headers, seen, after = a_token(), list[str](), None
    while True:
        asked = {"performance_id": performance.id, "limit": 3} | ({"after": after} if after else {})
        page = get(client, "/reservations", headers, **asked).json
        assert len(page["reservations"]) <= 3
        seen += [each["id"] for each in page["reservations"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == 7
    assert set(seen) == made
    one = get(client, f"/reservations/{seen[0]}", headers).json
    assert one["name"].startswith("Visitor ")
    assert "token" not in one


def test_a_lapsed_hold_is_expired_for_programs_too(client: FlaskClient) -> None:
    performance = a_performance()
    waits, lapsed = (a_party(performance, confirmed=False) for _ in range(2))
    let_lapse(lapsed)
    for state, party in (("pending", waits), ("expired", lapsed)):
        (found,) = get(client, "/reservations", state=state).json["reservations"]
        assert (UUID(found["id"]), found["state"]) == (party.id, state)


def test_a_token_reads_what_its_scopes_name(client: FlaskClient) -> None:
    season, people = a_token(Scope.SEASON), a_token(Scope.RESERVATIONS)
    assert get(client, "/shows", season).status_code == 200
    assert get(client, "/reservations", people).status_code == 200
    told = assert_problem(get(client, "/reservations", season), 403, "scope-missing")
    assert told["scope"] == "reservations:read"
    assert_problem(get(client, "/shows", people), 403, "scope-missing")


def test_a_token_ends_with_its_days_and_when_it_is_revoked(
    client: FlaskClient, database: Database
) -> None:
    assert client.get("/api/v1/staff/shows").status_code == 401
    token, text = issue_program_token("A sheet", [Scope.SEASON], 1, None)
    headers = {"Authorization": f"Bearer {text}"}
    assert get(client, "/shows", headers).status_code == 200
    assert text.encode() not in b"".join(
        bytes(row.digest) for row in database.execute("SELECT digest FROM program_token")
    )
    database.execute("UPDATE program_token SET expires_at = now()")
    assert_problem(get(client, "/shows", headers), 401)
    database.execute("UPDATE program_token SET expires_at = now() + interval '1 hour'")
    assert get(client, "/shows", headers).status_code == 200
    assert revoke_program_token(token.id)
    assert not revoke_program_token(token.id)
    assert_problem(get(client, "/shows", headers), 401)


def test_wrong_filters_are_named(client: FlaskClient) -> None:
    for field, value in (
        ("limit", "1000"),
        ("state", "gone"),
        ("created_from", "yesterday"),
        ("sort", "name"),
    ):
        told = assert_problem(get(client, "/reservations", **{field: value}), 422, "invalid-fields")
        assert [error["field"] for error in told["errors"]] == [field]


def test_a_program_that_asks_too_often_waits(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = RateLimit("program-request", lambda _settings: "3 per minute", spares_box_office=False)
    monkeypatch.setattr(access, "_REQUESTS", few)
    headers = a_token()
    assert [get(client, "/shows", headers).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert get(client, "/shows").status_code == 200, "others are not concerned"


def test_an_administrator_issues_a_token_and_ends_it(app: Flask) -> None:
    admin = logged_in(app, "admin")
    page = press(admin, "/admin/programs/new/", "/admin/programs/new/", label="Sheet", days=7)
    assert "Choose at least one" in page.text
    page = press(
        admin, "/admin/programs/new/", "/admin/programs/new/", label="Sheet", days=7, season="y"
    )
    text = page.text.partition("<code>")[2].partition("</code>")[0]
    headers = {"Authorization": f"Bearer {text}"}
    client = app.test_client()
    assert get(client, "/shows", headers).status_code == 200
    assert get(client, "/reservations", headers).status_code == 403
    assert text not in admin.get("/admin/programs/").text
    page = press(admin, "/admin/programs/revoke/", id=1)
    assert "no longer works" in page.text
    assert get(client, "/shows", headers).status_code == 401

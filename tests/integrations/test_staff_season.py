"""The API for staff that changes the season: by the functions of the season's pages."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from azionelab.database import db, now
from azionelab.database.audit import ActorKind, AuditEntry
from azionelab.integrations.tokens import Scope, issue_program_token
from azionelab.shows.models import Performance, Venue
from tests.admin.test_editing import Editor
from tests.api.expect import assert_problem
from tests.factories import a_party, a_performance, fresh, mails
from tests.support.people import logged_in

pytestmark = pytest.mark.usefixtures("in_app")


class Planner:
    """A program that may change the season."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client
        self.token, text = issue_program_token("Planner", [Scope.CHANGE_SEASON], 1, None)
        self._headers = {"Authorization": f"Bearer {text}", "Accept-Language": "en"}

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        address = f"/api/v1/staff{path}"
        return self._client.open(address, method=method, json=body, headers=self._headers)

    def post(self, path: str, **body: Any) -> Any:
        return self.send("POST", path, body)

    def patch(self, path: str, seen: Any, **body: Any) -> Any:
        return self.send("PATCH", path, {"version": seen["version"]} | body)


@pytest.fixture
def planner(client: FlaskClient) -> Planner:
    return Planner(client)


def test_a_show_and_its_evening_from_draft_to_archive(planner: Planner) -> None:
    venue = db.session.scalars(select(Venue)).first() or a_performance().venue
    answer = planner.post("/shows", title=" Il gabbiano ", slug="il-gabbiano")
    assert answer.status_code == 201
    show = answer.json
    assert (show["title"], show["published"], show["version"]) == ("Il gabbiano", False, 1)
    published = planner.patch(f"/shows/{show['id']}", show, published=True, duration_minutes=90)
    assert (published.json["published"], published.json["duration_minutes"]) == (True, 90)

    curtain = (now() + timedelta(days=20)).replace(microsecond=0)
    new = {"show_id": show["id"], "venue_id": venue.id, "starts_at": curtain.isoformat()}
    told = assert_problem(planner.post("/performances", **new), 422, "invalid-fields")
    assert told["errors"][0]["field"] == "capacity"
    evening = planner.post("/performances", **new, capacity=30).json
    assert (evening["seats"]["free"], evening["show_id"]) == (30, show["id"])
    assert evening["booking_closes_at"] == (curtain - timedelta(hours=1)).isoformat()
    party = a_party(db.session.get_one(Performance, evening["id"]), 4)

    path = f"/performances/{evening['id']}"
    later = (curtain + timedelta(hours=1)).isoformat()
    changed = planner.patch(path, evening, capacity=20, starts_at=later, party_limit=8).json
    assert (changed["seats"]["capacity"], changed["starts_at"]) == (20, later)
    assert changed["booking_closes_at"] == curtain.isoformat(), "it follows the curtain"
    assert mails(fresh(party.id))[-1] == "moved"
    told = assert_problem(planner.patch(path, changed, capacity=3), 409, "capacity-below-held")
    assert told["held"] == 4
    told = assert_problem(planner.post(f"/shows/{show['id']}/archive"), 409, "still-played")
    assert told["coming"] == 1

    for _twice in range(2):
        cancelled = planner.post(f"{path}/cancel", version=changed["version"])
        assert cancelled.json["cancelled_at"] is not None
    assert fresh(party.id).state == "cancelled"
    archived = planner.post(f"/shows/{show['id']}/archive").json
    assert (archived["published"], archived["archived_at"] is None) == (False, False)
    assert planner.post(f"/shows/{show['id']}/restore").json["archived_at"] is None
    for kind, identity in (("show", show["id"]), ("performance", evening["id"])):
        entries = db.session.scalars(
            select(AuditEntry).where(
                AuditEntry.object_type == kind, AuditEntry.object_id == str(identity)
            )
        ).all()
        assert len(entries) >= 3
        told_of = {(entry.actor, entry.token_id) for entry in entries}
        assert told_of == {(ActorKind.API, planner.token.id)}, kind


def test_what_does_not_fit_is_named_and_the_second_is_told(planner: Planner) -> None:
    performance = a_performance(capacity=10)
    show, path = performance.show, f"/performances/{performance.id}"
    new = {"show_id": show.id, "venue_id": performance.venue_id, "capacity": 5}
    homeless = {"show_id": show.id, "venue_id": 999}  # nor does it say how many seats
    seen = {"version": performance.version}
    curtain, past = performance.starts_at.isoformat(), (now() - timedelta(days=1)).isoformat()
    far = (now() + timedelta(days=9999)).isoformat()
    refused: list[tuple[Any, str]] = [
        (planner.post("/shows", title="Other", slug=show.slug), "slug"),
        (planner.post("/shows", title="Other", slug="No Slug"), "slug"),
        (planner.post("/shows", title=" ", slug="other"), "title"),
        (planner.post("/performances", **new, starts_at=curtain), "starts_at"),
        (planner.post("/performances", **new, starts_at=past), "starts_at"),
        (planner.post("/performances", **new | {"show_id": 99}, starts_at=curtain), "show_id"),
        (planner.post("/performances", **homeless, starts_at=curtain), "venue_id"),
        (planner.patch(path, seen, starts_at=far), "starts_at"),
        (planner.patch(path, seen, venue_id=999), "venue_id"),
        (planner.patch(path, seen, booking_closes_at=far), "booking_closes_at"),
        (planner.patch(path, seen, booking_opens_at=curtain), "booking_closes_at"),
        (planner.patch(path, seen, capacity=-1), "capacity"),
    ]
    for answer, field in refused:
        told = assert_problem(answer, 422, "invalid-fields")
        assert [error["field"] for error in told["errors"]] == [field]
    assert planner.patch(path, seen, capacity=12).status_code == 200
    assert planner.patch(path, seen, party_limit=3).status_code == 200, "another field"
    told = assert_problem(planner.patch(path, seen, capacity=14), 409, "changed-meanwhile")
    assert [error["field"] for error in told["errors"]] == ["capacity"]
    assert_problem(planner.post(f"{path}/cancel", **seen), 409, "changed-meanwhile")
    for method, unknown in (("PATCH", "/shows/99"), ("POST", "/performances/99/cancel")):
        assert_problem(planner.send(method, unknown, seen), 404)
    assert_problem(planner.post("/shows/99/archive"), 404)


def test_who_edits_what_a_program_changed_reads_its_name(planner: Planner, app: Flask) -> None:
    performance = a_performance(capacity=10)
    seen = {"version": performance.version}
    page = Editor(logged_in(app, "staff"), f"/admin/performances/edit/?id={performance.id}")
    assert planner.patch(f"/performances/{performance.id}", seen, capacity=12).status_code == 200
    told = page.save(capacity="14").text
    assert "Planner changed this from “10” to “12”" in told
    assert "The program “Planner” changed" in told, "in its history, as before"

"""Who may open what, and that no request changes anything by accident: over every address."""

import re
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from azionelab.admin.permissions import PAGE, permissions_page
from azionelab.checkin.scanning.scans import admit
from azionelab.integrations.tokens import Scope as ProgramScope
from azionelab.integrations.tokens import issue_program_token, revoke_program_token
from azionelab.staff.tokens import Scope, issue_token
from bench.walk import addresses, filled_in, rules_of
from tests.factories import DOOR_A, a_party, a_performance, ticket_token
from tests.support.people import english, logged_in, token_of
from tests.support.processes import ROOT

pytestmark = pytest.mark.usefixtures("in_app")

API_PAGE = ROOT / "docs" / "api.md"
TABLES = ("venue", "show", "performance", "reservation", "mail", "scan", "admission")
TABLES += ("user_account", "user_role", "api_token", "procrastinate_jobs")


def named(rule: str) -> str:
    """An address of a rule of the API, as docs/api.md writes it."""
    return re.sub(r"<any\([^>]*>", "<list>", re.sub(r"<\w+:\w+>", "<id>", rule))


def set_the_stage() -> list[str]:
    """A row in every table; returns what could be an `id`."""
    performance = a_performance()
    party = a_party(performance, 2)
    admit(performance.id, ticket_token(party), uuid4(), DOOR_A)
    waiting = a_party(performance, 1, confirmed=False)
    issue_token("Door A", Scope.DOOR, 12)
    return ["1", str(party.id), str(waiting.id)]


def rows(database: psycopg.Connection[Any]) -> dict[str, Any]:
    """All that the database holds."""
    return {
        table: database.execute(f"SELECT t::text FROM {table} t ORDER BY 1").fetchall()
        for table in TABLES
    }


def test_there_is_much_to_guard(app: Flask) -> None:
    assert len(addresses(app, "GET")) > 40
    assert len(addresses(app, "POST")) > 40


def test_strangers_are_asked_to_log_in(app: Flask) -> None:
    set_the_stage()
    client = english(app)
    token = token_of(client, "/staff/login")
    for address in addresses(app, "GET"):
        answer = client.get(address)
        assert (answer.status_code, "/staff/login" in answer.location) == (302, True), address
    for address in addresses(app, "POST"):
        answer = client.post(address, data=token)
        assert (answer.status_code, "/staff/login" in answer.location) == (302, True), address


def test_the_page_of_permissions_is_the_codes(app: Flask) -> None:
    assert permissions_page(app) == PAGE.read_text(encoding="utf-8"), "flask permissions --write"


def documented() -> tuple[dict[str, set[str]], dict[tuple[str, str], set[str]]]:
    """docs/permissions.md: each role's rights, and the rights that an address needs by method."""
    cells = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("|") and not line.startswith("|--")
    ]
    names = ("admin", "staff", "box_office", "door", "read_only")
    roles: dict[str, set[str]] = {name: set() for name in names}
    needed: dict[tuple[str, str], set[str]] = {}
    for first, *others in cells:
        if first.startswith("/admin/"):
            needed |= {
                (first, way): set(rights.split(", "))
                for way, rights in zip(("GET", "POST"), others, strict=True)
            }
        elif len(others) > len(names):
            for name, held in zip(names, others, strict=False):
                if held == "yes":
                    roles[name].add(first)
    return roles, needed


def check_policy(page: TestResponse, address: str) -> None:
    """No page needs a script or a style that its policy forbids."""
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "nonce" not in policy
    if page.mimetype == "text/html":
        for forbidden in ("onclick=", "javascript:", ' style="', "<style", "<script>"):
            assert forbidden not in page.text, address


@pytest.mark.parametrize("role", ["admin", "staff", "box_office", "door", "read_only"])
def test_each_role_reaches_what_the_page_of_permissions_says(
    app: Flask, database: psycopg.Connection[Any], role: str
) -> None:
    """And looking at everything changes nothing."""
    identities = set_the_stage()
    if role == "admin":
        identities.append("")
    client = logged_in(app, role)
    roles, needed = documented()
    token = token_of(client, "/staff/change")
    before = rows(database)
    walked = 0
    for method in ("GET", "POST"):
        for rule in map(str, rules_of(app, method)):
            address = filled_in(rule)
            allowed = needed[rule, method] <= roles[role]
            walked += 1
            for identity in identities:
                if method == "GET":
                    answer = client.get(f"{address}?id={identity}")
                    right = (200, 302, 303, 404) if allowed else (403,)
                    assert answer.status_code in right, f"{address} {identity}"
                    check_policy(answer, address)
                elif allowed:
                    # Without its token it is refused for another reason, and changes nothing.
                    assert client.post(address, data={"id": identity}).status_code == 400, address
                else:
                    sent = dict(token) | {"id": identity, "label": "x"}
                    answer = client.post(f"{address}?id={identity}", data=sent)
                    assert answer.status_code == 403, address
    assert walked > 80
    assert rows(database) == before


def test_nobody_is_shown_what_they_may_not_press(app: Flask) -> None:
    set_the_stage()
    reader, box_office = logged_in(app, "read_only"), logged_in(app, "box_office")
    admin = logged_in(app, "admin")
    pages = ["/admin/", "/admin/evenings/1", "/admin/performances/", "/admin/mails/details/?id=1"]
    pages += [f"/admin/reservations/details/?id={identity}" for identity in set_the_stage()[1:]]
    for address in pages:
        page = reader.get(address).text
        posts = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', page)
        assert [post for post in posts if "/find/" not in post and "logout" not in post] == [], (
            address
        )
    assert "/admin/accounts/" not in box_office.get("/admin/").text
    assert "/admin/accounts/" in admin.get("/admin/").text
    assert "/checkin/" not in reader.get("/admin/").text


def test_nothing_is_posted_without_its_token(app: Flask, database: psycopg.Connection[Any]) -> None:
    identities = set_the_stage()
    client = logged_in(app, "admin")
    before = rows(database)
    for address in addresses(app, "POST"):
        for identity in identities:
            for data in ({"id": identity}, {"id": identity, "csrf_token": "forged"}):
                answer = client.post(f"{address}?id={identity}", data=data)
                assert answer.status_code == 400, address
    assert rows(database) == before


@pytest.mark.parametrize(
    "odd", ["0", "-1", "99999999999999999999", "two", "%00", "1,2", "../", "x" * 3000]
)
def test_an_odd_address_is_no_fault(app: Flask, odd: str) -> None:
    client = logged_in(app, "admin")
    token = dict(token_of(client))
    set_the_stage()
    for address in addresses(app, "GET"):
        query = f"id={odd}&page={odd}&page_size={odd}&sort={odd}&desc={odd}"
        query += f"&flt0_0={odd}&flt1_1={odd}&url={odd}"
        assert client.get(f"{address}?{query}").status_code in (200, 302, 303, 404), address
    for address in addresses(app, "POST"):
        data = token | {"id": odd, "action": odd, "search": odd, "seats": odd, "rowid": odd}
        assert client.post(f"{address}?id={odd}", data=data).status_code in (
            200,
            302,
            303,
            404,
            422,
        ), address


def test_every_page_speaks_the_language_that_is_asked_for(app: Flask) -> None:
    set_the_stage()
    client = logged_in(app, "admin")
    for address in addresses(app, "GET"):
        answer = client.get(f"{address}?lang=it")
        if answer.status_code == 200 and answer.mimetype == "text/html":
            assert '<html lang="it">' in answer.text, address
    # Two choices of a language, for large screens and small ones; no other link keeps the last one.
    assert client.get("/admin/").text.count("lang=it") == 2


def test_each_scope_of_a_program_reaches_what_the_api_page_says(
    app: Flask, database: psycopg.Connection[Any]
) -> None:
    _one, confirmed, _waiting = set_the_stage()
    table = re.findall(
        r"^\| `(\w+) (/api/v1/staff/\S+)` \| `([\w:]+)` \|",
        API_PAGE.read_text("utf-8"),
        re.MULTILINE,
    )
    needed = {(method, address): scope for method, address, scope in table}
    walked = {
        (method, named(str(rule))): filled_in(str(rule))
        for rule in app.url_map.iter_rules()
        if str(rule).startswith("/api/v1/staff/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert walked.keys() == needed.keys()
    texts = {scope: issue_program_token("A sheet", [scope], 1, None)[1] for scope in ProgramScope}
    door = issue_token("Door B", Scope.DOOR, 12)[1]
    ended, expired = (issue_program_token("A sheet", tuple(ProgramScope), 1, None) for _ in "12")
    revoke_program_token(ended[0].id)
    database.execute("UPDATE program_token SET expires_at = now() WHERE id = %s", [expired[0].id])
    client, before = app.test_client(), rows(database)

    def status(method: str, address: str, text: str) -> int:
        path = address.replace(str(UUID(int=1)), confirmed)
        headers = {"Authorization": f"Bearer {text}"} if text else {}
        sent = None if method == "GET" else {"seats": 0}
        return client.open(path, method=method, headers=headers, json=sent).status_code

    for (method, rule), address in walked.items():
        for text in ("", "azl_unknown", door, ended[1], expired[1]):
            assert status(method, address, text) == 401, f"{method} {rule}"
        for scope, text in texts.items():
            answered = status(method, address, text)
            allowed = scope == needed[method, rule]
            assert (answered != 403) is allowed, f"{method} {rule} {scope}"
            # A performance is to come, so its show is not archived.
            fits = {"GET": {200}, "POST": {422, 409 if rule.endswith("/archive") else 422}}
            fits["POST"] |= {200} if rule.endswith("/restore") else set()
            assert not allowed or answered in fits.get(method, {422}), f"{method} {rule}"
    assert rows(database) == before

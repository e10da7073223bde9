"""Rights are listed by name: a role that is added later has none."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask

import azionelab
from tests.factories import a_performance
from tests.support.people import logged_in

pytestmark = pytest.mark.usefixtures("in_app")

SOURCES = sorted(Path(azionelab.__file__).parent.rglob("*.py"))
# Where all roles are named to somebody who chooses one; no right comes of it.
CHOICES = {("ops/commands.py", 1), ("staff/accounts.py", 1)}

# The door app's own files hold nothing, and a ticket's QR leads whoever scans it to a page for visitors.
OPEN_TO_ALL = ("static", "app", "manifest", "service_worker", "ticket")


@pytest.fixture
def new_role(database: psycopg.Connection[Any]) -> Iterator[None]:
    """A role that this release knows nothing of; roles are not emptied after a test."""
    database.execute("INSERT INTO role (name, description) VALUES ('usher', '')")
    yield
    database.execute("DELETE FROM role WHERE name = 'usher'")


@pytest.mark.usefixtures("new_role")
def test_a_new_role_opens_nothing(app: Flask, database: psycopg.Connection[Any]) -> None:
    client = logged_in(app, "admin")
    a_performance()
    database.execute("UPDATE user_role SET role_id = (SELECT id FROM role WHERE name = 'usher')")
    guarded = [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("admin", "checkin."))
        and rule.endpoint.rpartition(".")[2] not in OPEN_TO_ALL
    ]
    assert len(guarded) > 40
    for rule in guarded:
        address = app.url_map.bind("").build(
            rule.endpoint, dict.fromkeys(rule.arguments, 1), force_external=False
        )
        answer = client.get(address) if "GET" in (rule.methods or ()) else None
        if answer is not None and answer.status_code != 404:
            assert answer.status_code == 403, address


def test_no_right_is_made_of_all_roles() -> None:
    """`*RoleName`, `tuple(RoleName)`, `for role in RoleName`: only where somebody chooses a role."""
    root = Path(azionelab.__file__).parent
    found = {
        (str(path.relative_to(root)), sum(_uses_of_all_roles(path)))
        for path in SOURCES
        if any(_uses_of_all_roles(path))
    }
    assert found == CHOICES


def _uses_of_all_roles(path: Path) -> list[bool]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    uses: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Starred):
            uses.append(node.value)
        elif isinstance(node, ast.Call):
            uses += node.args
        elif isinstance(node, ast.comprehension | ast.For):
            uses.append(node.iter)
    return [True for use in uses if isinstance(use, ast.Name) and use.id == "RoleName"]

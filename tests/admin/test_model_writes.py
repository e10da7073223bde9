"""The back office writes by the rules alone: no module of it writes rows, and Flask-Admin's own ways are shut."""

import ast
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask_admin.contrib.sqla import ModelView

import azionelab.admin
from tests.admin.test_access import rows, set_the_stage
from tests.support.people import logged_in, token_of

pytestmark = pytest.mark.usefixtures("in_app")

FOLDER = Path(azionelab.admin.__file__).parent
# What a session writes with, and what makes statements that write.
_WRITES = {"add", "add_all", "delete", "merge", "commit", "flush", "bulk_save_objects"}
_WRITES |= {"bulk_insert_mappings", "bulk_update_mappings"}
_STATEMENTS = {"insert", "update", "delete", "text"}
# Flask-Admin's functions that write by themselves, or are called before it does.
_HOOKS = {"on_model_change", "on_model_delete", "after_model_change", "after_model_delete"}
_HOOKS |= {"action_delete", "ajax_update"}
# What a list or a form was given to show.
_ROWS = {"model", "row", "reservation", "performance", "party", "show", "venue", "user"}
# The base of the lists saves rows that no rule decides about, by `add_row`. What performances call is that base's.
ALLOWED = {("season/performances.py", "super().create_model")}


def model_writes(source: str) -> set[str]:
    """What a module does that writes rows past the rules, as text."""
    tree = ast.parse(source)
    found = set()
    taken = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            owner, _, name = called.rpartition(".")
            if (
                (name in _WRITES and owner.rpartition(".")[2].rstrip("()") in ("session", "db"))
                or called in _STATEMENTS & taken
                or (name in _STATEMENTS and owner in ("db", "sa"))
                or (name in ("create_model", "update_model", "delete_model") and owner == "super()")
            ):
                found.add(called)
        elif isinstance(node, ast.FunctionDef) and node.name in _HOOKS:
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found |= {ast.unparse(node)} if ast.unparse(node.value) in _ROWS else set()
    return found


def test_no_module_of_the_back_office_writes_rows() -> None:
    found = {
        (str(path.relative_to(FOLDER)), written)
        for path in FOLDER.rglob("*.py")
        for written in model_writes(path.read_text(encoding="utf-8"))
    }
    assert found == ALLOWED


@pytest.mark.parametrize(
    "source",
    [
        "db.session.add(Venue())",
        "db.session().commit()",
        "self.session.delete(row)",
        "from sqlalchemy import update\ndb.session.execute(update(Show).values(title='x'))",
        "from sqlalchemy import text\ndb.session.execute(text('DELETE FROM show'))",
        "db.session.execute(db.delete(Show))",
        "def on_model_change(self, form, model, is_created): ...",
        "class V:\n  def delete_model(self, model):\n    return super().delete_model(model)",
        "def f(reservation): reservation.note = 'x'",
    ],
)
def test_the_scan_finds_what_goes_around_the_rules(source: str) -> None:
    assert model_writes(source)


def test_flask_admins_own_ways_to_write_are_shut(app: Flask) -> None:
    lists = [view for view in app.extensions["admin"][0]._views if isinstance(view, ModelView)]
    assert len(lists) > 8
    for view in lists:
        assert not view.column_editable_list, view
        assert not view.inline_models, view
        assert not view.is_action_allowed("delete"), view
        assert [name for name, _text in view.get_actions_list()[0]] == [], view
        for name in ("create_model", "update_model", "delete_model"):
            assert getattr(type(view), name) is not getattr(ModelView, name), (view, name)


def test_a_forged_mass_delete_or_inline_edit_changes_nothing(
    app: Flask, database: psycopg.Connection[Any]
) -> None:
    identities = set_the_stage()
    client = logged_in(app, "admin")
    token = dict(token_of(client))
    before = rows(database)
    for view in app.extensions["admin"][0]._views:
        if not isinstance(view, ModelView):
            continue
        for identity in identities:
            mass = token | {"action": "delete", "rowid": identity}
            client.post(f"/admin/{view.url.rpartition('/')[2]}/action/", data=mass)
            for name in ("name", "title", "seats", "state", "email", "capacity"):
                inline = token | {"list_form_pk": identity, name: "7"}
                client.post(f"/admin/{view.url.rpartition('/')[2]}/ajax/update/", data=inline)
    assert rows(database) == before

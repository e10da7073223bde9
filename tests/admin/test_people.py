"""Accounts and tokens, for administrators."""

import re
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.checkin.devices.registry import find_device
from azionelab.staff.accounts import create_account
from azionelab.staff.tokens import Scope
from tests.support.people import PASSWORD, english, log_in, press

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
ANNA = {"email": "anna@theatre.org", "name": "Anna", "role": "door"}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"email": "anna"}, "not a valid e-mail address"),
        ({"email": "admin@theatre.org"}, "already has an account"),
        ({"role": "emperor"}, "Not a valid choice"),
        ({"name": "A\0"}, "cannot be displayed"),
    ],
)
def test_a_wrong_account_is_refused_and_what_was_typed_is_kept(
    admin: FlaskClient, database: Database, typed: dict[str, str], words: str
) -> None:
    page = press(admin, "/admin/accounts/new/", **ANNA | typed).text
    assert words in page
    assert 'value="anna' in page or "email" in typed
    assert database.execute("SELECT count(*) FROM user_account").fetchone() == (1,)


def test_an_account_gets_another_role(app: Flask, admin: FlaskClient, database: Database) -> None:
    create_account("anna@theatre.org", "door", PASSWORD, "Anna")
    address = "/admin/accounts/edit/?id=2"
    page = admin.get(address).text
    assert '<option selected value="door">' in page
    digest = database.execute("SELECT password FROM user_account WHERE id = 2").fetchone()
    assert digest is not None
    assert digest.password not in page
    press(admin, address, name="Anna", role="staff", active="y")
    assert database.execute("SELECT password FROM user_account WHERE id = 2").fetchone() == digest
    client = english(app)
    assert log_in(client, "anna@theatre.org").status_code == 302
    assert client.get("/admin/").status_code == 200


def test_nobody_shuts_themselves_out_by_a_slip(admin: FlaskClient, database: Database) -> None:
    create_account("other@theatre.org", "admin", PASSWORD)
    address = "/admin/accounts/edit/?id=1"
    page = press(admin, address, name="Admin", role="staff", active="y").text
    assert "your own account: only another administrator can change its role" in page
    page = press(admin, address, name="Admin", role="admin").text
    assert "your own account: only another administrator can deactivate it" in page
    assert database.execute("SELECT active FROM user_account WHERE id = 1").fetchone() == (True,)
    assert "Saved." in press(admin, address, name="Ada", role="admin", active="y").text


def test_another_administrator_may(admin: FlaskClient, database: Database) -> None:
    create_account("other@theatre.org", "admin", PASSWORD)
    press(admin, "/admin/accounts/edit/?id=2", name="Other", role="admin")
    assert database.execute("SELECT active FROM user_account WHERE id = 2").fetchone() == (False,)


def test_accounts_are_not_deleted(admin: FlaskClient, database: Database) -> None:
    press(admin, "/admin/accounts/new/", **ANNA)
    press(admin, "/admin/accounts/delete/", id="2")
    assert database.execute("SELECT count(*) FROM user_account").fetchone() == (2,)


def test_a_token_is_shown_once_and_revoked(admin: FlaskClient, database: Database) -> None:
    page = press(admin, "/admin/tokens/new/", label="Door A", hours="12")
    assert "no-store" in page.headers["Cache-Control"]
    text = re.search(r"<code>([\w-]{43})</code>", page.text)
    assert text
    device = find_device(text[1])
    assert device is not None
    assert not device.revoked
    assert "program that uses the check-in API" in page.text
    assert "The door page needs no token" in page.text
    listed = admin.get("/admin/tokens/").text
    assert "Door A" in listed
    assert text[1] not in listed + admin.get("/admin/tokens/details/?id=1").text
    assert "has been revoked" in press(admin, "/admin/tokens/revoke/", id="1").text
    device = find_device(text[1])
    assert device is not None
    assert device.revoked


@pytest.mark.parametrize(
    ("chosen", "scope", "words"),
    [
        ({}, Scope.DOOR, "Full access to the door"),
        ({"scans_only": "y"}, Scope.SCAN, "Scanning only"),
    ],
)
def test_a_token_does_what_was_chosen(
    admin: FlaskClient, chosen: dict[str, str], scope: Scope, words: str
) -> None:
    page = press(admin, "/admin/tokens/new/", label="Turnstile", hours="12", **chosen)
    text = re.search(r"<code>([\w-]{43})</code>", page.text)
    assert text
    device = find_device(text[1])
    assert device is not None
    assert device.scope is scope
    for address in ("/admin/tokens/", "/admin/tokens/details/?id=1"):
        assert words in admin.get(address).text


@pytest.mark.parametrize(
    "typed",
    [
        {"label": ""},
        {"label": " "},
        {"label": "\u200b"},
        {"label": "\0"},
        {"hours": "0"},
        {"hours": "100000000000"},
        {"hours": "long"},
    ],
)
def test_a_wrong_token_is_refused(
    admin: FlaskClient, database: Database, typed: dict[str, str]
) -> None:
    page = press(admin, "/admin/tokens/new/", **{"label": "Door A", "hours": "12"} | typed)
    assert 'aria-invalid="true"' in page.text
    assert database.execute("SELECT count(*) FROM api_token").fetchone() == (0,)


def test_the_list_tells_roles_in_words(admin: FlaskClient) -> None:
    create_account("dora@theatre.org", "door", PASSWORD, name="Dora")
    page = admin.get("/admin/accounts/?lang=it").text
    assert "ingresso: fa entrare il pubblico" in page
    assert "door: checks people in" in admin.get("/admin/accounts/").text

"""Logging in again before dangerous actions, with the form kept."""

from collections.abc import Callable
from time import time
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.staff.accounts import create_account
from tests.bookings.test_pages import fields
from tests.support.people import PASSWORD, english, log_in, logged_in, press, token_of

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
ANNA = {"email": "anna@theatre.org", "name": 'Anna "<b>', "role": "door"}
NEW = "/admin/accounts/new/"


def made_old(client: FlaskClient, minutes: float = 15.1) -> None:
    """As if the login were some minutes ago."""
    with client.session_transaction() as session:
        session["logged_in_at"] = int(time() - minutes * 60)


def accounts(database: Database) -> int:
    row = database.execute("SELECT count(*) FROM user_account").fetchone()
    assert row
    return int(row[0])


def test_the_form_is_kept_and_saved_with_the_password(app: Flask, database: Database) -> None:
    admin = logged_in(app, "admin")
    made_old(admin)
    asked = admin.post(NEW, data=dict(token_of(admin, NEW)) | ANNA)
    assert asked.status_code == 401
    assert "no-store" in asked.headers["Cache-Control"]
    assert accounts(database) == 1
    kept = fields(asked.text)
    assert {name: kept[name] for name in ANNA} == ANNA
    wrong = admin.post(NEW, data=kept | {"login_again_password": "wrong and long enough"})
    assert wrong.status_code == 401
    assert "This password is wrong" in wrong.text
    assert "wrong and long" not in wrong.text
    assert accounts(database) == 1
    done = admin.post(NEW, data=fields(wrong.text) | {"login_again_password": PASSWORD})
    assert done.status_code == 302
    assert database.execute("SELECT name FROM user_account WHERE id = 2").fetchone() == (
        ANNA["name"],
    )
    # The next one is within the fifteen minutes.
    press(admin, NEW, **ANNA | {"email": "bea@theatre.org"})
    assert accounts(database) == 3


def test_a_fresh_login_is_not_asked_again(app: Flask, database: Database) -> None:
    admin = logged_in(app, "admin")
    made_old(admin, 14.5)
    press(admin, NEW, **ANNA)
    assert accounts(database) == 2


@pytest.mark.parametrize(
    ("address", "typed"),
    [
        ("/admin/accounts/edit/?id=2", {"name": "Eva", "role": "admin", "active": "y"}),
        ("/admin/accounts/link/", {"id": "2"}),
        ("/admin/accounts/withdraw/", {"id": "2"}),
        ("/admin/accounts/end-sessions/", {"id": "2"}),
        ("/admin/accounts/reset-second-factor/", {"id": "2"}),
        ("/admin/tokens/new/", {"label": "Door A", "hours": "12"}),
        ("/admin/programs/new/", {"label": "Sheet"}),
        ("/admin/reservations/erase/", {"id": "4c2b7f5e-8a0f-4a53-9c43-5d2a3d0c6a11"}),
        ("/staff/passkey", {"name": "Phone", "credential": "{}"}),
        ("/staff/passkey/remove", {"id": "1"}),
        ("/staff/authenticator", {"code": "000000", "secret": ""}),
        ("/staff/authenticator/remove", {}),
        ("/staff/codes", {}),
    ],
)
def test_what_asks_for_a_fresh_login(app: Flask, address: str, typed: dict[str, str]) -> None:
    create_account("other@theatre.org", "door", PASSWORD)
    create_account("two@theatre.org", "door", PASSWORD)
    admin = logged_in(app, "admin")
    page = address if "?" in address or address.endswith("new/") else "/admin/"
    form = dict(token_of(admin, page)) | typed
    made_old(admin)
    asked = admin.post(address, data=form)
    assert asked.status_code == 401
    assert "Is it you?" in asked.text
    assert admin.get(page).status_code == 200


def test_reading_and_daily_work_go_on(app: Flask) -> None:
    staff = logged_in(app, "staff")
    made_old(staff, 600)
    assert staff.get("/admin/").status_code == 200
    page = press(staff, "/admin/venues/new/", name="Sala Grande")
    assert "Saved" in page.text
    door = logged_in(app, "door")
    made_old(door, 600)
    assert door.get("/checkin/").status_code == 200


def test_a_session_from_before_the_upgrade_is_asked(app: Flask) -> None:
    admin = logged_in(app, "admin")
    with admin.session_transaction() as session:
        session.pop("logged_in_at")
    assert admin.post(NEW, data=dict(token_of(admin, NEW)) | ANNA).status_code == 401


def test_who_finds_a_session_open_does_not_guess_for_long(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    admin = logged_in(app, "admin")
    form = dict(token_of(admin, NEW)) | ANNA
    made_old(admin)
    guesses = [
        admin.post(NEW, data=form | {"login_again_password": f"wrong and long {n}"}).status_code
        for n in range(11)
    ]
    assert guesses == [401] * 10 + [429]


def test_who_may_not_is_not_asked(app: Flask) -> None:
    staff = logged_in(app, "staff")
    made_old(staff)
    assert staff.post(NEW, data=dict(token_of(staff)) | ANNA).status_code == 403


def test_a_new_login_is_fresh(app: Flask, database: Database) -> None:
    admin = logged_in(app, "admin")
    made_old(admin)
    again = english(app)
    log_in(again, "admin@theatre.org")
    press(again, NEW, **ANNA)
    assert accounts(database) == 2

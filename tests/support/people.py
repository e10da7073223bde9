"""Staff, logged in through the login form."""

from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from azionelab.database import db
from azionelab.database.row_versions import Edit
from azionelab.staff import accounts
from azionelab.staff.accounts import create_account
from azionelab.staff.models import User
from tests.bookings.test_pages import fields

PASSWORD = "correct horse battery staple"


def log_in(client: FlaskClient, email: str, password: str = PASSWORD) -> TestResponse:
    """Submit the login form."""
    form = fields(client.get("/staff/login").text)
    return client.post("/staff/login", data=form | {"email": email, "password": password})


def logged_in(app: Flask, role: str) -> FlaskClient:
    """An English client, logged in with a new account of that role."""
    create_account(f"{role}@theatre.org", role, PASSWORD, name=role.title())
    client = english(app)
    answer = log_in(client, f"{role}@theatre.org")
    assert answer.status_code == 302, answer.text
    return client


def english(app: Flask) -> FlaskClient:
    """An English client."""
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


_ACCOUNT = "/staff/account"  # which everybody may see, and which reads little


def press(client: FlaskClient, address: str, page: str = _ACCOUNT, /, **typed: Any) -> TestResponse:
    """Post to `address` with the hidden fields that `page` holds, and follow to what comes of it.

    An edit is made from the form as it is now, unless `page` is given.
    """
    if page == _ACCOUNT and "/edit/" in address:
        page = address
    return client.post(address, data=token_of(client, page) | typed, follow_redirects=True)


def token_of(client: FlaskClient, page: str = _ACCOUNT) -> Mapping[str, str]:
    """The CSRF token of a page as a form field, and the version of its row if it is an edit's."""
    shown = fields(client.get(page, follow_redirects=True).text)
    return {name: shown[name] for name in ("csrf_token", "version") if name in shown}


def change_account(user_id: int, *, changed_by: int | None = None, **facts: Any) -> User:
    """Change an account, as the back office does."""
    user = db.session.get_one(User, user_id, populate_existing=True)
    wanted = {"name": ""} | facts
    edit = Edit(user.version, wanted, lambda name, stored: wanted[name] == stored, changed_by)
    accounts.change_account(user_id, edit)
    return db.session.get_one(User, user_id, populate_existing=True)

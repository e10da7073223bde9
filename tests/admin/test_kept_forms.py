"""A form that was open while its login or its token ended: kept, and sent by one more press."""

import html
import re
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.staff.accounts import create_account
from tests.bookings.test_pages import fields
from tests.factories import a_performance
from tests.support.people import PASSWORD, log_in, logged_in, token_of

OWN = {"Origin": "http://localhost"}
NEW_SHOW = "/admin/shows/new/"
TYPED = {"title": 'Così è "se vi pare" <b>', "slug": "cosi", "description": "Uno.\r\n\r\nDue."}


def titles(database: psycopg.Connection[Any]) -> list[str]:
    return [row[0] for row in database.execute("SELECT title FROM show").fetchall()]


def action(page: str) -> str:
    found = re.search(r'<form method="post" action="([^"]*)" data-once', page)
    assert found, page
    return html.unescape(found[1])


def log_out(client: FlaskClient) -> None:
    """Log out as in another tab of the browser."""
    assert client.post("/staff/logout", data=token_of(client)).status_code == 302


def test_what_was_typed_outlives_the_login(
    staff: FlaskClient, database: psycopg.Connection[Any]
) -> None:
    form = dict(token_of(staff, NEW_SHOW)) | TYPED
    log_out(staff)
    kept = staff.post(NEW_SHOW, data=form, headers=OWN)
    assert kept.status_code == 401
    assert kept.headers["Cache-Control"] == "no-store"
    assert "log in, then submit them again" in kept.text
    assert 'target="_blank" rel="noopener"' in kept.text
    assert titles(database) == []
    again = fields(kept.text)
    assert action(kept.text) == NEW_SHOW
    assert {name: again[name] for name in TYPED} == TYPED
    assert log_in(staff, "staff@theatre.org").status_code == 302
    saved = staff.post(NEW_SHOW, data=again, headers=OWN)
    assert saved.status_code == 302, saved.text
    assert titles(database) == [TYPED["title"]]


def test_a_press_without_a_login_shows_the_page_again(staff: FlaskClient) -> None:
    form = dict(token_of(staff, NEW_SHOW)) | TYPED
    log_out(staff)
    first = staff.post(NEW_SHOW, data=form, headers=OWN)
    second = staff.post(NEW_SHOW, data=fields(first.text), headers=OWN)
    assert second.status_code == 401
    assert fields(second.text)["title"] == TYPED["title"]


def test_a_login_ended_elsewhere_keeps_the_form_too(
    in_app: Flask, staff: FlaskClient, database: psycopg.Connection[Any]
) -> None:
    form = dict(token_of(staff, NEW_SHOW)) | TYPED
    other = in_app.test_client()
    log_in(other, "staff@theatre.org")
    assert other.post("/staff/logout-everywhere", data=token_of(other)).status_code == 302
    kept = staff.post(NEW_SHOW, data=form, headers=OWN)
    assert kept.status_code == 401
    log_in(staff, "staff@theatre.org")
    assert staff.post(NEW_SHOW, data=fields(kept.text), headers=OWN).status_code == 302
    assert titles(database) == [TYPED["title"]]


def test_a_stale_token_asks_for_one_more_press(
    staff: FlaskClient, database: psycopg.Connection[Any]
) -> None:
    kept = staff.post(NEW_SHOW, data={"csrf_token": "stale"} | TYPED, headers=OWN)
    assert kept.status_code == 400
    assert "please submit them again" in kept.text
    assert "/staff/login" not in kept.text
    assert staff.post(NEW_SHOW, data=fields(kept.text), headers=OWN).status_code == 302
    assert titles(database) == [TYPED["title"]]


def test_another_account_does_only_what_it_may(
    in_app: Flask, staff: FlaskClient, database: psycopg.Connection[Any]
) -> None:
    form = dict(token_of(staff, NEW_SHOW)) | TYPED
    log_out(staff)
    kept = staff.post(NEW_SHOW, data=form, headers=OWN)
    create_account("door@theatre.org", "door", PASSWORD)
    log_in(staff, "door@theatre.org")
    assert staff.post(NEW_SHOW, data=fields(kept.text), headers=OWN).status_code == 403
    assert titles(database) == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize("data", [TYPED, TYPED | {"csrf_token": "forged"}])
def test_another_site_gets_no_button_for_its_words(
    staff: FlaskClient,
    database: psycopg.Connection[Any],
    headers: dict[str, str],
    data: dict[str, str],
) -> None:
    answer = staff.post(NEW_SHOW, data=data, headers=headers)
    assert answer.status_code == 400
    assert "Così" not in answer.text
    assert titles(database) == []


def test_no_password_is_repeated(admin: FlaskClient) -> None:
    form = {
        "csrf_token": "stale",
        "email": "new@theatre.org",
        "name": "New",
        "role": "door",
        "password": "a long secret that is typed",
    }
    kept = admin.post("/admin/accounts/new/", data=form, headers=OWN)
    assert "a long secret" not in kept.text
    assert "The password was not kept" in kept.text
    assert 'value="new@theatre.org"' in kept.text


def test_a_form_of_passwords_is_opened_again(staff: FlaskClient) -> None:
    form = {"csrf_token": "stale", "password": "old and secret", "new_password": "new and secret"}
    kept = staff.post("/staff/change", data=form, headers=OWN)
    assert kept.status_code == 400
    assert "and secret" not in kept.text
    assert 'href="/staff/change"' in kept.text


def test_a_stale_login_form_comes_again_with_the_address(in_app: Flask, staff: FlaskClient) -> None:
    client = in_app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    typed = {"email": "staff@theatre.org", "password": PASSWORD}
    page = client.post("/staff/login", data=typed | {"csrf_token": "stale"}, headers=OWN)
    assert page.status_code == 400
    assert 'value="staff@theatre.org"' in page.text
    assert PASSWORD not in page.text
    assert "enter your password again" in page.text
    assert client.get("/admin/").status_code == 302  # nobody was logged in by it
    again = client.post("/staff/login", data=fields(page.text) | typed, headers=OWN)
    assert again.status_code == 302


def test_the_door_keeps_what_was_typed(in_app: Flask) -> None:
    door = logged_in(in_app, "door")
    address = f"/checkin/performances/{a_performance(capacity=5).id}"
    form = fields(door.get(address).text) | {"code": "A code"}
    log_out_of_door = door.post("/staff/logout", data={"csrf_token": form["csrf_token"]})
    assert log_out_of_door.status_code == 302
    for path, typed in ((f"{address}/scans", form), (f"{address}/parties", {"query": "Rossi"})):
        kept = door.post(path, data=typed, headers=OWN)
        assert kept.status_code == 401
        assert action(kept.text) == path
        assert set(typed.values()) - {form["csrf_token"]} <= set(fields(kept.text).values())

"""The list of one's sessions, and logging them out."""

import re
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.staff.browsers import describe_browser, shorten_address
from azionelab.staff.sessions import delete_expired_sessions, end_session
from tests.support.people import english, log_in, logged_in, press

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
EMAIL = "staff@theatre.org"
PAGE = "/staff/account"


def another(app: Flask, browser: str) -> FlaskClient:
    """The same person in another browser."""
    client = english(app)
    client.environ_base["HTTP_USER_AGENT"] = browser
    client.environ_base["REMOTE_ADDR"] = "203.0.113.77"
    assert log_in(client, EMAIL).status_code == 302
    return client


def others(page: str) -> list[str]:
    """The sessions in the list that are not this device's, as their buttons send them."""
    rows = re.findall(r"<li>.*?</li>", page, re.DOTALL)
    here = [row for row in rows if "this device" in row]
    assert len(here) == 1
    found = (re.search(r'name="session" value="(\w+)"', row) for row in rows if row not in here)
    return [match[1] for match in found if match]


def is_in(client: FlaskClient) -> bool:
    return client.get("/admin/").status_code == 200


def test_the_list_tells_where_one_is_logged_in(app: Flask) -> None:
    laptop = logged_in(app, "staff")
    another(app, "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0")
    page = laptop.get(PAGE).text
    assert "Firefox, Android" in page
    assert "203.0.113.x" in page
    assert "203.0.113.77" not in page
    assert len(others(page)) == 1


def test_another_session_is_ended_at_once(app: Flask) -> None:
    laptop, phone = logged_in(app, "staff"), another(app, "Firefox/140.0 Android")
    third = another(app, "")
    copy = english(app)
    cookie = phone.get_cookie("session")
    assert cookie
    copy.set_cookie("session", cookie.value)
    (_third, of_phone) = others(laptop.get(PAGE).text)
    assert (
        "has been logged out" in press(laptop, "/staff/sessions/end", PAGE, session=of_phone).text
    )
    assert [is_in(one) for one in (laptop, phone, copy, third)] == [True, False, False, True]
    assert "already" in press(laptop, "/staff/sessions/end", PAGE, session=of_phone).text


def test_all_other_sessions_are_ended(app: Flask) -> None:
    laptop, phone, third = logged_in(app, "staff"), another(app, "a"), another(app, "b")
    page = press(laptop, "/staff/sessions/others", PAGE).text
    assert others(page) == []
    assert [is_in(one) for one in (laptop, phone, third)] == [True, False, False]


def test_ending_this_session_logs_out(app: Flask, database: Database) -> None:
    laptop = logged_in(app, "staff")
    row = database.execute("SELECT encode(digest, 'hex') FROM staff_session").fetchone()
    assert row
    answer = press(laptop, "/staff/sessions/end", PAGE, session=row[0])
    assert answer.request.path == "/staff/login"
    assert database.execute("SELECT count(*) FROM staff_session").fetchone() == (0,)


def test_nobody_ends_another_persons_session(app: Flask, database: Database) -> None:
    staff = logged_in(app, "staff")
    row = database.execute("SELECT encode(digest, 'hex') FROM staff_session").fetchone()
    assert row
    thief = logged_in(app, "door")
    assert row[0] not in thief.get(PAGE).text
    press(thief, "/staff/sessions/end", PAGE, session=row[0])
    assert not end_session(2, bytes.fromhex(row[0]))
    press(thief, "/staff/sessions/others", PAGE)
    assert is_in(staff)


@pytest.mark.parametrize("odd", ["", "zz", "00", "x" * 5000, "\0"])
def test_odd_input_ends_nothing(app: Flask, odd: str) -> None:
    staff = logged_in(app, "staff")
    assert press(staff, "/staff/sessions/end", PAGE, session=odd).status_code == 200
    assert is_in(staff)


def test_logged_out_everywhere_the_list_is_empty(app: Flask, database: Database) -> None:
    laptop, phone = logged_in(app, "staff"), another(app, "a")
    press(laptop, "/staff/logout-everywhere", PAGE)
    assert not is_in(phone)
    log_in(laptop, EMAIL)
    assert others(laptop.get(PAGE).text) == []


def test_a_session_joins_the_list_when_it_is_seen(app: Flask, database: Database) -> None:
    """As one of the previous release does, which has no row."""
    laptop, phone = logged_in(app, "staff"), another(app, "a")
    database.execute("DELETE FROM staff_session")
    laptop.get(PAGE)
    phone.get("/admin/")
    assert len(others(laptop.get(PAGE).text)) == 1


def test_the_last_use_is_stored_now_and_then(app: Flask, database: Database) -> None:
    laptop = logged_in(app, "staff")
    seen = "SELECT seen_at > now() - interval '5 minutes' FROM staff_session"
    for minutes, is_stored in ((5, False), (11, True)):
        database.execute(
            "UPDATE staff_session SET seen_at = now() - make_interval(mins => %s)", (minutes,)
        )
        laptop.get("/admin/")
        assert database.execute(seen).fetchone() == (is_stored,)


def test_an_administrator_ends_all_sessions_of_an_account(app: Flask) -> None:
    staff, admin = logged_in(app, "staff"), logged_in(app, "admin")
    page = press(admin, "/admin/accounts/end-sessions/", id=1).text
    assert "has been logged out on all devices" in page
    assert "Nowhere at the moment." in page
    assert not is_in(staff)
    assert is_in(admin)


def test_expired_sessions_are_deleted(app: Flask, database: Database) -> None:
    laptop, phone = logged_in(app, "staff"), another(app, "a")
    press(phone, "/staff/logout", PAGE)
    database.execute("UPDATE ended_session SET ended_at = now() - interval '13 hours'")
    delete_expired_sessions()
    assert database.execute("SELECT count(*) FROM ended_session").fetchone() == (0,)
    assert database.execute("SELECT count(*) FROM staff_session").fetchone() == (1,)
    database.execute("UPDATE staff_session SET seen_at = now() - interval '13 hours'")
    delete_expired_sessions()
    assert database.execute("SELECT count(*) FROM staff_session").fetchone() == (0,)
    assert is_in(laptop)


@pytest.mark.parametrize(
    ("user_agent", "described"),
    [
        ("", ""),
        ("curl/8.5.0", ""),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox, Linux",
        ),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
                " Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
            ),
            "Edge, Windows",
        ),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML,"
                " like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
            ),
            "Safari, iPhone",
        ),
        (
            (
                "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko)"
                " Chrome/140.0.0.0 Mobile Safari/537.36"
            ),
            "Chrome, Android",
        ),
    ],
)
def test_how_a_browser_is_named(user_agent: str, described: str) -> None:
    assert describe_browser(user_agent) == described


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("192.0.2.7", "192.0.2.x"),
        ("10.0.0.1", "10.0.0.x"),
        ("2001:db8:1:2:3::4", "2001:db8:1:x"),
        ("::ffff:192.0.2.7", "192.0.2.x"),
        ("::1", ":x"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_how_an_address_is_shortened(address: str, shown: str) -> None:
    assert shorten_address(address) == shown

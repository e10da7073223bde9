"""The connection is cut while somebody logs in, changes their password, or makes a phone a door device.

No page repeats a password, so these are not pressed again as they were: what matters is that what holds is
clear, and that the person comes in in the end.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from azionelab.checkin.devices.invitations import make_invitation
from azionelab.staff.accounts import create_account
from tests.bookings.test_pages import fields
from tests.faults.deeds import tonight
from tests.support.cutting_proxy import Cut, CuttingProxy
from tests.support.people import PASSWORD, english, log_in

pytestmark = [
    pytest.mark.usefixtures("in_app"),
    pytest.mark.parametrize("how", Cut, ids=["statement", "answer"]),
]

OTHER = "quite another unlikely sentence"
_MOST = 60  # statements that no press comes near


@pytest.fixture
def app_beyond(make_app: Callable[..., Flask], cutter: CuttingProxy) -> Flask:
    many = "1000 per minute"
    return make_app(DATABASE_URL=cutter.url, LOGIN_RATE_LIMIT=many)


def somebody() -> str:
    """The address of a new account."""
    return create_account(f"{uuid4().hex}@theatre.org", "door", PASSWORD).email


def each_cut(
    cutter: CuttingProxy, how: Cut, prepare: Callable[[], Callable[[], TestResponse]]
) -> Iterator[TestResponse]:
    """The answers to presses that are cut one statement or commit later each time, until one is not cut at all."""
    for number in range(1, _MOST):
        press = prepare()
        cutter.cut(number, how)
        answer = press()
        cutter.spare()
        yield answer
        if not cutter.was_cut.is_set():
            return
    raise AssertionError("it never came to an end")


def test_who_logs_in_comes_in_at_the_next_press(
    app_beyond: Flask, cutter: CuttingProxy, how: Cut
) -> None:
    email = ""

    def prepare() -> Callable[[], TestResponse]:
        nonlocal email
        email, browser = somebody(), english(app_beyond)
        form = fields(browser.get("/staff/login").text) | {"email": email, "password": PASSWORD}
        return lambda: browser.post("/staff/login", data=form)

    for answer in each_cut(cutter, how, prepare):
        assert answer.status_code in (302, 503)
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
            assert PASSWORD not in answer.text
        assert log_in(english(app_beyond), email).status_code == 302


def test_a_password_is_the_old_or_the_new_one_as_it_was_told(
    app_beyond: Flask, cutter: CuttingProxy, how: Cut
) -> None:
    email = ""

    def prepare() -> Callable[[], TestResponse]:
        nonlocal email
        email, browser = somebody(), english(app_beyond)
        assert log_in(browser, email).status_code == 302
        typed = {"password": PASSWORD, "new_password": OTHER, "new_password_confirm": OTHER}
        form = fields(browser.get("/staff/change").text) | typed
        return lambda: browser.post("/staff/change", data=form)

    for answer in each_cut(cutter, how, prepare):
        assert answer.status_code in (302, 503)
        is_old, is_new = (
            log_in(english(app_beyond), email, password).status_code == 302
            for password in (PASSWORD, OTHER)
        )
        assert is_old != is_new
        if answer.status_code == 302:
            assert is_new
        elif "We do not know" not in answer.text:
            assert "Nothing was saved" in answer.text
            assert is_old


def test_a_phone_becomes_a_device_at_the_next_press(
    app_beyond: Flask, cutter: CuttingProxy, database: psycopg.Connection[Any], how: Cut
) -> None:
    phone, evening, body = english(app_beyond), 0, {}

    def enrol() -> TestResponse:
        return phone.post("/api/v1/checkin/devices", json=body)

    def prepare() -> Callable[[], TestResponse]:
        nonlocal evening, body
        evening = tonight().id
        body = {"invitation": make_invitation(evening), "label": "Marta's phone"}
        return enrol

    for answer in each_cut(cutter, how, prepare):
        devices = database.execute(
            "SELECT count(*) FROM api_token WHERE performance_id = %s", [evening]
        ).fetchone()
        if answer.status_code == 503:
            unknown = answer.json["type"] == "/api/problems/outcome-unknown"
            assert unknown or devices == (0,)
        else:
            assert (answer.status_code, devices) == (201, (1,))
        # An invitation is for one phone. Whoever was not told that theirs is a device scans the next code.
        assert enrol().status_code == (201 if devices == (0,) else 410)
        body["invitation"] = make_invitation(evening)
        assert enrol().status_code == 201

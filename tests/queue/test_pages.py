"""The pages of a line, and the gate before the booking form and the bookings API."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings.crowd import proof_of_work
from azionelab.database import now
from azionelab.queue import lines
from azionelab.queue.advance import advance
from tests.bookings.test_pages import fields, filled
from tests.factories import a_party, a_performance
from tests.queue.test_line import Database, a_line, line_of
from tests.support.people import english

pytestmark = pytest.mark.usefixtures("in_app", "proven", "by_turns")
EMAIL = "ada@example.org"


@pytest.fixture
def proven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every proof: tests/bookings/test_flood.py computes real ones."""
    monkeypatch.setattr(proof_of_work, "_use_proof", lambda _proof, _uses: True)


@pytest.fixture
def by_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lines stand still but for `turn`, however slow the machine is."""
    monkeypatch.setattr(lines, "advance", lambda _line, _at: None)


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    lines.live_lines().forget()
    return english(app)


def a_line_before(opened: timedelta = timedelta(hours=1), **how: Any) -> tuple[int, int]:
    """A line, and a performance behind it that can be booked."""
    performance = a_performance()
    return a_line(opened, **how).id, performance.id


def join(visitor: FlaskClient, address: str, email: str = EMAIL) -> str:
    """Join by the form, and return the address of the place."""
    page = visitor.get(address)
    answer = visitor.post(address, data=fields(page.text) | {"email": email})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def turn(line_id: int) -> None:
    advance(line_id, now())
    lines.live_lines().forget()


def press(visitor: FlaskClient, page: str, what: str) -> str:
    """Press one of the buttons of a place's page, and return the page after it."""
    text = visitor.get(page).text
    address = re.search(rf'action="([^"]*/{what}[^"]*)"', text)
    assert address, f"no way to {what}"
    answer = visitor.post(address[1], data=fields(text))
    assert answer.status_code == 303, answer.text
    return visitor.get(answer.location).text


def come_in(visitor: FlaskClient, place: str) -> str:
    """Press the button of whoever is let in; the page that it leads to."""
    return press(visitor, place, "enter")


def test_the_form_is_behind_the_line_until_it_is_ones_turn(visitor: FlaskClient) -> None:
    line_id, performance = a_line_before()
    form = f"/en/performances/{performance}/book"
    led = visitor.get(form)
    assert (led.status_code, led.location) == (
        303,
        f"/en/queue/{line_id}?performance={performance}",
    )
    place = join(visitor, led.location)
    assert "You are in line" in visitor.get(place).text
    assert visitor.get(form).location == place
    turn(line_id)
    assert "It is your turn" in visitor.get(place).text
    assert visitor.get(form).location == place, "only who is there uses the time"
    assert 'name="seats"' in come_in(visitor, place)
    page = visitor.get(form)
    refused = visitor.post(form, data=filled(page.text, email="other@example.org"))
    assert refused.status_code == 409
    assert "the address that you gave when you joined" in refused.text
    booked = visitor.post(form, data=filled(page.text, email="ADA@example.org"))
    assert booked.status_code == 303
    assert booked.location.endswith("/received")
    assert "Your turn is over" in visitor.get(place).text
    assert visitor.get(form).location == place, "a turn is for one booking"
    again = visitor.post(form, data=filled(page.text, email="ADA@example.org"))
    assert again.location == booked.location, "the same press is answered with its booking"
    changed = filled(page.text, email="ADA@example.org", name="Ada B.")
    assert visitor.post(form, data=changed).location == place


def test_a_mailbox_has_one_place_from_every_browser(app: Flask, visitor: FlaskClient) -> None:
    line_id, _performance = a_line_before()
    places = {
        join(browser, f"/en/queue/{line_id}", email)
        for browser, email in (
            (visitor, "ada.rossi@gmail.com"),
            (english(app), "AdaRossi+tab@gmail.com"),
        )
    }
    assert len(places) == 1
    assert line_of(line_id).joined == 1


def test_a_posted_booking_waits_too_and_only_the_mailbox_counts(
    app: Flask, visitor: FlaskClient
) -> None:
    line_id, performance = a_line_before()
    lines.end_line(line_id)
    page = visitor.get(f"/en/performances/{performance}/book").text
    lines.resume_line(line_id)
    form = f"/en/performances/{performance}/book"
    answer = visitor.post(form, data=filled(page, email=EMAIL))
    assert answer.location == f"/en/queue/{line_id}?performance={performance}"
    join(english(app), f"/en/queue/{line_id}")
    turn(line_id)
    assert visitor.post(form, data=filled(page, email=EMAIL)).location.endswith("/received")


def test_the_api_says_where_to_wait(client: FlaskClient, visitor: FlaskClient) -> None:
    line_id, performance = a_line_before()
    address = f"/api/v1/performances/{performance}/reservations"
    booking = {"name": "Ada", "email": EMAIL, "seats": 1, "consent": True}
    told = client.post(address, json=booking)
    assert told.status_code == 429
    assert told.json is not None
    assert told.json["type"].endswith("queue-first")
    assert urlsplit(told.json["queue"]).path.endswith(f"/queue/{line_id}")
    assert int(told.headers["Retry-After"]) > 0
    join(visitor, f"/en/queue/{line_id}")
    turn(line_id)
    key = {"Idempotency-Key": str(uuid4())}
    assert client.post(address, json=booking, headers=key).status_code == 202
    assert client.post(address, json=booking, headers=key).status_code == 202, "the same request"
    assert client.post(address, json=booking).status_code == 429


def test_before_the_opening_the_page_says_that_it_is_a_lot(
    visitor: FlaskClient, database: Database
) -> None:
    opens = timedelta(minutes=10)
    performance = a_performance(booking_opens_at=now() + opens)
    open_already = a_performance()
    line_id = a_line(-opens).id
    lines.live_lines().forget()
    led = visitor.get(f"/en/performances/{performance.id}/book").location
    assert f"/queue/{line_id}" in led
    assert "we draw lots among all who are here" in visitor.get(led).text
    assert visitor.get(f"/en/performances/{open_already.id}/book").status_code == 200
    place = join(visitor, led)
    assert "You are in the draw" in visitor.get(place).text
    database.execute("UPDATE queue_line SET opens_at = now() - interval '1 second'")
    turn(line_id)
    assert "It is your turn" in visitor.get(place).text


def test_who_leaves_can_come_back_and_who_missed_the_time_joins_again(
    visitor: FlaskClient, database: Database
) -> None:
    line_id, _performance = a_line_before()
    place = join(visitor, f"/en/queue/{line_id}")
    assert "You have left the line" in press(visitor, place, "leave")
    assert "You are in line" in press(visitor, place, "back")
    turn(line_id)
    database.execute("UPDATE queue_place SET let_in_at = now() - interval '4 minutes'")
    page = visitor.get(place).text
    assert "Your time to book has passed" in page
    assert "nobody pressed the button" in page
    assert "You are in line" in press(visitor, place, "again")
    lines.end_line(line_id)
    assert "The line is over" in visitor.get(place).text
    assert "The line is over" in visitor.get(f"/en/queue/{line_id}").text


def test_a_page_is_no_older_than_what_another_process_told(
    visitor: FlaskClient, app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "_REMEMBERED", 3_600.0)
    line_id, _performance = a_line_before(inside_limit=1)
    for name in ("first", "second"):
        join(english(app), f"/en/queue/{line_id}", f"{name}@example.org")
    place = join(visitor, f"/en/queue/{line_id}")
    assert "<dd data-ahead>1</dd>" in visitor.get(place).text
    database.execute("UPDATE queue_line SET let_in = 2")
    assert "<dd data-ahead>0</dd>" in visitor.get(place).text


def test_a_place_costs_a_proof(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof_of_work, "_use_proof", lambda proof, _uses: proof == "solved")
    app = make_app(UNPROVEN_BOOKING_LIMIT="1 per 10 minutes")
    line_id = a_line().id
    asked = f"/en/queue/{line_id}"
    page = english(app).get(asked).text
    assert "data-challenge" in page
    join(english(app), asked, "without-javascript@example.org")
    refused = english(app)
    answer = refused.post(asked, data=fields(refused.get(asked).text) | {"email": EMAIL})
    assert answer.status_code == 429
    assert line_of(line_id).joined == 1
    proven = english(app)
    data = fields(proven.get(asked).text) | {"email": EMAIL, "proof": "solved"}
    assert proven.post(asked, data=data).status_code == 303
    stranger = refused.post(asked, data=fields(refused.get(asked).text) | {"email": EMAIL})
    assert stranger.status_code == 429, "it is not told whether an address stands in line"


def test_the_state_is_public_and_says_nothing_of_anybody(visitor: FlaskClient) -> None:
    line_id, _performance = a_line_before()
    join(visitor, f"/en/queue/{line_id}")
    turn(line_id)
    answer = visitor.get(f"/en/queue/{line_id}/state")
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert "Set-Cookie" not in answer.headers
    assert answer.json == {
        "joined": 1, "let_in": 1, "drawn": True, "ended": False, "sold_out": False, "per_minute": 100,
        "inside_limit": 500, "stay_minutes": 10, "names_minutes": True, "slowed": False,
    }  # fmt: skip


def test_a_line_of_another_show_and_the_box_office_are_not_in_the_way(
    make_app: Callable[..., Flask], app: Flask
) -> None:
    mine, other = a_performance(), a_performance()
    lines.open_line(mine.show_id, now())
    lines.live_lines().forget()

    def led(app: Flask, performance: int) -> bool:
        return english(app).get(f"/en/performances/{performance}/book").status_code == 303

    assert [led(app, one.id) for one in (mine, other)] == [True, False]
    assert not led(make_app(BOX_OFFICE_NETWORKS="127.0.0.1"), mine.id)


def test_the_page_says_when_all_seats_are_taken(visitor: FlaskClient) -> None:
    evening = a_performance(capacity=2)
    line_id = a_line().id
    lines.live_lines().forget()
    place = join(visitor, f"/en/queue/{line_id}?performance={evening.id}")
    assert "All seats are taken" not in visitor.get(place).text
    a_party(evening)
    visitor.application.extensions["queue_sold_out"].clear()
    assert "All seats are taken" in visitor.get(place).text
    # Its form says the same, and its waitlist fills in the order of the line.
    assert visitor.get(f"/en/performances/{evening.id}/book").status_code == 200
    waitlist = f"/en/performances/{evening.id}/waitlist"
    assert visitor.get(waitlist).location == place
    stranger = english(visitor.application)
    assert f"/queue/{line_id}" in stranger.get(waitlist).location
    turn(line_id)
    form = come_in(visitor, place)
    assert f'action="{waitlist}"' in form
    typed = fields(form) | {
        "name": "Ada",
        "email": "other@example.org",
        "seats": "2",
        "consent": "y",
    }
    assert "the address that you gave when you joined" in visitor.post(waitlist, data=typed).text
    assert visitor.post(waitlist, data=typed | {"email": EMAIL}).status_code == 303
    assert "Your turn is over" in visitor.get(place).text


def test_a_line_can_allow_fewer_seats_than_the_performance(
    client: FlaskClient, visitor: FlaskClient
) -> None:
    line_id, performance = a_line_before(most_seats=3)
    place = join(visitor, f"/en/queue/{line_id}?performance={performance}")
    turn(line_id)
    form = come_in(visitor, place)
    assert re.findall(r'<option[^>]*value="(\d+)"', form) == ["1", "2", "3"]
    booking = {"name": "Ada", "email": EMAIL, "seats": 4, "consent": True}
    refused = client.post(f"/api/v1/performances/{performance}/reservations", json=booking)
    assert refused.status_code == 422
    assert refused.json is not None
    assert refused.json["limit"] == 3


def test_forged_places_do_not_exist(visitor: FlaskClient) -> None:
    assert visitor.get(f"/en/queue/place/{'A' * 43}").status_code == 404
    assert visitor.get("/en/queue/7").status_code == 404
    assert visitor.get("/en/queue/7/state").status_code == 404

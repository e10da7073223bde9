"""A flood of scripted bookings: few mails, few seats, and visitors who still book."""

import base64
import json
import re
from collections import Counter
from collections.abc import Callable
from html import unescape
from itertools import count
from typing import Any

import altcha
import psycopg
import pytest
from altcha.v2 import Payload
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from azionelab.bookings import rules
from azionelab.shows.models import Performance
from tests.factories import a_performance, seats_held

Database = psycopg.Connection[Any]

pytestmark = pytest.mark.usefixtures("in_app")

ABOVE, UNPROVEN = 4, 3
_numbers = count(1)


@pytest.fixture
def site(make_app: Callable[..., Flask]) -> Flask:
    """A site that asks for a proof above four unconfirmed bookings, and takes three without one."""
    return make_app(
        TRUSTED_PROXIES="1",
        PROOF_ABOVE_BOOKINGS=str(ABOVE),
        UNPROVEN_BOOKING_LIMIT=f"{UNPROVEN} per 10 minutes",
        BOX_OFFICE_NETWORKS="192.0.2.0/24",
        SECRET_KEY_FALLBACKS="an-older-key-of-this-site-00000000",
    )


def from_anywhere() -> dict[str, str]:
    """The headers of a request from a network that made none yet."""
    return {"X-Forwarded-For": f"2001:db8:0:{next(_numbers):x}::1", "Accept-Language": "en"}


def read_form(client: FlaskClient, performance: Performance) -> tuple[dict[str, str], str | None]:
    """The hidden fields of the form, and its challenge."""
    page = client.get(f"/performances/{performance.id}/book", headers=from_anywhere()).text
    fields = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = (re.search(rf'\b{mark}="([^"]*)"', tag) for mark in ("name", "value"))
        if name and "hidden" in tag:
            fields[name[1]] = unescape(value[1]) if value else ""
    challenge = re.search(r'data-challenge="([^"]*)"', page)
    return fields, unescape(challenge[1]) if challenge else None


def book(
    client: FlaskClient, performance: Performance, *, seats: int = 2, **typed: str
) -> TestResponse:
    """Send the form, from a network of its own."""
    hidden, _ = read_form(client, performance)
    sent = {"name": "Ada", "email": f"ada-{next(_numbers)}@example.org", "consent": "y"}
    sent |= {"seats": str(seats)}
    address = f"/performances/{performance.id}/book"
    return client.post(address, data=hidden | sent | typed, headers=from_anywhere())


def solve(challenge: str) -> str:
    """What a browser makes of a challenge."""
    asked = altcha.Challenge.from_dict(json.loads(challenge))
    solution = altcha.solve_challenge(asked)
    assert solution is not None
    return Payload(asked, solution).to_base64()


def a_proof(site: Flask, performance: Performance) -> str:
    _, challenge = read_form(site.test_client(), performance)
    assert challenge is not None
    return solve(challenge)


def flooded(site: Flask) -> Performance:
    """A performance with as many unconfirmed bookings as ask for a proof."""
    performance = a_performance(capacity=200)
    for _ in range(ABOVE):
        assert book(site.test_client(), performance).status_code == 303
    return performance


def unheld(database: Database) -> int:
    (row,) = database.execute("SELECT count(*) FROM reservation WHERE NOT holds_seats").fetchall()
    return int(row[0])


def test_a_usual_evening_asks_for_nothing(site: Flask, database: Database) -> None:
    performance = a_performance()
    _, challenge = read_form(site.test_client(), performance)
    assert challenge is None
    assert book(site.test_client(), performance).status_code == 303
    assert unheld(database) == 0


def test_a_flood_writes_few_mails_and_holds_few_seats(site: Flask, database: Database) -> None:
    performance = a_performance(capacity=200)
    statuses = Counter(
        book(site.test_client(), performance).status_code for _ in range(3 * (ABOVE + UNPROVEN))
    )
    (mails,) = database.execute("SELECT count(*) FROM mail").fetchall()
    assert statuses[303] == mails[0] == ABOVE + UNPROVEN
    assert statuses[429] == sum(statuses.values()) - statuses[303]
    assert seats_held(performance.id)[0] == 2 * ABOVE
    # A visitor with a browser books, has seats, and confirms them.
    proof = a_proof(site, performance)
    assert book(site.test_client(), performance, proof=proof).status_code == 303
    assert seats_held(performance.id)[0] == 2 * ABOVE + 2
    newest = database.execute("SELECT id FROM reservation ORDER BY created_at DESC LIMIT 1")
    (row,) = newest.fetchall()
    assert rules.confirm(row.id).holds_seats


def test_who_comes_without_a_proof_keeps_the_entries_and_is_told(site: Flask) -> None:
    performance = flooded(site)
    for _ in range(UNPROVEN):
        book(site.test_client(), performance)
    answer = book(site.test_client(), performance, name="Grace Hopper")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    assert "Very many bookings are coming in at this moment." in answer.text
    assert "Grace Hopper" in answer.text
    assert "data-challenge=" in answer.text  # pressed again, the form has a proof


def test_without_a_proof_the_seats_go_to_who_confirms_first(
    site: Flask, database: Database
) -> None:
    performance = flooded(site)
    client = site.test_client()
    answer = book(client, performance)
    assert answer.status_code == 303
    assert unheld(database) == 1
    told = client.get(f"/performances/{performance.id}/received", headers=from_anywhere())
    assert "We hold" not in told.text


def test_a_form_that_was_opened_before_has_its_challenge(site: Flask) -> None:
    performance = a_performance(capacity=200)
    for _ in range(ABOVE // 2):
        book(site.test_client(), performance)
    assert read_form(site.test_client(), performance)[1] is not None


def test_a_larger_flood_makes_it_harder(site: Flask) -> None:
    performance = flooded(site)
    before = read_form(site.test_client(), performance)[1]
    proof = a_proof(site, performance)
    for _ in range(2):
        book(site.test_client(), performance, proof=proof)
    after = read_form(site.test_client(), performance)[1]
    costs = [json.loads(text or "")["parameters"]["cost"] for text in (before, after)]
    assert costs[1] == costs[0] * (ABOVE + 2) / ABOVE


def test_a_proof_is_good_for_a_correction_and_not_for_a_list(
    site: Flask, database: Database
) -> None:
    performance = flooded(site)
    proof = a_proof(site, performance)
    for _ in range(5):
        book(site.test_client(), performance, proof=proof)
    assert unheld(database) == 2


def test_a_forged_proof_is_none(site: Flask, database: Database) -> None:
    performance = flooded(site)
    genuine = json.loads(base64.b64decode(a_proof(site, performance)))
    challenge, solution = genuine["challenge"], genuine["solution"]
    easier = challenge | {"parameters": challenge["parameters"] | {"cost": 1}}
    forged = [
        {"challenge": challenge | {"signature": ""}, "solution": solution},
        {"challenge": easier, "solution": solution},
        {"challenge": challenge, "solution": solution | {"counter": solution["counter"] + 1}},
    ]
    for proof in forged:
        sent = base64.b64encode(json.dumps(proof).encode()).decode()
        assert book(site.test_client(), performance, proof=sent).status_code == 303
    assert unheld(database) == len(forged)
    assert book(site.test_client(), performance, proof="%%%").status_code == 429


def test_a_challenge_outlives_a_change_of_the_key(
    site: Flask, make_app: Callable[..., Flask], database: Database
) -> None:
    performance = flooded(site)
    before = make_app(SECRET_KEY="an-older-key-of-this-site-00000000", PROOF_ABOVE_BOOKINGS="1")
    book(site.test_client(), performance, proof=a_proof(before, performance))
    assert unheld(database) == 0


def test_a_field_that_only_scripts_see_costs_them_the_hold(site: Flask, database: Database) -> None:
    performance = a_performance(capacity=200)
    for _ in range(UNPROVEN + 1):
        answer = book(site.test_client(), performance, website="https://seo.example")
    assert answer.status_code == 429
    assert (unheld(database), seats_held(performance.id)[0]) == (UNPROVEN, 0)


def test_a_class_at_the_box_office_proves_nothing(site: Flask, database: Database) -> None:
    performance = flooded(site)
    headers = {"X-Forwarded-For": "192.0.2.7"}
    for _ in range(28):
        client = site.test_client()
        hidden, _ = read_form(client, performance)
        sent = {"name": "Ada", "email": f"pupil-{next(_numbers)}@example.org", "consent": "y"}
        client.post(
            f"/performances/{performance.id}/book",
            data=hidden | sent | {"seats": "1"},
            headers=headers,
        )
    assert unheld(database) == 0
    assert seats_held(performance.id)[0] == 2 * ABOVE + 28


def test_programs_have_no_proof(site: Flask, database: Database) -> None:
    performance = flooded(site)

    def ask() -> TestResponse:
        booking = {"name": "Ada", "seats": 2, "consent": True}
        booking["email"] = f"ada-{next(_numbers)}@example.org"
        address = f"/api/v1/performances/{performance.id}/reservations"
        return site.test_client().post(address, json=booking, headers=from_anywhere())

    answers = [ask() for _ in range(UNPROVEN + 1)]
    assert [answer.status_code for answer in answers] == [202] * UNPROVEN + [429]
    assert not any(answer.json["held"] for answer in answers[:-1])
    assert answers[-1].json["type"].endswith("too-many-bookings")
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_confirmed_bookings_are_no_flood(
    site: Flask, make_app: Callable[..., Flask], database: Database
) -> None:
    performance = flooded(site)
    anew = make_app(TRUSTED_PROXIES="1", PROOF_ABOVE_BOOKINGS=str(ABOVE))
    assert read_form(anew.test_client(), performance)[1] is not None
    for row in database.execute("SELECT id FROM reservation").fetchall():
        rules.confirm(row.id)
    anew = make_app(TRUSTED_PROXIES="1", PROOF_ABOVE_BOOKINGS=str(ABOVE))
    assert read_form(anew.test_client(), performance)[1] is None

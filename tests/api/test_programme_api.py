"""The programme for programs."""

from datetime import datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient

from azionelab.database import now
from tests.factories import a_party, a_performance

ADDRESS = "/api/v1/performances"


def test_the_programme_lists_what_is_coming(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        later = a_performance(starts_at=now() + timedelta(days=3))
        sooner = a_performance(capacity=4)
        a_performance(starts_at=now() - timedelta(hours=1))
        a_performance(published=False)
        a_party(sooner, seats=4)
        expected = sooner.starts_at
    answer = client.get(ADDRESS)
    first, second = answer.json["performances"]
    assert (first["id"], second["id"]) == (sooner.id, later.id)
    assert (first["status"], first["seats_left"]) == ("sold_out", 0)
    assert (second["status"], second["seats_left"]) == ("open", 10)
    assert datetime.fromisoformat(first["starts_at"]) == expected


def test_caches_may_keep_it_for_a_second(client: FlaskClient) -> None:
    answer = client.get(ADDRESS)
    assert answer.cache_control.public
    assert answer.cache_control.max_age == 1
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.vary


def test_one_performance(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        performance = a_performance(capacity=7, party_limit=3)
        past = a_performance(starts_at=now() - timedelta(hours=1))
        hidden = a_performance(published=False)
    found = client.get(f"{ADDRESS}/{performance.id}").json
    assert (found["seats_left"], found["party_limit"], found["status"]) == (7, 3, "open")
    assert found["venue_address"] == "Via Roma 1"
    assert client.get(f"{ADDRESS}/{past.id}").json["status"] == "past"
    assert client.get(f"{ADDRESS}/{hidden.id}").status_code == 404

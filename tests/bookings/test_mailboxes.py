"""One mailbox is one, however it is written, and is not filled by who books with its address."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.validation.email_addresses import mailbox_key
from tests.factories import a_performance

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Vic.Tim+7@gmail.com", "victim@gmail.com"),
        ("v.i.c.t.i.m@googlemail.com", "victim@gmail.com"),
        ("vic.tim+7@outlook.com", "vic.tim@outlook.com"),
        ("victim+a+b@proton.me", "victim@proton.me"),
        ("victim+7@icloud.com", "victim@icloud.com"),
        ("victim+7@fastmail.com", "victim@fastmail.com"),
        ("N@victim.fastmail.com", "victim@fastmail.com"),
        ("7@victim.fastmail.fm", "victim@fastmail.fm"),
        ("7@victim.teatro.it", "7@victim.teatro.it"),
        ("vic-tim_7@pm.me", "victim7@pm.me"),
        ("victim+7@me.com", "victim@icloud.com"),
        ("victim@mac.com", "victim@icloud.com"),
        ("victim+7@hotmail.es", "victim@hotmail.es"),
        # All of one person's tags, and not the box of whoever is called like these.
        ("victim-shop@yahoo.it", "victim-@yahoo.it"),
        ("victim-other-shop@yahoo.it", "victim-@yahoo.it"),
        ("victim@yahoo.it", "victim@yahoo.it"),
        ("vic-tim@gmail.com", "vic-tim@gmail.com"),
        ("victim+7@yahoo.it", "victim+7@yahoo.it"),
        # Nobody knows what another server makes of these.
        ("Vic.Tim+7@Teatro.it", "vic.tim+7@teatro.it"),
        ("+7@gmail.com", "+7@gmail.com"),
    ],
)
def test_what_its_provider_ignores_is_ignored(typed: str, expected: str) -> None:
    assert mailbox_key(typed) == expected


def ask(client: FlaskClient, performance_id: int, email: str) -> Any:
    return client.post(
        f"/api/v1/performances/{performance_id}/reservations",
        json={"name": "A", "email": email, "seats": 1, "consent": True},
        headers={"Accept-Language": "en"},
    )


def test_one_mailbox_has_one_booking(
    client: FlaskClient, database: psycopg.Connection[Any]
) -> None:
    evening = a_performance()
    for email in ("victim@gmail.com", "victim+1@gmail.com", "vic.tim@googlemail.com"):
        assert ask(client, evening.id, email).status_code == 202
    assert database.execute("SELECT email FROM reservation").fetchall() == [("victim@gmail.com",)]


def test_a_mailbox_is_not_filled(
    make_app: Callable[..., Flask], database: psycopg.Connection[Any]
) -> None:
    client = make_app(MAILBOX_RATE_LIMIT="").test_client()
    evenings = [a_performance().id for _ in range(11)]
    answers = [
        ask(client, evening, f"victim+{number}@gmail.com")
        for number, evening in enumerate(evenings)
    ]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429]
    refused = answers[-1]
    assert refused.json["type"] == "/api/problems/too-many-mails"
    assert "already sent several e-mails to this address" in refused.json["detail"]
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert database.execute("SELECT count(*) FROM mail").fetchone() == (10,)
    # Others are served.
    assert ask(client, evenings[-1], "other@gmail.com").status_code == 202
    keys = database.execute("SELECT key FROM rate_count").fetchall()
    assert all(b"victim" not in row.key for row in keys)

"""Webhooks: what is told, signed as receivers check it, and tried again."""

import base64
import hmac
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings import rules
from azionelab.checkin.scanning.scans import admit
from azionelab.integrations.models import Webhook
from azionelab.integrations.webhooks import delivery
from azionelab.integrations.webhooks.addresses import AddressRefused, check_url, resolve
from azionelab.integrations.webhooks.endpoints import (
    Event,
    create_webhook,
    forget_deliveries,
    send_again,
    set_active,
)
from azionelab.integrations.webhooks.signing import webhook_secret
from tests.conftest import Program
from tests.factories import DOOR_A, a_party, a_performance, ticket_token
from tests.support.people import logged_in, press
from tests.support.processes import eventually

Database = psycopg.Connection[Any]
pytestmark = pytest.mark.usefixtures("in_app")


class Receiver:
    """A program that listens. `answers` are its next statuses, then 204."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.calls: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append(({k.lower(): v for k, v in self.headers.items()}, body))
                status = receiver.answers.pop(0) if receiver.answers else 204
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?from=theatre"

    def events(self) -> list[str]:
        return [json.loads(body)["type"] for _headers, body in self.calls]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


@pytest.fixture
def webhook(receiver: Receiver) -> Webhook:
    return create_webhook(receiver.url, tuple(Event), None)


def let_all_be_due(database: Database) -> None:
    database.execute(
        "UPDATE webhook_delivery SET next_try_at = now() WHERE next_try_at IS NOT NULL"
    )


def test_a_program_is_told_of_a_bookings_life(webhook: Webhook, receiver: Receiver) -> None:
    performance = a_performance()
    party = a_party(performance, seats=3)
    rules.reduce_seats(party.id, 2, 3)
    admit(performance.id, ticket_token(party), uuid4(), DOOR_A)
    rules.cancel(a_party(performance).id)
    delivery.deliver_due(webhook.id)
    assert receiver.events() == [
        "reservation.reserved",
        "reservation.confirmed",
        "reservation.changed",
        "reservation.admitted",
        "reservation.reserved",
        "reservation.confirmed",
        "reservation.cancelled",
    ]
    _headers, body = receiver.calls[3]
    told = json.loads(body)["data"]
    assert told == {
        "id": str(party.id),
        "reference": party.reference,
        "performance_id": performance.id,
        "state": "confirmed",
        "seats": 2,
        "admitted": 2,
    }
    assert b"@" not in b"".join(body for _headers, body in receiver.calls), "no personal data"


def test_a_message_is_signed_as_receivers_check_it(webhook: Webhook, receiver: Receiver) -> None:
    a_party(a_performance(), confirmed=False)
    delivery.deliver_due(webhook.id)
    ((headers, body),) = receiver.calls
    # As standardwebhooks.com has receivers do it.
    key = base64.b64decode(webhook_secret(webhook.key).removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert f"v1,{expected}" in headers["webhook-signature"].split()
    assert headers["host"] == receiver.url.split("/")[2]


def test_what_was_rolled_back_is_not_told(
    webhook: Webhook, receiver: Receiver, database: Database
) -> None:
    party = a_party(a_performance(), confirmed=False)
    with database.transaction(force_rollback=True):
        database.execute(
            "UPDATE reservation SET state = 'cancelled', ended_at = now() WHERE id = %s", [party.id]
        )
    delivery.deliver_due(webhook.id)
    assert receiver.events() == ["reservation.reserved"]


def test_only_the_events_that_it_asked_for(receiver: Receiver) -> None:
    webhook = create_webhook(receiver.url, [Event.CONFIRMED], None)
    a_party(a_performance())
    delivery.deliver_due(webhook.id)
    assert receiver.events() == ["reservation.confirmed"]


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_failure_is_tried_again_after_growing_pauses(
    webhook: Webhook, receiver: Receiver, database: Database, status: int
) -> None:
    a_party(a_performance(), confirmed=False)
    receiver.answers = [status] * 3
    pauses = []
    for _ in range(3):
        delivery.deliver_due(webhook.id)
        row = database.execute(
            "SELECT next_try_at - now() AS pause, last_error, attempts FROM webhook_delivery"
        ).fetchone()
        assert row is not None
        assert row.last_error == f"status {status}"
        pauses.append(row.pause)
        delivery.deliver_due(webhook.id)  # not due yet: nothing is sent
        assert len(receiver.calls) == row.attempts
        let_all_be_due(database)
    assert pauses == sorted(pauses)
    assert pauses[0] < timedelta(minutes=2) < pauses[2]
    delivery.deliver_due(webhook.id)
    identities = {headers["webhook-id"] for headers, _body in receiver.calls}
    assert (len(receiver.calls), len(identities)) == (4, 1)
    assert delivery.webhooks_due() == []


def test_it_is_given_up_in_the_end_and_sent_again_when_asked(
    webhook: Webhook, receiver: Receiver, database: Database
) -> None:
    a_party(a_performance(), confirmed=False)
    receiver.answers = [500] * (len(delivery.PAUSES) + 1)
    for _ in range(len(delivery.PAUSES) + 1):
        delivery.deliver_due(webhook.id)
        let_all_be_due(database)
    row = database.execute("SELECT id, next_try_at, delivered_at FROM webhook_delivery").fetchone()
    assert row is not None
    assert (row.next_try_at, row.delivered_at) == (None, None)
    assert send_again(webhook.id, row.id)
    assert not send_again(webhook.id + 1, row.id), "of another webhook"
    delivery.deliver_due(webhook.id)
    assert database.execute("SELECT delivered_at FROM webhook_delivery").fetchone() != (None,)


def test_one_that_does_not_answer_stops_this_run_and_no_other_webhook(
    receiver: Receiver, database: Database
) -> None:
    closed = create_webhook("http://127.0.0.1:1/", [Event.RESERVED], None)
    open_one = create_webhook(receiver.url, [Event.RESERVED], None)
    for _ in range(5):
        a_party(a_performance(), confirmed=False)
    for webhook_id in delivery.webhooks_due():
        delivery.deliver_due(webhook_id)
    tried = database.execute(
        "SELECT count(*) FROM webhook_delivery WHERE webhook_id = %s AND attempts > 0", [closed.id]
    ).fetchone()
    assert tried == (3,)
    assert len(receiver.calls) == 5
    assert delivery.webhooks_due() == [closed.id]
    assert open_one.id != closed.id


def test_a_paused_one_is_told_nothing(webhook: Webhook, receiver: Receiver) -> None:
    performance = a_performance()
    a_party(performance, confirmed=False)
    set_active(webhook.id, active=False)
    a_party(performance, confirmed=False)
    delivery.deliver_due(webhook.id)
    assert receiver.calls == []
    set_active(webhook.id, active=True)
    delivery.deliver_due(webhook.id)
    assert len(receiver.calls) == 1, "what waited before is sent, what happened meanwhile is not"


def test_the_log_ends_after_a_month(webhook: Webhook, database: Database) -> None:
    for _ in range(2):
        a_party(a_performance(), confirmed=False)
    database.execute(
        "UPDATE webhook_delivery SET created_at = now() - interval '31 days', next_try_at = "
        "CASE WHEN id = (SELECT min(id) FROM webhook_delivery) THEN now() END"
    )
    forget_deliveries()
    assert database.execute("SELECT count(*) FROM webhook_delivery").fetchone() == (1,)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "https://",
        "example.org",
        "https://user@example.org/",
        "https://example.org:99999/",
        "https://[::1/",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_url(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "localhost"])
def test_no_webhook_reaches_the_theatres_own_network(
    app: Flask, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    production = replace(app.config["AZIONELAB"], debug=False)
    monkeypatch.setitem(app.config, "AZIONELAB", production)
    with pytest.raises(AddressRefused):
        check_url(f"http://{host}/")
    with pytest.raises(AddressRefused):
        resolve(check_url(f"https://{host}/"))


def test_the_worker_sends_them(
    webhook: Webhook, receiver: Receiver, worker: Program, database: Database
) -> None:
    a_party(a_performance(), confirmed=False)
    delivery.enqueue_due()
    delivery.enqueue_due()  # it waits already
    eventually(lambda: receiver.events() == ["reservation.reserved"], "the call")


def test_an_administrator_adds_one_tests_it_and_reads_the_log(
    app: Flask, receiver: Receiver
) -> None:
    admin: FlaskClient = logged_in(app, "admin")
    page = "/admin/webhooks/"
    assert "begins with https" in press(admin, page, page, url="nonsense", confirmed="y").text
    assert "Choose at least one" in press(admin, page, page, url=receiver.url).text
    shown = press(admin, page, page, url=receiver.url, confirmed="y")
    (secret,) = re.findall(r"<code>(whsec_[^<]+)</code>", shown.text)
    assert secret not in admin.get(page).text
    assert "within a minute" in press(admin, "/admin/webhooks/1/test", "/admin/webhooks/1").text
    receiver.answers = [503]
    delivery.deliver_due(1)
    assert "status 503" in admin.get("/admin/webhooks/1").text
    press(admin, "/admin/webhooks/1/active", "/admin/webhooks/1", active="no")
    assert "paused" in admin.get(page).text
    press(admin, "/admin/webhooks/1/delete", "/admin/webhooks/1")
    assert admin.get("/admin/webhooks/1").status_code == 404

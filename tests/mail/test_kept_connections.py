"""The worker's letters share connections to the mail server; none is lost or sent twice for it."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask

from azionelab.bookings.mails.messages import read_draft
from azionelab.mail import smtp
from azionelab.mail.delivery import NotYetDelivered, deliver
from azionelab.mail.models import Delivery
from azionelab.mail.smtp import kept_connections
from azionelab.ops.processes.worker import CONCURRENCY, run_worker
from tests.factories import a_party, a_performance
from tests.support.smtp import SmtpServer

Database = psycopg.Connection[Any]


class CountingServer(SmtpServer):
    """Counts connections; `most` letters over each, then it answers `enough`."""

    most, enough = 1_000, ""

    def __init__(self) -> None:
        super().__init__()
        self.connections = 0

    async def handle_EHLO(  # noqa: N802 (aiosmtpd's name)
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        session.letters = 0
        return responses

    async def handle_MAIL(self, server: Any, session: Any, *facts: Any) -> str:  # noqa: N802
        session.letters += 1
        if session.letters > self.most:
            return self.enough
        return await super().handle_MAIL(server, session, *facts)


@pytest.fixture
def server() -> Iterator[CountingServer]:
    made = CountingServer()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def mailing(make_app: Callable[..., Flask], server: CountingServer) -> Iterator[Flask]:
    """The application that sends to that server, as the worker does."""
    app = make_app(MAIL_PORT=str(server.port), MAIL_TIMEOUT_SECONDS="1")
    with app.app_context(), kept_connections():
        yield app


def book(count: int) -> None:
    performance = a_performance(capacity=100)
    for _ in range(count):
        a_party(performance, 1, confirmed=False)


def send_all(database: Database) -> None:
    for (mail_id,) in database.execute(
        "SELECT id FROM mail WHERE delivery = 'queued' ORDER BY id"
    ).fetchall():
        deliver(mail_id, read_draft, sending="7", last_try=False)


def assert_each_arrived_once(server: SmtpServer, database: Database, count: int) -> None:
    states = database.execute("SELECT delivery, count(*) FROM mail GROUP BY delivery").fetchall()
    assert states == [(Delivery.SENT, count)]
    arrived = [delivered.message["Message-ID"] for delivered in server.messages]
    assert len(arrived) == len(set(arrived)) == count


def test_a_workers_letters_share_connections(
    make_app: Callable[..., Flask], in_app: Flask, server: CountingServer, database: Database
) -> None:
    book(12)
    run_worker(make_app(MAIL_PORT=str(server.port)), once=True)
    assert_each_arrived_once(server, database, 12)
    assert server.connections <= CONCURRENCY
    assert server.farewells == server.connections


def test_a_connection_takes_so_many_letters(
    mailing: Flask, server: CountingServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "_MOST_LETTERS", 2)
    book(5)
    send_all(database)
    assert_each_arrived_once(server, database, 5)
    assert server.connections == 3


@pytest.mark.parametrize("enough", ["421 4.7.0 Too many letters", "554 5.7.0 Too many letters"])
def test_a_server_that_has_had_enough_gets_the_next_on_a_new_connection(
    mailing: Flask, server: CountingServer, database: Database, enough: str
) -> None:
    server.most, server.enough = 2, enough
    book(5)
    send_all(database)
    assert_each_arrived_once(server, database, 5)
    assert server.connections == 3


def test_a_connection_that_the_server_has_ended_is_replaced(
    mailing: Flask, server: CountingServer, database: Database
) -> None:
    book(1)
    send_all(database)
    server.stop()
    server.start()
    book(1)
    send_all(database)
    assert_each_arrived_once(server, database, 2)


def test_a_connection_that_waited_for_too_long_is_ended(
    mailing: Flask, server: CountingServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "_IDLE", 0.0)
    book(2)
    send_all(database)
    smtp.end_idle_connections()
    assert (server.connections, server.farewells) == (2, 2)
    assert_each_arrived_once(server, database, 2)


def test_who_is_refused_for_good_is_refused_on_a_new_connection_too(
    mailing: Flask, server: CountingServer, database: Database
) -> None:
    book(1)
    send_all(database)
    server.refuse_recipients = "550 5.1.1 no such user"
    book(1)
    send_all(database)
    assert server.attempts == 1 + 2
    server.accept()
    server.refuse_recipients = "451 4.3.0 later"
    book(1)
    with pytest.raises(NotYetDelivered):
        send_all(database)
    assert len(server.messages) == 1

"""With PostgreSQL away everybody gets pages of ours, whoever they are: an error page asks nothing."""

import asyncio
import os
import socket
from collections.abc import Callable

import psycopg
import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InvalidRequestError,
    OperationalError,
    PendingRollbackError,
)

from azionelab.database import db
from azionelab.database.errors import CommitUnknown, is_database_busy
from azionelab.ops.processes.worker import open_queue
from tests.support.cutting_proxy import CuttingProxy
from tests.support.people import english, logged_in, token_of

PAGES = [
    "/", "/shows/amleto", "/performances/1/book", "/performances/1/received", "/bookings/x", "/staff/",
    "/admin/", "/admin/reservations/", "/admin/accounts/new/", "/checkin/", "/checkin/performances/1",
]  # fmt: skip


@pytest.fixture
def app_beyond(make_app: Callable[..., Flask], cutter: CuttingProxy) -> Flask:
    return make_app(DATABASE_URL=cutter.url)


@pytest.fixture
def admin(in_app: Flask, app_beyond: Flask) -> FlaskClient:
    return logged_in(app_beyond, "admin")


def take_away(app: Flask, cutter: CuttingProxy) -> None:
    cutter.stop()
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("language", ["en", "it"])
def test_whoever_is_logged_in_gets_the_page_that_a_stranger_gets(
    app_beyond: Flask, admin: FlaskClient, cutter: CuttingProxy, language: str
) -> None:
    stranger = english(app_beyond)
    take_away(app_beyond, cutter)
    words = {"en": "The site is very busy", "it": "Il sito è molto affollato"}[language]
    for client in (stranger, admin):
        for page in PAGES:
            answer = client.get(page, headers={"Accept-Language": language})
            if client is stranger and page.startswith(("/staff", "/admin", "/checkin")):
                assert answer.status_code == 302, page
            elif page != "/bookings/x":
                assert answer.status_code == 503, page
                assert int(answer.headers["Retry-After"]) > 0
                assert words in answer.text
        missing = client.get("/no/such/page", headers={"Accept-Language": language})
        assert missing.status_code == 404
        assert 'class="error-code">404' in missing.text


def test_a_form_of_the_back_office_keeps_what_was_typed(
    app_beyond: Flask, admin: FlaskClient, cutter: CuttingProxy
) -> None:
    form = token_of(admin) | {"name": 'Sala "Grande" <3', "address": "Via Roma 1"}
    take_away(app_beyond, cutter)
    answer = admin.post("/admin/venues/new/?url=/admin/", data=form)
    assert answer.status_code == 503
    assert "Nothing was saved" in answer.text
    assert 'name="name" value="Sala &#34;Grande&#34; &lt;3"' in answer.text
    assert 'action="/admin/venues/new/?url=/admin/"' in answer.text


def test_no_page_repeats_a_password(app_beyond: Flask, in_app: Flask, cutter: CuttingProxy) -> None:
    browser = english(app_beyond)
    form = token_of(browser, "/staff/login") | {
        "email": "a@theatre.org",
        "password": "s3cret words",
    }
    take_away(app_beyond, cutter)
    answer = browser.post("/staff/login", data=form)
    assert answer.status_code == 503
    assert "go back and try again" in answer.text
    assert "s3cret" not in answer.text
    assert "<form" not in answer.text


def test_a_connection_that_is_lost_after_the_view_is_told_as_busy(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()

    @app.after_request
    def lose(_response: Response) -> Response:
        raise LOST

    answer = english(app).get("/bookings/a-token-of-somebody")
    assert answer.status_code == 503
    assert "The site is very busy" in answer.text
    assert "a-token-of-somebody" not in caplog.text


LOST = OperationalError(None, None, psycopg.OperationalError("the connection is lost"))
REFUSED = IntegrityError(None, None, psycopg.errors.UniqueViolation())


def in_the_wake_of(error: Exception, other: Exception) -> Exception:
    """`other` as it is when it is raised while `error` is dealt with."""
    other.__context__ = error
    return other


@pytest.mark.parametrize(
    ("error", "busy"),
    [
        (LOST, True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.CrashShutdown(), True),
        (CommitUnknown(), True),
        (PendingRollbackError("Can't reconnect", code="8s2b"), True),
        (PendingRollbackError("rolled back due to an exception in flush", code="7s2a"), False),
        (InterfaceError(None, None, psycopg.InterfaceError(), connection_invalidated=True), True),
        (InterfaceError(None, None, psycopg.InterfaceError()), False),
        (DBAPIError(None, None, psycopg.errors.IdleInTransactionSessionTimeout()), True),
        (DBAPIError(None, None, psycopg.errors.ReadOnlySqlTransaction()), True),
        (in_the_wake_of(psycopg.OperationalError(), ConnectorException()), True),
        (in_the_wake_of(LOST, InvalidRequestError("closed")), True),
        (in_the_wake_of(LOST, ValueError("ours")), False),
        (REFUSED, False),
        (DBAPIError(None, None, psycopg.errors.UndefinedTable()), False),
    ],
    ids=repr,
)
def test_what_a_lost_connection_looks_like(error: Exception, busy: bool) -> None:
    assert is_database_busy(error) is busy


def test_a_server_that_vanished_is_given_up_within_seconds(
    make_app: Callable[..., Flask], cutter: CuttingProxy
) -> None:
    """Its network cannot be cut here (`make ha-test` does): the system has been told how long to wait."""

    async def of_the_worker() -> tuple[int, int]:
        async with open_queue(app) as queue, queue.connector.pool.connection() as connection:
            return _patience(connection.fileno())

    app = make_app(DATABASE_URL=cutter.url)
    with app.app_context(), db.engine.connect() as connection:
        found = _patience(connection.connection.driver_connection.fileno())
    assert found == asyncio.run(of_the_worker()) == (10_000, 5)


def _patience(descriptor: int) -> tuple[int, int]:
    """Milliseconds that sent bytes may stay unacknowledged, and idle seconds before the first probe."""
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return (
            connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
            connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
        )

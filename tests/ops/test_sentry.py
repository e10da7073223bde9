"""SENTRY_DSN: errors are reported to a server without personal data."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest

from azionelab import __version__
from azionelab.database import transaction
from azionelab.settings.loading import ConfigError, load_config
from tests.conftest import Site
from tests.factories import a_party, a_performance, visitor_token
from tests.support.processes import Program, eventually
from tests.test_config import DEVELOPMENT
from tests.test_logs import Browser

Database = psycopg.Connection[Any]


class Sink(ThreadingHTTPServer):
    """Takes what is sent to Sentry: `events`, and all of it as `text`."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.text = ""
        super().__init__(("127.0.0.1", 0), _Taker)

    @property
    def dsn(self) -> str:
        return f"http://publickey@127.0.0.1:{self.server_address[1]}/1"

    def take(self, envelope: str) -> None:
        self.text += envelope
        for line in envelope.splitlines():
            item = json.loads(line)
            if "level" in item:
                self.events.append(item)


class _Taker(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.take(body.decode())
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def broken_state(database: Database) -> Iterator[None]:
    """A database in which no booking's page can be shown."""
    database.execute("ALTER TABLE reservation RENAME COLUMN locale TO zenobia")
    yield
    database.execute("ALTER TABLE reservation RENAME COLUMN zenobia TO locale")


@pytest.mark.usefixtures("in_app")
def test_an_error_is_reported_without_personal_data(
    start_site: Callable[..., Site],
    sink: Sink,
    request: pytest.FixtureRequest,
) -> None:
    party = a_party(a_performance(), name="Zenobia Quarantotti", email="zenobia@example.org")
    token = visitor_token(party)
    site = start_site(SENTRY_DSN=sink.dsn, GIT_COMMIT="c0ffee")
    visitor = Browser(site)
    visitor("/")
    visitor("/nothing/here")
    request.getfixturevalue("broken_state")
    identity = "4f" * 16
    assert "Something went wrong" in visitor(
        f"/bookings/{token}?name=Zenobia", X_Request_ID=identity, Cookie="session=cookie-crumbs"
    )
    visitor(f"/bookings/confirm/{token}", {"name": "Zenobia Quarantotti", "coming": "y"})

    (event, *_) = eventually(lambda: list(sink.events), "the report")
    site.program.stop()
    assert event["release"] == f"azionelab@{__version__}+c0ffee"
    assert event["environment"] == "development"
    assert event["tags"]["request_id"] == identity
    (*_, error) = event["exception"]["values"]
    assert error["type"] == "ProgrammingError"
    frames = error["stacktrace"]["frames"]
    assert any(frame["filename"].endswith("bookings/pages/own_booking.py") for frame in frames)
    output = sink.text.lower()
    for secret in ("zenobia", "quarantotti", "example.org", token.lower(), "crumbs", "127.0.0.1"):
        assert secret not in output.replace("publickey@127.0.0.1", "")
    for left_out in ("vars", "request", "user", "server_name", "breadcrumbs", "modules", "extra"):
        assert all(left_out not in each for each in sink.events)
        assert all(left_out not in frame for frame in frames)


@pytest.mark.usefixtures("in_app")
def test_a_failed_job_is_reported(
    start_worker: Callable[..., Program], sink: Sink, database: Database
) -> None:
    party = a_party(a_performance(), confirmed=False, email="zenobia@example.org")
    with transaction() as session:
        session.merge(party).locale = "zenobia no locale"
    worker = start_worker(SENTRY_DSN=sink.dsn)
    (event, *_) = eventually(lambda: list(sink.events), "the report")
    worker.stop()
    assert event["exception"]["values"][-1]["type"] == "ValueError"
    assert event["tags"]["logger"] == "azionelab.mail.delivery"
    assert event["tags"]["request_id"].startswith("job-")
    assert "zenobia" not in sink.text


def test_visitors_errors_are_not_reported(start_site: Callable[..., Site], sink: Sink) -> None:
    site = start_site(SENTRY_DSN=sink.dsn)
    visitor = Browser(site)
    for path in ("/nothing", "/bookings/forged", "/performances/1/book"):
        visitor(path)
    visitor("/performances/1/book", {"name": "Zenobia"})
    # What is waiting to be sent is sent when the process ends.
    site.program.stop()
    assert sink.events == []


def test_an_invalid_dsn_is_refused_without_showing_its_key() -> None:
    with pytest.raises(ConfigError) as refusal:
        load_config(DEVELOPMENT | {"SENTRY_DSN": "https://s3cretkey@"})
    assert refusal.value.problems == ["SENTRY_DSN: is not like https://key@sentry.theatre.org/1"]

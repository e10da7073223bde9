"""Logs in text and JSON, without personal data."""

import json
import logging
import re
import signal
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask.testing import FlaskClient

from azionelab.logs import JsonFormatter, TextFormatter, mask
from azionelab.staff.accounts import create_account
from azionelab.staff.tokens import Scope, issue_token
from tests.bookings.test_pages import fields, filled
from tests.conftest import Site
from tests.factories import a_performance
from tests.support.people import PASSWORD
from tests.support.processes import PATIENCE, Program, eventually
from tests.support.smtp import SmtpServer

Database = psycopg.Connection[Any]
MEMBERS = {"time", "level", "logger", "message", "request_id"}


class Browser:
    """Somebody's browser: keeps cookies, follows redirects, speaks English."""

    def __init__(self, site: Site) -> None:
        self._site = site.url
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()), urllib.request.ProxyHandler({})
        )

    def __call__(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> str:
        """The page at `path`, or what it answers to `form`; an error's page too."""
        body = None if form is None else urllib.parse.urlencode(form).encode()
        asked = urllib.request.Request(
            self._site + path.removeprefix(self._site),
            body,
            {"Accept-Language": "en"} | {k.replace("_", "-"): v for k, v in headers.items()},
        )
        try:
            with self._opener.open(asked, timeout=PATIENCE) as answer:
                return str(answer.read().decode(errors="replace"))
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode(errors="replace")


def lines(program: Program) -> list[dict[str, Any]]:
    """What a program logged, each line read as JSON."""
    return [json.loads(line) for line in program.output.splitlines()]


def mailed_path(server: SmtpServer, count: int, pattern: str) -> str:
    """The address in the newest of `count` messages, without the site's and its language."""
    message = server.wait_for(count)[-1]
    found = re.search(rf"https?://[^/]+/[a-z]+({pattern}\S+)", message.text())
    assert found, message.text()
    return found[1]


def ask_raw(site: Site, request: str) -> bytes:
    """What the server answers to bytes that no browser would send."""
    host, port = site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as line:
        line.sendall(request.encode())
        return line.recv(1000)


@pytest.mark.usefixtures("in_app")
def test_nothing_personal_is_logged_on_the_whole_journey(
    start_site: Callable[..., Site],
    start_worker: Callable[..., Program],
    smtp_server: SmtpServer,
    database: Database,
) -> None:
    how = {"LOG_FORMAT": "json", "LOG_LEVEL": "debug", "MAIL_PORT": str(smtp_server.port)}
    site = start_site(**how)
    worker = start_worker(**how, SITE_BASE_URL=site.url)
    evening = a_performance()
    create_account("anselmo@theatre.org", "door", PASSWORD, name="Anselmo")
    _, device = issue_token("Marta's phone", Scope.DOOR, 1)

    visitor = Browser(site)
    visitor("/")
    booking = f"/performances/{evening.id}/book"
    who = {"name": "Zenobia Quarantotti", "email": "zenobia.q@example.org"}
    visitor(booking, filled(visitor(booking), email="zenobia.q@", name=who["name"]))
    assert "zenobia.q@example.org" in visitor(booking, filled(visitor(booking), **who))
    confirming = mailed_path(smtp_server, 1, "/bookings/confirm/")
    visitor(confirming, fields(visitor(confirming)) | {"coming": "y"})
    mine = mailed_path(smtp_server, 2, "/bookings/")
    token = confirming.rpartition("/")[2]
    for path in (mine, f"{mine}/qr.png", f"{mine}/ticket.pdf", f"{mine}/event.ics"):
        visitor(path)
    visitor(f"{mine[:-3]}abc")
    visitor(f"/bookings?name=Zenobia&email=zenobia.q@example.org&t={token}")
    reference = database.execute("SELECT reference FROM reservation").fetchone().reference

    # The server repeats the address when it refuses it.
    smtp_server.refuse_recipients = "550 zenobia.q@example.org: no such user"
    visitor(f"{mine}/cancel", fields(visitor(f"{mine}/cancel")) | {"sure": "y"})
    eventually(lambda: "is failed" in worker.output, "the mail to be given up")
    smtp_server.accept()
    visitor(booking, filled(visitor(booking), name="Zenobia", email="zenobia.q@example.org"))
    smtp_server.wait_for(3)

    door = Browser(site)
    login = fields(door("/staff/login"))
    door("/staff/login", login | {"email": "anselmo@theatre.org", "password": "a wrong guess"})
    door("/staff/login", login | {"email": "anselmo@theatre.org", "password": PASSWORD})
    evening_page = f"/checkin/performances/{evening.id}"
    assert "every attempt at the door is recorded" in door(evening_page)
    door(f"{evening_page}/scans", fields(door(evening_page)) | {"code": reference, "door": "A"})
    door(f"{evening_page}/parties", fields(door(evening_page)) | {"query": "Quarantotti"})
    forgotten = fields(visitor("/staff/reset"))
    visitor("/staff/reset", forgotten | {"email": "anselmo@theatre.org"})
    (reset,) = smtp_server.wait_for(1, to="anselmo@theatre.org")
    found = re.search(r"/staff/reset/(\S+)", reset.text())
    assert found
    visitor(found[0])
    ask_raw(site, f"GET {found[0]} HTTP/9.9\r\n\r\n")
    device_says = {"Authorization": f"Bearer {device}"}
    visitor(f"/api/v1/performances/{evening.id}/house", **device_says)
    visitor(f"/api/v1/performances/{evening.id}/scans/{uuid4()}", **device_says)

    assert ask_raw(site, f"GET {confirming} HTTP/9.9\r\n\r\n")
    assert ask_raw(site, f"GET {confirming} HTTP/1.1\r\nzenobia.q@example.org\r\n\r\n")
    site.program.stop()
    worker.stop()

    for program in (site.program, worker):
        reported = lines(program)
        assert all(line.keys() >= MEMBERS for line in reported)
        text = program.output.lower()
        secrets = [
            "zenobia", "quarantotti", "example.org", "anselmo", "theatre.org", "marta", PASSWORD,
            "a wrong guess", device, token, found[1], mine.rpartition("/")[2], reference,
        ]  # fmt: skip
        assert [secret for secret in secrets if secret.lower() in text] == []
    requests = [line for line in lines(site.program) if line["logger"] == "azionelab.requests"]
    assert {"/<language:language>/bookings/<token>", "/bookings/<token>/qr.png", "none"} <= {
        line["route"] for line in requests
    }
    assert all(line["request_id"] and line["status"] >= 200 for line in requests)
    # Whoever has a job's number finds what was said during it.
    sent = [line for line in lines(worker) if line["logger"] == "azionelab.mail.delivery"]
    assert len(sent) >= 3
    assert all(re.fullmatch(r"job-\d+", line["request_id"]) for line in sent)


def test_each_request_is_logged_in_a_line(start_site: Callable[..., Site]) -> None:
    site = start_site(LOG_FORMAT="json")
    identity = "4f" * 16
    Browser(site)("/api/health?probe=1", X_Request_ID=identity)
    site.program.stop()
    (line,) = [line for line in lines(site.program) if line["request_id"] == identity]
    assert (line["level"], line["logger"]) == ("info", "azionelab.requests")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/health", 200)
    assert line["milliseconds"] >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])


def test_the_text_format_logs_no_requests(start_site: Callable[..., Site]) -> None:
    site = start_site()
    Browser(site)("/")
    site.program.stop()
    assert re.match(r"\d{4}-\d\d-\d\d [\d:,]+ INFO gunicorn\.error: ", site.program.output)
    assert "azionelab.requests" not in site.program.output


def test_the_worker_logs_one_object_per_line(
    start_worker: Callable[..., Program],
) -> None:
    worker = start_worker(LOG_FORMAT="json")
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    reported = lines(worker)
    assert [line["message"] for line in reported] == ["worker: at work", "worker: stopped"]
    assert all(line["request_id"] is None for line in reported)


@pytest.mark.parametrize("given", ["0123456789abcdef" * 2, "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"])
def test_the_proxys_request_id_is_kept(client: FlaskClient, given: str) -> None:
    answer = client.get("/api/health", headers={"X-Request-ID": given})
    assert answer.headers.getlist("X-Request-ID") == [given]


@pytest.mark.parametrize("given", ["", "zenobia@example.org", "a" * 65, "12", "f" * 20 + " f"])
def test_a_missing_request_id_is_generated(client: FlaskClient, given: str) -> None:
    made = [
        client.get("/api/health", headers={"X-Request-ID": given}).headers["X-Request-ID"]
        for _ in range(2)
    ]
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in made)
    assert made[0] != made[1]


@pytest.mark.parametrize(
    ("said", "reported"),
    [
        ("Error handling request /bookings/" + "a1B-" * 10 + "xyz", "Error handling request /bookings/<token>"),
        ("GET /bookings?name=Ada+Rossi HTTP/1.1", "GET /bookings?<query> HTTP/1.1"),
        ("no mail for Ada <ada.rossi@example.org>, sorry", "no mail for Ada <<address>>, sorry"),
        ("Key (email)=(ada@example.org) exists", "Key (email)=(<address>) exists"),
        ("Invalid request from ip=203.0.113.9: odd", "Invalid request from ip=<address> odd"),
        ("reset/" + "x" * 44 + ".aBc_1.dEf-2", "reset/<token>"),
        ("Listening at: http://0.0.0.0:8000 (7)", "Listening at: http://0.0.0.0:8000 (7)"),
        ("job 5f0c2b6e-0c5c-4b0e-9d3a-0d8f5a1b2c3d", "job 5f0c2b6e-0c5c-4b0e-9d3a-0d8f5a1b2c3d"),
    ],
)  # fmt: skip
def test_library_messages_are_masked(said: str, reported: str) -> None:
    assert mask(said) == reported


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_only_an_exceptions_class_and_frames_are_logged(formatter: logging.Formatter) -> None:
    try:
        raise ValueError("ada@example.org")
    except ValueError as error:
        record = logging.LogRecord(
            "library", logging.ERROR, "x.py", 1, "went\nwrong", (), (type(error), error, error.__traceback__)
        )  # fmt: skip
    line = formatter.format(record)
    assert "ValueError in test_logs.py:" in line
    assert "ada" not in line

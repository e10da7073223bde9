"""`flask smoke` against a site behind nginx with TLS, healthy and with injected faults."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg.rows import scalar_row

from azionelab.ops.smoke import hidden_performance
from tests.conftest import Site
from tests.factories import a_performance
from tests.support.processes import PYTHON, Program, free_port, free_ports
from tests.support.smtp import SmtpServer

TABLES = ("show", "venue", "performance", "reservation", "mail", "scan", "admission", "api_token")
# The headers that a correct proxy adds.
# The only failure of a site without nginx: /metrics answers.
OPEN = "internal addresses"
SECURE = 'add_header Strict-Transport-Security "max-age=31536000" always;'
NGINX = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
daemon off;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{http};
        location / {{ {redirect} }}
    }}
    server {{
        listen 127.0.0.1:{https} ssl;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        {directives}
        location / {{
            proxy_pass {site};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
    }}
}}
"""


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_certificate(folder: Path, days: int) -> None:
    """A certificate for tickets.localhost that ends in so many days, signed by itself."""
    (folder / "names").write_text("subjectAltName=DNS:tickets.localhost\n", encoding="utf-8")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    openssl(folder, "req", "-new", *curve, "-nodes", "-keyout", "key.pem", "-out", "request.pem",
            "-subj", "/CN=tickets.localhost")  # fmt: skip
    openssl(folder, "x509", "-req", "-in", "request.pem", "-signkey", "key.pem", "-days", str(days),
            "-extfile", "names", "-out", "certificate.pem")  # fmt: skip


@pytest.fixture
def front(live_site: Site, tmp_path: Path) -> Iterator[Callable[..., list[str]]]:
    """Put an nginx with TLS before the site; returns the options by which smoke finds it."""
    running: list[Program] = []

    def start(
        directives: str = SECURE,
        days: int = 90,
        redirect: str = "return 301 https://tickets.localhost$request_uri;",
    ) -> list[str]:
        folder = tmp_path / f"nginx-{len(running)}"
        folder.mkdir()
        make_certificate(folder, days)
        http, https = free_ports(2)
        (folder / "nginx.conf").write_text(
            NGINX.format(
                folder=folder,
                http=http,
                https=https,
                site=live_site.url,
                directives=directives,
                redirect=redirect,
            ),
            encoding="utf-8",
        )
        program = Program(["nginx", "-c", folder / "nginx.conf"], {}, folder / "log")
        running.append(program)
        program.wait_until(lambda: _listens(https), "nginx to listen")
        shutil.copy(folder / "certificate.pem", tmp_path / "authority.pem")
        return [
            "--url", "https://tickets.localhost",
            "--connect-to", f"127.0.0.1:{https}",
            "--connect-to-http", f"127.0.0.1:{http}",
        ]  # fmt: skip

    yield start
    for program in running:
        program.stop()


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def smoke(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, dict[str, str]]]:
    """Run `flask smoke`: its exit status, and each line's verdict by what was tried."""

    def run(*options: str) -> tuple[int, dict[str, str]]:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        with app.app_context():
            result = app.test_cli_runner().invoke(args=["smoke", *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, table(result.output)

    return run


def table(output: str) -> dict[str, str]:
    """Verdict and remark by what was tried."""
    tried = {}
    for line in output.splitlines():
        timed, _, reported = line.partition(" s  ")
        if timed.startswith(("ok ", "FAIL ")):
            what, _, remark = reported.partition(": ")
            tried[what] = f"{timed.split()[0]} {remark}"
    return tried


def failed(tried: dict[str, str]) -> list[str]:
    return [what for what, verdict in tried.items() if verdict.startswith("FAIL")]


@pytest.fixture
def left(database_url: str) -> Iterator[Callable[[], dict[str, int]]]:
    """Count what is in the tables of a booking now."""
    with psycopg.connect(database_url, autocommit=True, row_factory=scalar_row) as connection:

        def count() -> dict[str, int]:
            counts: dict[str, Any] = {
                name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()  # type: ignore[arg-type]
                for name in TABLES
            }
            return {name: number for name, number in counts.items() if number}

        yield count


@pytest.mark.usefixtures("worker")
def test_a_good_site(
    front: Callable[..., list[str]], smoke: Any, left: Any, smtp_server: SmtpServer
) -> None:
    status, tried = smoke(*front())
    assert failed(tried) == []
    assert status == 0
    assert list(tried) == [
        "certificate",
        "redirect from http",
        "programme",
        "security headers",
        "styles and scripts",
        "health",
        "API",
        "unknown address",
        "staff only",
        "internal addresses",
        "hidden performance",
        "hidden from the programme",
        "booking by form",
        "opening the mail's link changes nothing",
        "confirmation",
        "ticket",
        "check-in",
        "a second scan lets nobody in",
        "check-in undone",
        "cancellation",
        "all of it removed",
    ]
    assert "good for 89 days" in tried["certificate"]
    assert left() == {}
    assert smtp_server.attempts == 0


@pytest.mark.usefixtures("worker")
def test_a_mail_that_is_really_sent(
    live_site: Site, smoke: Any, left: Any, smtp_server: SmtpServer
) -> None:
    status, tried = smoke("--url", live_site.url, "--mail-to", "operator@example.org")
    assert (status, failed(tried)) == (1, [OPEN])
    assert "accepted by the mail server at attempt 1" in tried["mail"]
    assert smtp_server.wait_for(to="operator@example.org")
    assert left() == {}


@pytest.mark.usefixtures("worker")
def test_a_mail_server_that_refuses(
    live_site: Site, smoke: Any, left: Any, smtp_server: SmtpServer
) -> None:
    smtp_server.refuse("550 no such user")
    status, tried = smoke("--url", live_site.url, "--mail-to", "nobody@example.org")
    assert (status, failed(tried)) == (1, [OPEN, "mail"])
    assert "failed" in tried["mail"]
    assert left() == {}


def test_without_a_worker_health_and_mail_fail(live_site: Site, smoke: Any, left: Any) -> None:
    status, tried = smoke(
        "--url", live_site.url, "--mail-to", "operator@example.org", "--mail-wait", "0"
    )
    assert (status, failed(tried)) == (1, ["health", OPEN, "mail"])
    assert "degraded" in tried["health"]
    assert "queued" in tried["mail"]
    assert left() == {}


def test_a_site_that_is_down(smoke: Any, left: Any) -> None:
    status, tried = smoke("--url", f"http://127.0.0.1:{free_port()}")
    assert status == 1
    assert set(tried) - set(failed(tried)) == {"hidden performance", "all of it removed"}
    assert "refused" in tried["programme"]
    assert left() == {}


def test_public_pages_need_no_database(make_app: Callable[..., Flask], live_site: Site) -> None:
    away = make_app(DATABASE_URL="postgresql://azionelab@127.0.0.1:1/none")
    with away.app_context():
        result = away.test_cli_runner().invoke(
            args=["smoke", "--url", live_site.url, "--public-only"]
        )
        assert failed(table(result.output)) == ["health", OPEN], "there is no worker"
        result = away.test_cli_runner().invoke(args=["smoke", "--url", live_site.url])
    assert failed(table(result.output)) == ["health", OPEN, "database"]
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("fault", "found", "remark"),
    [
        ({"days": -1}, "certificate", "expired"),
        ({"days": 13}, "certificate", "expires in 12 days"),
        ({"directives": ""}, "security headers", "Strict-Transport-Security"),
        (
            {"directives": SECURE + "proxy_hide_header Content-Security-Policy;"},
            "security headers",
            "Content-Security-Policy",
        ),
        (
            {"directives": SECURE + "add_header X-Content-Type-Options nosniff;"},
            "security headers",
            "X-Content-Type-Options",
        ),
        ({"redirect": "return 200 here;"}, "redirect from http", "answers 200"),
        (
            {"redirect": "return 301 https://elsewhere.localhost/;"},
            "redirect from http",
            "elsewhere",
        ),
        ({"directives": SECURE + "location = / { return 502; }"}, "programme", "502"),
        ({"directives": SECURE + "location /static/ { return 404; }"}, "styles and scripts", "404"),
        ({"directives": SECURE + "location /api/v1/ { return 404; }"}, "API", "404"),
        (
            {"directives": SECURE + "location /en/shows/ { return 200 soft; }"},
            "unknown address",
            "200",
        ),
        ({"directives": SECURE + "location /admin/ { return 200 open; }"}, "staff only", "200"),
        ({"directives": SECURE + "location /metrics { return 200 all; }"}, "internal", "metrics"),
        (
            {"directives": SECURE + "location = / { proxy_pass http://127.0.0.1:1; }"},
            "programme",
            "502",
        ),
    ],
)
def test_a_fault_in_front_of_the_site_is_found(
    front: Callable[..., list[str]], smoke: Any, fault: dict[str, Any], found: str, remark: str
) -> None:
    status, tried = smoke(*front(**fault), "--public-only")
    assert status == 1
    reported = [f"{what}: {tried[what]}" for what in failed(tried)]
    assert any(line.startswith(found) and remark in line for line in reported), reported


def test_an_unchecked_certificate(front: Callable[..., list[str]], smoke: Any) -> None:
    _, tried = smoke(*front(days=-1), "--public-only", "--insecure")
    assert failed(tried) == ["health"], "there is no worker"
    assert "not checked" in tried["certificate"]


REFUSED = {
    "booking by form": "location ~ /book$ { limit_except GET { deny all; } proxy_pass %s; }",
    "confirmation": "location /en/bookings/confirm/ { limit_except GET { deny all; } proxy_pass %s; }",
    "ticket": "location ~ /qr.png$ { return 404; }",
    "check-in": "location /api/v1/checkin/ { return 403; }",
    "cancellation": "location ~ /cancel$ { return 500; }",
}


@pytest.mark.parametrize("step", REFUSED)
def test_an_aborted_journey_leaves_nothing(
    front: Callable[..., list[str]], smoke: Any, left: Any, live_site: Site, step: str
) -> None:
    status, tried = smoke(*front(SECURE + REFUSED[step].replace("%s", live_site.url)))
    assert status == 1
    assert failed(tried) == ["health", step]
    assert list(tried)[-2:] == [step, "all of it removed"]
    assert left() == {}


def test_a_site_with_another_key_is_detected(
    make_app: Callable[..., Flask], live_site: Site, left: Any
) -> None:
    app = make_app(SECRET_KEY="another-Kq3tVh7sWm2rLc9dFa6bYyQ0p")
    with app.app_context():
        result = app.test_cli_runner().invoke(args=["smoke", "--url", live_site.url])
    assert failed(table(result.output)) == [
        "health",
        OPEN,
        "opening the mail's link changes nothing",
    ]
    assert left() == {}


@contextmanager
def silent_server() -> Iterator[int]:
    """A port where a connection is taken and nothing is ever answered."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("number", "remains"),
    [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGKILL, True)],
)
def test_a_terminated_check_leaves_nothing(
    front: Callable[..., list[str]],
    request: pytest.FixtureRequest,
    settings: dict[str, str],
    number: signal.Signals,
    remains: bool,
) -> None:
    smoke, left, tmp_path, live_site = map(
        request.getfixturevalue, ("smoke", "left", "tmp_path", "live_site")
    )
    with silent_server() as port:
        silence = f"proxy_pass http://127.0.0.1:{port}; proxy_read_timeout 600s;"
        where = front(SECURE + f"location /en/performances/ {{ {silence} }}")
        command = [PYTHON, "-m", "flask", "--app", "wsgi", "smoke", "--timeout", "600", *where]
        authority = {"SSL_CERT_FILE": str(tmp_path / "authority.pem")}
        with Program(command, settings | authority, tmp_path / "log") as program:
            program.wait_until(lambda: "hidden from the" in program.output, "the form to be asked")
            assert left()["performance"] == 1
            program.send(number)
            assert program.wait() != 0
    assert bool(left()) is remains
    _, tried = smoke("--url", live_site.url)
    assert failed(tried) == ["health", OPEN], "there is no worker"
    assert left() == {}


def test_two_checks_do_not_run_at_once(
    in_app: Flask, live_site: Site, smoke: Any, left: Any
) -> None:
    with hidden_performance.exclusive():
        hidden_performance.create()
        there = left()
        status, tried = smoke("--url", live_site.url)
        assert (status, failed(tried)) == (1, ["health", OPEN, "hidden performance"])
        assert left() == there
    assert hidden_performance.remove() == 1


def test_nothing_else_is_removed(in_app: Flask, live_site: Site, smoke: Any) -> None:
    performance = a_performance()
    smoke("--url", live_site.url)
    page = in_app.test_client().get(f"/performances/{performance.id}/book")
    assert page.status_code == 200


@pytest.mark.parametrize("url", ["tickets.theatre.org", "ftp://theatre.org", "https://a.org/path"])
def test_an_invalid_url(app: Flask, url: str) -> None:
    result = app.test_cli_runner().invoke(args=["smoke", "--url", url])
    assert result.exit_code == 2
    assert "is not like https://" in result.output


def test_conflicting_connection_options_are_refused(app: Flask) -> None:
    ways = ["--as-proxy-to", "127.0.0.1:1", "--connect-to-http", "127.0.0.1:1"]
    with app.app_context():
        done = app.test_cli_runner().invoke(args=["smoke", "--url", "https://x.example", *ways])
    assert done.exit_code == 2
    assert "--as-proxy-to cannot be combined with" in done.stderr

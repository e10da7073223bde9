"""The site's own programs on some database: gunicorn, the job worker and a mail server, each of which can be broken."""

import contextlib
import http.client
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from bench.servers import HOST, site_settings
from tests.faults.harness.mailbox import Mailbox
from tests.support.processes import PYTHON, ROOT, Program, clean_environment, free_port

_PATIENCE = 20  # seconds that a client waits for an answer; then it sends the same again
_FLASK = [PYTHON, "-m", "flask", "--app", "wsgi"]


class Lost(Exception):
    """No answer came: whether the request had its effect is unknown."""


class Answer:
    """An answer: its status, headers and text."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers = answer.status, answer.headers
        self.text = answer.read().decode()


class Site:
    """The site's programs. `database` may be lost at any moment: each use opens a connection of its own."""

    def __init__(self, folder: Path, **changes: str) -> None:
        self.folder = folder
        self.mailbox = Mailbox()
        self.port = free_port()
        self.owner_url = ""
        self.settings: dict[str, str] = {}
        self.started: list[Program] = []
        self.site: Program
        self.worker: Program
        self._changes = changes

    @contextmanager
    def serving(self, url: str, owner_url: str) -> Iterator[None]:
        """Migrate a database, of which `url` is the application's address, start everything on it, and end that."""
        self.owner_url = owner_url
        self.settings = site_settings(url, self.mailbox.port) | {
            "MIGRATION_DATABASE_URL": owner_url,
            "MEDIA_DIR": str(self.folder / "media"),
            "GUNICORN_BIND": f"127.0.0.1:{self.port}",
            "WEB_WORKERS": "2",
            "WEB_THREADS": "4",
            # Nothing ends by itself, and nobody is turned away but by the number of seats.
            "HOLD_MINUTES": "120",
            "REMINDER_HOURS": "none",
            "UNCONFIRMED_PERCENT": "100",
            "UNCONFIRMED_PERCENT_PER_NETWORK": "100",
            "UNCONFIRMED_SEATS_PER_NETWORK": "100000",
            "MAILBOX_RATE_LIMIT": "1000000 per minute",
        }
        self.settings |= self._changes
        (self.folder / "media").mkdir(exist_ok=True)
        self.mailbox.start()
        try:
            self.flask("db", "upgrade")
            self.start_site()
            self.start_worker()
            yield
        finally:
            for program in reversed(self.started):
                program.kill()
            self.mailbox.stop()

    def start_site(self) -> None:
        """Start gunicorn, and return when it answers."""
        self.site = self._start(
            "site", [PYTHON, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
        )
        self.site.wait_until(self._answers, "the site to answer")

    def start_worker(self) -> None:
        """Start the job worker."""
        self.worker = self._start("worker", [*_FLASK, "worker"])
        self.worker.wait_until(lambda: "at work" in self.worker.output, "the worker to work")

    def flask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a `flask` command."""
        done = subprocess.run(
            [*_FLASK, *arguments], cwd=ROOT, env=clean_environment(self.settings),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert arguments[0] != "db" or done.returncode == 0, done.stderr
        return done

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of the owner's."""
        with psycopg.connect(
            self.owner_url, autocommit=True, row_factory=namedtuple_row
        ) as connection:
            yield connection

    def ask(
        self, method: str, path: str, body: bytes | None = None, *, port: int = 0, **headers: str
    ) -> Answer:
        """Send a request as nginx would. In `headers`, _ stands for -. Raises Lost."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Host": HOST, "X-Forwarded-Proto": "https", "Accept-Language": "en"} | sent
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, _PATIENCE)
        with contextlib.closing(connection):
            try:
                connection.request(method, path, body, sent)
                return Answer(connection.getresponse())
            except (OSError, http.client.HTTPException) as error:
                raise Lost from error

    def _answers(self) -> bool:
        with contextlib.suppress(Lost):
            return self.ask("GET", "/api/health").status == 200
        return False

    def _start(self, name: str, command: list[str]) -> Program:
        log = self.folder / f"{name}-{len(self.started)}.log"
        program = Program(command, self.settings, log)
        self.started.append(program)
        return program

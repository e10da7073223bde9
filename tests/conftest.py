"""Fixtures. Tests run on a real PostgreSQL with the migrated schema, and commit for real.

Tests are not wrapped in a transaction: the code under test owns its transactions, and constraints, triggers and
other connections see the committed rows. After each test that used the database all tables are emptied, which
takes a few milliseconds.
"""

import contextlib
import contextvars
import gc
import os
import shutil
import signal
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import flask_migrate
import psutil
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from psycopg import sql
from psycopg.rows import namedtuple_row
from werkzeug.routing import Rule

from azionelab.app import create_app
from azionelab.database import db
from azionelab.demo.season import write_demo_season
from azionelab.settings.loading import load_config
from azionelab.web.rate_limits import init_rate_limits
from bare_machine import embedded_postgres
from tests.support.pooler import pooling
from tests.support.processes import PATIENCE, PYTHON, Program, free_port
from tests.support.saved_rows import SavedRows
from tests.support.smtp import SmtpServer
from tests.support.wallet_keys import wallet_settings

# Empties all tables and resets their sequences, except the tables that migrations fill and no test changes. One
# statement, since it runs after most tests. It locks all tables first, so that running transactions end before and
# leave no rows for the next test. TRUNCATE creates new files for the table and its indexes, a hundred times the work
# of deleting a few rows: only for tables larger than one page (8,192 bytes), whose dead rows would slow others down.
_EMPTY_TABLES = """
DO $$
DECLARE
    kept CONSTANT name[] := '{alembic_version,role}';
    tables CONSTANT regclass[] := ARRAY(
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> ALL (kept)
    );
    one regclass;
BEGIN
    EXECUTE 'LOCK TABLE ' || array_to_string(tables, ',') || ' IN ACCESS EXCLUSIVE MODE';
    FOREACH one IN ARRAY tables LOOP
        IF pg_relation_size(one) > 8192 THEN
            EXECUTE format('TRUNCATE %s CASCADE', one);
        ELSIF pg_relation_size(one) > 0 THEN
            EXECUTE format('DELETE FROM %s', one);
        END IF;
    END LOOP;
    PERFORM setval(seqrelid, seqstart, false)
    FROM pg_sequence
    JOIN pg_depend
        ON objid = seqrelid AND classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
    WHERE refobjid = ANY (tables) AND pg_sequence_last_value(seqrelid) IS NOT NULL;
END
$$
"""
_LONGEST = tuple(
    f"tests/{part}"
    for part in (
        "api/test_conformance",
        "backup",
        "bare_machine",
        "bookings/test_any_order",
        "e2e",
        "faults",
        "mail",
        "releases",
        "test_settings",
    )
)
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Preferred if installed: without windows it takes half the time.
_WITHOUT_WINDOWS = "chromium-headless-shell"


def pytest_addoption(parser: pytest.Parser) -> None:
    """PgBouncer for all tests, and the door simulation's (tests/e2e/door/test_door_simulation.py); its default is short."""
    pooler = parser.getgroup("PgBouncer")
    pooler.addoption(
        "--pooler",
        action="store_true",
        help="reach the database through PgBouncer (docs/scaling.md)",
    )
    group = parser.getgroup("door simulation")
    group.addoption("--parties", type=int, default=10, help="how many parties come")
    group.addoption("--doors", type=int, default=2, help="at how many doors")
    group.addoption("--seed", type=int, default=1, help="of who comes where, and what goes wrong")


def pytest_configure() -> None:
    """Let the tests' child processes receive signals, however the tests were started.

    A shell makes background processes ignore SIGINT, and nohup makes them ignore SIGHUP. Children inherit ignored
    signals, but not handlers; so handle them here, with a handler that does nothing.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest files first, so that no process is left alone with one of them at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))


def pytest_collection_finish() -> None:
    """Exclude the collected tests from garbage collection, and collect rarely: that took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """The URL of an empty database, on a PostgreSQL started for this run.

    Or TEST_DATABASE_URL, if it is set, as by tests/containers/test_postgres.py.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        with psycopg.connect(given, autocommit=True) as connection:
            embedded_postgres.create_application_role(connection)
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="azionelab-tests-"))
    server = embedded_postgres.start(folder, durable=False)
    yield server.url
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def application_database(
    database_server: str, pytestconfig: pytest.Config
) -> Iterator[dict[str, str]]:
    """The settings by which the application reaches its database; with --pooler through PgBouncer.

    By the role that only has rights to rows, so that tests find missing rights.
    """
    if not pytestconfig.getoption("--pooler"):
        yield {"DATABASE_URL": embedded_postgres.as_application(database_server)}
        return
    with pooling(database_server) as url:
        yield {"DATABASE_URL": url, "DATABASE_POOLER": "true"}


@pytest.fixture(scope="session")
def settings(
    application_database: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """This run's settings: development mode, an unreachable mail server, no rate limits."""
    return application_database | {
        "FLASK_DEBUG": "true",
        "SECRET_KEY": "6bYyQ0p4pX1n8zKq3tVh7sWm2rLc9dFa",
        "SITE_BASE_URL": f"http://127.0.0.1:{free_port()}",
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": "1",
        "MAIL_USE_TLS": "false",
        "MAIL_DEFAULT_SENDER": "box-office@theatre.example",
        "PAGE_CACHE_SECONDS": "0",
        "MEDIA_DIR": str(tmp_path_factory.mktemp("media")),
        "BOOKING_RATE_LIMIT": "1000000 per minute",
        "LOGIN_RATE_LIMIT": "1000000 per minute",
        "MAILBOX_RATE_LIMIT": "1000000 per minute",
        "UNCONFIRMED_SEATS_PER_NETWORK": "100000",
        "UNCONFIRMED_PERCENT_PER_NETWORK": "100",
        "UNCONFIRMED_PERCENT": "100",
        "PROOF_ABOVE_BOOKINGS": "100000",
        "FORM_MIN_SECONDS": "0",
    }


class _FreshContextClient(FlaskClient):
    """A client whose requests do not use the test's application context, and which follows to a page's language.

    Flask reuses a pushed context: `g`, the session and its identity map would be shared between requests, unlike in
    production.
    """

    follows_language = True

    def open(self, *args: Any, **kwargs: Any) -> Any:
        # A streamed answer is read there, too.
        opened = {"buffered": True} | kwargs
        answer = contextvars.Context().run(super().open, *args, **opened)
        path, location = urlsplit(answer.request.url).path, urlsplit(answer.location or "").path
        led = answer.status_code == 302 and self.follows_language
        if led and location in (f"/it{path}", f"/en{path}"):
            headers = kwargs.get("headers")
            return contextvars.Context().run(
                super().open, answer.location, buffered=True, headers=headers
            )
        return answer


class _CompiledTemplates(BytecodeCache):
    """The compiled templates of all applications of this process: compiling them anew takes longer than a test."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        # A bucket's key is made of the template's name and file, its checksum of the source.
        if code := self._code.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


_compiled_templates = _CompiledTemplates()


class _LateRule(Rule):
    """A route whose address is compiled when one is first made: half of what a new application takes, nearly all unused."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., Any]:
        compile_now = super()._compile_builder

        @cache
        def compiled() -> Callable[..., Any]:
            return compile_now(append_unknown)

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            made: tuple[str, str] = compiled()(rule, **values)
            return made

        return build


Flask.url_rule_class = _LateRule


@contextlib.contextmanager
def application(settings: dict[str, str]) -> Iterator[Flask]:
    """An application with the tests' conveniences; its connections are closed at the end."""
    app = create_app(load_config(settings))
    app.jinja_env.bytecode_cache = _compiled_templates
    # The cheapest password hash: tests log in hundreds of times (tests/staff/test_accounts.py tests the real one).
    app.extensions["security"].pwd_context.update(argon2__memory_cost=8, argon2__time_cost=1)
    app.test_client_class = _FreshContextClient
    yield app
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def _migrate(settings: dict[str, str], owner: str) -> None:
    """Migrate the database of DATABASE_URL, as its owner's URL allows."""
    builder = settings | {"MIGRATION_DATABASE_URL": owner}
    with application(builder) as app, app.app_context():
        flask_migrate.upgrade()


@pytest.fixture(scope="session")
def app(settings: dict[str, str], database_server: str) -> Iterator[Flask]:
    """The application on this run's migrated database."""
    _migrate(settings, owner=database_server)
    with application(settings) as app:
        yield app


@pytest.fixture(scope="session")
def database_url(app: Flask, database_server: str) -> str:
    """The libpq URL of this run's migrated database, as its owner."""
    return database_server


@contextlib.contextmanager
def _new_database(server: str, template: str = "template1") -> Iterator[str]:
    """The URL of a new database, which is dropped at the end."""
    name = f"new_{uuid4().hex}"
    new, old = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(new, old))
        # TEST_DATABASE_URL may name another database than azionelab.
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        connection.execute(sql.SQL("DROP DATABASE {} (FORCE)").format(new))


@pytest.fixture
def empty_database(database_server: str) -> Iterator[str]:
    """The URL of an empty database for one test, for tests of migrations."""
    with _new_database(database_server) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_template(database_server: str, settings: dict[str, str]) -> Iterator[str]:
    """The name of a migrated database, to be copied: migrating takes longer."""
    with _new_database(database_server) as url:
        _migrate(settings | {"DATABASE_URL": embedded_postgres.as_application(url)}, owner=url)
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def migrated_database(database_server: str, migrated_template: str) -> Iterator[str]:
    """The URL of a migrated database for one test, as its owner."""
    with _new_database(database_server, migrated_template) as url:
        yield url


@pytest.fixture
def make_app(app: Flask, settings: dict[str, str]) -> Iterator[Callable[..., Flask]]:
    """A function that makes an application with changed settings; "" unsets a setting."""
    with contextlib.ExitStack() as made:

        def make(**changes: str) -> Flask:
            changed = {k: v for k, v in (settings | changes).items() if v}
            return made.enter_context(application(changed))

        yield make


@pytest.fixture(scope="session")
def forget(database_url: str) -> Iterator[Callable[[], None]]:
    """A function that deletes all rows but those of the migrations.

    It keeps one connection for all tests: a new one would load the catalogue first, ten times the work.
    """
    options = f"-c lock_timeout={PATIENCE:.0f}s -c session_replication_role=replica"  # no triggers
    connections: list[psycopg.Connection[Any]] = []

    def forget() -> None:
        for is_last in (False, False, True):
            if not connections or connections[-1].closed:
                connections.append(psycopg.connect(database_url, autocommit=True, options=options))
            try:
                connections[-1].execute(_EMPTY_TABLES)
            # A request was still running, and has ended by now; or a test closed all connections.
            except psycopg.OperationalError:
                if is_last:
                    raise
            else:
                return

    yield forget
    for connection in connections:
        connection.close()


@pytest.fixture(autouse=True)
def _emptied_database(request: pytest.FixtureRequest) -> Iterator[None]:
    if "app" not in request.fixturenames:
        yield
        return
    forget, app = request.getfixturevalue("forget"), request.getfixturevalue("app")
    yield
    forget()
    init_rate_limits(app)  # this process remembers who is over a limit


@pytest.fixture
def in_app(app: Flask) -> Iterator[Flask]:
    """Push an application context, as for a command, so that the test can call rules and models."""
    with app.app_context():
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A test client. It does not support `with client:`."""
    return app.test_client()


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A separate autocommit connection, which sees only committed rows.

    For example `database.execute("SELECT ...").fetchone()`.
    """
    with psycopg.connect(database_url, autocommit=True, row_factory=namedtuple_row) as connection:
        yield connection


@pytest.fixture(scope="session")
def demo_rows(app: Flask, database_url: str, forget: Callable[[], None]) -> SavedRows:
    """The rows of the demonstration season, which take several seconds to write."""
    with app.app_context():
        write_demo_season()
    with psycopg.connect(database_url, autocommit=True) as connection:
        rows = SavedRows.save(connection)
    forget()
    return rows


@pytest.fixture
def demo_season(demo_rows: SavedRows, database: psycopg.Connection[Any]) -> None:
    """The demonstration season, in the database: some hundred bookings."""
    demo_rows.restore(database)


@pytest.fixture
def newer_schema(database: psycopg.Connection[Any]) -> Iterator[None]:
    """Set the database's revision to a migration that this code does not know."""
    row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    assert row is not None
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    yield
    database.execute("UPDATE alembic_version SET version_num = %s", row)


@pytest.fixture
def leave_room(database: psycopg.Connection[Any]) -> Iterator[Callable[[int], None]]:
    """A function that limits new connections' temporary files to a number of megabytes."""
    name = sql.Identifier(database.info.dbname)

    def leave(megabytes: int) -> None:
        limit = sql.Literal(f"{megabytes}MB")
        database.execute(sql.SQL("ALTER DATABASE {} SET temp_file_limit = {}").format(name, limit))

    yield leave
    database.execute(sql.SQL("ALTER DATABASE {} RESET temp_file_limit").format(name))


@pytest.fixture
def full_disk(leave_room: Callable[[int], None]) -> None:
    """Let new connections write no temporary files, as on a full disk."""
    leave_room(0)


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """A mail server that collects messages, or refuses them on request."""
    server = SmtpServer()
    server.start()
    yield server
    server.stop()


@dataclass(frozen=True)
class Site:
    """A site served by gunicorn."""

    url: str
    program: Program


@pytest.fixture(scope="session")
def live_site(
    database_url: str, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The site under gunicorn with 2 workers of 4 threads, at SITE_BASE_URL, of a theatre that offers wallets."""
    with served(
        settings | wallet_settings(), tmp_path_factory.mktemp("site") / "gunicorn.log"
    ) as site:
        yield site


@pytest.fixture
def start_site(
    database_url: str, settings: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., Site]]:
    """A function that starts a site of one worker with changed settings, and returns once it answers."""
    with contextlib.ExitStack() as running:

        def start(**changes: str) -> Site:
            here = {"SITE_BASE_URL": f"http://127.0.0.1:{free_port()}", "WEB_WORKERS": "1"}
            log = tmp_path / f"site-{free_port()}.log"
            return running.enter_context(served(settings | here | changes, log))

        yield start


@contextlib.contextmanager
def served(settings: dict[str, str], log: Path) -> Iterator[Site]:
    """The site under gunicorn with these settings, by default with 2 workers of 4 threads."""
    url = settings["SITE_BASE_URL"]
    defaults = {"WEB_WORKERS": "2", "WEB_THREADS": "4"}
    settings = defaults | settings | {"GUNICORN_BIND": url.removeprefix("http://")}
    command = [PYTHON, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    with Program(command, settings, log) as program:
        program.wait_until(lambda: _answers(f"{url}/api/health"), "the site to answer")
        # The site answers as soon as one worker runs, but tests need all.
        gunicorn, workers = psutil.Process(program.pid), int(settings["WEB_WORKERS"])
        program.wait_until(lambda: len(gunicorn.children()) == workers, "all workers")
        yield Site(url, program)
        program.stop()


def _answers(url: str) -> bool:
    try:
        with _NO_PROXY.open(url, timeout=PATIENCE) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


@pytest.fixture
def start_worker(
    database_url: str, settings: dict[str, str], tmp_path: Path, smtp_server: SmtpServer
) -> Iterator[Callable[..., Program]]:
    """A function that starts a `flask worker` with changed settings, and returns once it has registered.

    It ends before the mail server does: else it might connect while that one stops listening.
    """
    running: list[Program] = []

    def start(**changes: str) -> Program:
        log = tmp_path / f"worker-{len(running)}.log"
        command = [PYTHON, "-m", "flask", "--app", "wsgi", "worker"]
        with psycopg.connect(database_url, autocommit=True) as connection:
            count = "SELECT coalesce(max(id), 0) FROM procrastinate_workers"
            before = connection.execute(count).fetchone()
            program = Program(command, settings | changes, log)
            running.append(program)
            program.wait_until(
                lambda: connection.execute(count).fetchone() != before, "the worker's report"
            )
        return program

    yield start
    for program in running:
        program.stop()


@pytest.fixture
def worker(start_worker: Callable[..., Program], smtp_server: SmtpServer) -> Program:
    """A running worker that delivers to `smtp_server`."""
    return start_worker(MAIL_PORT=str(smtp_server.port))


@pytest.fixture(scope="session")
def browser_path() -> str:
    """The path of an installed browser, possibly one without camera support."""
    return shutil.which(_WITHOUT_WINDOWS) or _whole_browser()


@pytest.fixture(scope="session")
def whole_browser_path() -> str:
    """The path of a full Chromium, with camera support."""
    return _whole_browser()


def _whole_browser() -> str:
    for name in _BROWSERS:
        if path := shutil.which(name):
            return path
    pytest.fail("no browser found: install Chromium (Debian: `apt-get install chromium`)")

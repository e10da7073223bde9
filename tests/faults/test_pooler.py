"""Behind PgBouncer in transaction mode: a real one, with fewer connections than the site asks for."""

import asyncio
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from azionelab.bookings import rules
from azionelab.database import db, execute_autocommit
from azionelab.database.connections import LIMITS
from azionelab.ops.processes.worker import open_queue
from tests.bookings.conftest import without_the_database_guard  # noqa: F401 (a fixture)
from tests.bookings.test_no_overbooking import race_for_the_last_seat, told_together
from tests.conftest import Site
from tests.factories import a_party, a_performance, seats_held
from tests.faults.test_storm import Browser
from tests.support.pooler import SERVER_CONNECTIONS, pooling
from tests.support.processes import PYTHON, ROOT, Program, clean_environment, eventually, free_port
from tests.support.smtp import SmtpServer

CLIENTS, ATTEMPTS, SEATS = 16, 320, 60


@pytest.fixture(scope="module")
def pooler(database_url: str) -> Iterator[str]:
    """The address of the run's database through PgBouncer."""
    with pooling(database_url) as url:
        yield url


@pytest.fixture
def pooled(settings: dict[str, str], pooler: str) -> dict[str, str]:
    """The run's settings, behind the pooler."""
    return settings | {"DATABASE_URL": pooler, "DATABASE_POOLER": "true"}


@pytest.fixture
def pooled_site(pooled: dict[str, str], tmp_path: Path) -> Iterator[Site]:
    """The site behind the pooler."""
    port = free_port()
    serving = {"GUNICORN_BIND": f"127.0.0.1:{port}", "SITE_BASE_URL": f"http://127.0.0.1:{port}"}
    command = [PYTHON, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    with Program(command, pooled | serving, tmp_path / "site.log") as program:
        address = f"http://127.0.0.1:{port}"
        program.wait_until(lambda: "Listening at" in program.output, "the site to listen")
        yield Site(address, program)
        program.stop()


@pytest.mark.usefixtures("in_app")
def test_a_rush_fills_the_house_and_no_more(
    pooled_site: Site,
    pooled: dict[str, str],
) -> None:
    performance = a_performance(capacity=SEATS)
    address = f"{pooled_site.url}/it/performances/{performance.id}/book"

    def client(number: int) -> list[int]:
        browser = Browser(address)
        return [browser.book(attempt) for attempt in range(number, ATTEMPTS, CLIENTS)]

    with ThreadPoolExecutor(CLIENTS) as crowd:
        answers = Counter(
            status for statuses in crowd.map(client, range(CLIENTS)) for status in statuses
        )
    assert answers == {303: SEATS, 409: ATTEMPTS - SEATS}, pooled_site.program.output
    assert seats_held(performance.id) == (SEATS, SEATS)
    doctor = subprocess.run(
        [PYTHON, "-m", "flask", "--app", "wsgi", "doctor"],
        cwd=ROOT,
        env=clean_environment(pooled),
        capture_output=True,
        text=True,
        check=False,
    )
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr


def test_who_read_a_free_seat_that_another_took_is_told_so(
    make_app: Callable[..., Flask], pooled: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(**pooled)
    monkeypatch.setattr(rules, "check_bookable", told_together(4))
    with app.app_context():
        for _ in range(5):
            performance = a_performance(capacity=1)
            answers = race_for_the_last_seat(app, performance.id)
            assert answers == ["pending"] + ["sold out, 0 left"] * 3
            assert seats_held(performance.id) == (1, 1)


@pytest.mark.usefixtures("without_the_database_guard")
def test_negative_control_without_the_constraint_the_house_is_oversold(
    make_app: Callable[..., Flask], pooled: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(**pooled)
    monkeypatch.setattr(rules, "check_bookable", told_together(4))
    with app.app_context():
        performance = a_performance(capacity=1)
        assert race_for_the_last_seat(app, performance.id) == ["pending"] * 4
        assert seats_held(performance.id) == (4, 4)


def test_the_worker_works_behind_it(
    in_app: Flask,
    start_worker: Callable[..., Program],
    pooler: str,
    smtp_server: SmtpServer,
) -> None:
    behind = {"DATABASE_URL": pooler, "DATABASE_POOLER": "true"}
    start_worker(**behind, MAIL_PORT=str(smtp_server.port))
    performance = a_performance(capacity=40)
    for number in range(20):
        a_party(performance, email=f"pooled-{number}@example.org")
    smtp_server.wait_for(40)  # to confirm, and the ticket, each
    eventually(lambda: not _unsent(), "all mails to be noted as sent")


def test_two_connections_of_the_worker_may_share_one_of_the_server(
    make_app: Callable[..., Flask], pooled: dict[str, str]
) -> None:
    async def ask_in_turn() -> None:
        async with open_queue(app) as queue:
            for _ in range(2):
                # psycopg would prepare it at the sixth time, under a name that both use.
                pool = queue.connector.pool
                async with pool.connection() as one, pool.connection() as other:
                    for connection in (one, other):
                        await connection.set_autocommit(True)
                        for _ in range(10):
                            await connection.execute("SELECT %s::int", [1])

    app = make_app(**pooled)
    asyncio.run(ask_in_turn())


def _unsent() -> int:
    db.session.rollback()
    return db.session.scalar(text("SELECT count(*) FROM mail WHERE delivery <> 'sent'")) or 0


def test_limits_are_the_transactions_own(
    make_app: Callable[..., Flask], pooled: dict[str, str], pooler: str
) -> None:
    app = make_app(**pooled)
    with app.app_context():
        for name, value in LIMITS.items():
            assert db.session.scalar(text("SELECT current_setting(:name)"), {"name": name}) == value
        db.session.commit()
        shown = execute_autocommit(text("SELECT current_setting('lock_timeout') AS limit"), {})
        assert shown.limit == LIMITS["lock_timeout"]
        for _ in range(2 * SERVER_CONNECTIONS):
            with psycopg.connect(pooler) as other:
                shown = other.execute("SHOW lock_timeout").fetchone()
            assert shown == ("0",), "what a transaction set is over with it"


@pytest.mark.parametrize("is_owner", [False, True])
def test_migrations_want_the_server_itself(
    pooled: dict[str, str], database_url: str, is_owner: bool
) -> None:
    if is_owner:
        how = {"DATABASE_URL": pooled["DATABASE_URL"].replace("/azionelab", "/owned")}
    else:
        how = {"MIGRATION_DATABASE_URL": database_url}
    done = subprocess.run(
        [PYTHON, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=ROOT,
        env=clean_environment(pooled | how),
        capture_output=True,
        text=True,
        check=False,
    )
    if not is_owner:
        assert done.returncode == 0, done.stderr
        return
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("flask db: DATABASE_URL leads to a pooler")

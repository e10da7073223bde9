"""The worker as a program: what it does by itself, how it ends, what it survives."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
import pytest
from flask import Flask
from sqlalchemy.engine import make_url

from azionelab.bookings.models import State
from azionelab.mail.models import Delivery
from azionelab.ops.processes.conninfo import conninfo
from tests.factories import a_party, a_performance, let_lapse
from tests.support.processes import (
    PATIENCE,
    PYTHON,
    ROOT,
    Program,
    clean_environment,
    eventually,
    free_port,
)
from tests.support.smtp import Delivered, SmtpServer

Database = psycopg.Connection[Any]


def delivery_of_the_mail(database: Database) -> str:
    ((delivery,),) = database.execute("SELECT delivery FROM mail").fetchall()
    return str(delivery)


@pytest.mark.usefixtures("in_app")
def test_lapsed_holds_are_ended_and_the_queue_is_minded(
    database: Database, start_worker: Callable[..., Program]
) -> None:
    let_lapse(a_party(a_performance(), confirmed=False))
    start_worker()

    def ended() -> bool:
        (state,) = database.execute("SELECT state FROM reservation").fetchone()
        return bool(state == State.EXPIRED)

    eventually(ended, "the hold to be ended")
    query = "SELECT DISTINCT task_name FROM procrastinate_jobs WHERE status = 'succeeded'"
    each_minute = {("bookings.expire",), ("mail.recover",), ("queue.recover",)}
    eventually(lambda: each_minute <= set(database.execute(query)), "the jobs of each minute")


@pytest.mark.usefixtures("in_app")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_politely(
    worker: Program, smtp_server: SmtpServer, database: Database, number: signal.Signals
) -> None:
    smtp_server.answer = lambda _: worker.send(number)
    a_party(a_performance(), confirmed=False)
    assert worker.wait() == 0
    assert "Traceback" not in worker.output
    # The job that was running has ended first.
    assert delivery_of_the_mail(database) == Delivery.SENT
    assert database.execute("SELECT count(*) FROM procrastinate_workers").fetchone() == (0,)


@pytest.fixture
def silence(smtp_server: SmtpServer) -> Iterator[threading.Event]:
    """A mail server that takes a message and says nothing; set once that has begun."""
    begun, over = threading.Event(), threading.Event()

    def say_nothing(_: object) -> None:
        begun.set()
        over.wait()

    smtp_server.answer = say_nothing
    yield begun
    over.set()


@pytest.mark.usefixtures("in_app")
def test_it_ends_even_when_the_mail_server_hangs(
    silence: threading.Event,
    worker: Program,
    database: Database,
) -> None:
    a_party(a_performance(), confirmed=False)
    assert silence.wait(PATIENCE)
    assert worker.stop() == 0
    assert "Traceback" not in worker.output
    # It is left as after a crash, for another worker.
    assert delivery_of_the_mail(database) == Delivery.QUEUED
    query = "SELECT status FROM procrastinate_jobs WHERE task_name = 'mail.send'"
    assert database.execute(query).fetchone() == ("doing",)


@pytest.mark.usefixtures("in_app")
def test_it_survives_the_loss_of_its_connections(
    worker: Program, smtp_server: SmtpServer, database: Database
) -> None:
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND application_name = 'azionelab-worker'"
    )
    assert database.execute(cut).fetchall()
    a_party(a_performance(), confirmed=False)
    smtp_server.wait_for(1)
    assert "Traceback" not in worker.output


@pytest.mark.usefixtures("in_app")
def test_a_job_that_ends_while_the_database_is_away_for_a_moment_is_tried_again(
    worker: Program, smtp_server: SmtpServer, database: Database
) -> None:
    """Shorter than between two heartbeats, so that the worker stays the same one."""

    def take_the_database_away(_: Delivered) -> str:
        database.execute("ALTER ROLE azionelab NOLOGIN")
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'azionelab'"
        )
        return "451 later"

    smtp_server.answer = take_the_database_away
    try:
        a_party(a_performance(), confirmed=False)
        worker.wait_until(lambda: "is noted later" in worker.output, "the worker to miss it")
    finally:
        database.execute("ALTER ROLE azionelab LOGIN")
    smtp_server.accept()
    smtp_server.wait_for(1)


def test_a_database_that_is_not_migrated_is_told_as_such_and_waited_for(
    settings: dict[str, str],
    make_app: Callable[..., Flask],
    empty_database: str,
    tmp_path: Path,
) -> None:
    told = "the database is not migrated to this release: run `flask db upgrade`"
    here = settings | {"DATABASE_URL": empty_database}
    command = [PYTHON, "-m", "flask", "--app", "wsgi", "worker"]
    with Program(command, here, tmp_path / "worker.log") as worker:
        worker.wait_until(lambda: f"worker: {told}" in worker.output, "the line")
        healthy = subprocess.run(
            [PYTHON, "docker/backend/healthy.py", "worker"],
            cwd=ROOT,
            env=clean_environment(here) | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (healthy.returncode, healthy.stderr) == (1, f"{told}\n")
        with make_app(DATABASE_URL=empty_database).app_context():
            flask_migrate.upgrade()
        worker.wait_until(lambda: "worker: at work" in worker.output, "work")
        assert worker.stop() == 0
    assert "away" not in worker.output
    assert "Traceback" not in worker.output


@pytest.mark.parametrize(
    ("kind", "heavy"),
    [
        ("web", ("psycopg", "sqlalchemy", "http.client")),
        ("worker", ("alembic", "flask", "sentry_sdk")),
    ],
)
def test_a_health_check_loads_only_what_it_needs(kind: str, heavy: Sequence[str]) -> None:
    # Each container runs it every ten or thirty seconds.
    asked = subprocess.run(
        [PYTHON, "-X", "importtime", "docker/backend/healthy.py", kind],
        cwd=ROOT,
        env=clean_environment(
            {"DATABASE_URL": f"postgresql://theatre@127.0.0.1:{free_port()}/nowhere"}
        )
        | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    loaded = {line.rpartition("|")[2].strip() for line in asked.stderr.splitlines()}
    assert "socket" in loaded
    assert not loaded & set(heavy)


def test_without_a_database_it_says_so_and_tries_on(
    settings: dict[str, str], tmp_path: Path
) -> None:
    nowhere = {"DATABASE_URL": f"postgresql://theatre:pa55phrase@127.0.0.1:{free_port()}/nowhere"}
    command = [PYTHON, "-m", "flask", "--app", "wsgi", "worker"]
    with Program(command, settings | nowhere, tmp_path / "worker.log") as worker:
        worker.wait_until(lambda: worker.output.count("database is away") == 2, "two tries")
        assert worker.stop() == 0
    assert "Traceback" not in worker.output
    assert "pa55phrase" not in worker.output
    assert len(worker.output.splitlines()) == 3


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql+psycopg://theatre:p%40ss%2Fword@db.example:5433/azionelab?sslmode=require",
            {
                "user": "theatre",
                "password": "p@ss/word",
                "host": "db.example",
                "port": "5433",
                "dbname": "azionelab",
                "sslmode": "require",
            },
        ),
        (
            "postgresql+psycopg://postgres@/azionelab?host=%2Fvar%2Frun%2Fa%20socket",
            {"user": "postgres", "host": "/var/run/a socket", "dbname": "azionelab"},
        ),
    ],
)
def test_it_connects_by_what_the_engine_connects_by(url: str, expected: dict[str, str]) -> None:
    assert psycopg.conninfo.conninfo_to_dict(conninfo(make_url(url))) == expected

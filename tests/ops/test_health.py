"""/api/health reports what is down and what is late."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from azionelab.bookings.mails.resending import resend
from azionelab.database import db
from azionelab.mail.refusals import Refusals
from azionelab.ops.monitoring.backups import Task
from azionelab.ops.monitoring.health import summarize
from azionelab.ops.monitoring.service_status import BackupStatus, ServiceStatus
from tests.factories import a_party, a_performance
from tests.support.processes import Program

Database = psycopg.Connection[Any]


def a_worker(database: Database, seen: str) -> None:
    database.execute(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s::interval)", (seen,)
    )


def test_all_is_well(client: FlaskClient, database: Database) -> None:
    a_worker(database, "3 hours")
    a_worker(database, "20 seconds")
    answer = client.get("/api/health")
    assert answer.status_code == 200
    report = dict(answer.json or {})
    assert 20 <= report.pop("worker")["seen_seconds_ago"] < 60
    assert report == {
        "status": "ok",
        "database": "reached",
        "migrations": "current",
        "mail": {"oldest_unsent_seconds": None, "failed": 0, "refused": False},
    }


NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def make_service_status(worker: float, mail: float | None, backup: float | None) -> ServiceStatus:
    """Things seen so many seconds ago; None where there is no mail, or backup that went well."""

    def ago(seconds: float | None) -> datetime | None:
        return None if seconds is None else NOW - timedelta(seconds=seconds)

    reported = BackupStatus(ago(backup), last_was_well=True, size=1)
    return ServiceStatus(
        at=NOW,
        worker_seen_at=ago(worker),
        mails_waiting=0,
        mail_waits_since=ago(mail),
        mails_failed=0,
        mails_refused=Refusals(0, 0),
        backups={Task.BACKUP: reported},
    )


@pytest.mark.parametrize(
    ("worker", "mail", "backup", "status"),
    [
        (60, 600, 26 * 3600, "ok"),
        (60.1, 600, 26 * 3600, "degraded"),
        (60, 600.1, 26 * 3600, "degraded"),
        (60, 600, 26 * 3600 + 0.1, "degraded"),
        (60, None, None, "degraded"),
        (60, None, 0, "ok"),
    ],
)
def test_how_long_each_part_may_be_silent(
    worker: float, mail: float | None, backup: float | None, status: str
) -> None:
    assert summarize(make_service_status(worker, mail, backup))["status"] == status


def test_seconds_are_rounded_to_tenths() -> None:
    output = summarize(make_service_status(1.26, 2.74, 3.14))
    assert output["worker"] == {"seen_seconds_ago": 1.3}
    assert output["mail"]["oldest_unsent_seconds"] == 2.7
    assert output["backup"] == {"succeeded_seconds_ago": 3.1}


def test_it_is_not_cached_and_sets_no_cookie(client: FlaskClient) -> None:
    answer = client.get("/api/health")
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_no_worker_ever(client: FlaskClient) -> None:
    answer = client.get("/api/health")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["status"] == "degraded"
    assert answer.json["worker"] == {"seen_seconds_ago": None}


@pytest.mark.parametrize(("seen", "status"), [(40, "ok"), (61, "degraded")])
def test_a_worker_is_silent_after_a_minute(
    client: FlaskClient, database: Database, seen: int, status: str
) -> None:
    a_worker(database, f"{seen} seconds")
    answer = client.get("/api/health")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["status"] == status
    assert answer.json["worker"]["seen_seconds_ago"] >= seen


def test_a_living_worker(start_worker: Callable[..., Program], client: FlaskClient) -> None:
    start_worker()
    answer = client.get("/api/health")
    assert answer.json is not None
    assert answer.json["status"] == "ok"


def make_older(database: Database, age: str, mails: str = "(SELECT id FROM mail)") -> None:
    """Let mails, and all that was done about them, be of `age` ago."""
    database.execute(
        f"UPDATE mail SET created_at = now() - %s::interval WHERE id IN {mails}", (age,)
    )
    database.execute(
        "UPDATE procrastinate_events SET at = now() - %s::interval WHERE job_id IN"
        f" (SELECT id FROM procrastinate_jobs WHERE (args ->> 'mail_id')::uuid IN {mails})",
        (age,),
    )


@pytest.mark.parametrize(("age", "status"), [("9 minutes", "ok"), ("601 seconds", "degraded")])
@pytest.mark.usefixtures("in_app")
def test_mail_that_waits(client: FlaskClient, database: Database, age: str, status: str) -> None:
    a_worker(database, "5 seconds")
    performance = a_performance()
    a_party(performance, confirmed=False)
    a_party(performance, confirmed=False)
    make_older(database, age, "(SELECT id FROM mail LIMIT 1)")
    answer = client.get("/api/health")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["status"] == status
    assert answer.json["mail"]["oldest_unsent_seconds"] >= 60


@pytest.mark.usefixtures("in_app")
def test_a_resent_mail_waits_since_it_was_resent(client: FlaskClient, database: Database) -> None:
    a_worker(database, "5 seconds")
    a_party(a_performance(), confirmed=False)
    make_older(database, "3 days")
    database.execute("UPDATE mail SET delivery = 'sent'")
    database.execute("UPDATE procrastinate_jobs SET status = 'succeeded'")
    resend(database.execute("SELECT id FROM mail").fetchone().id)
    answer = client.get("/api/health")
    assert answer.json is not None
    assert answer.json["status"] == "ok"
    assert answer.json["mail"]["oldest_unsent_seconds"] < 600


@pytest.mark.usefixtures("in_app")
def test_mail_without_a_job_waits_since_it_was_written(
    client: FlaskClient, database: Database
) -> None:
    a_worker(database, "5 seconds")
    a_party(a_performance(), confirmed=False)
    make_older(database, "1 hour")
    database.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    answer = client.get("/api/health")
    assert answer.json is not None
    assert answer.json["status"] == "degraded"


def a_backup(database: Database, task: str, ago: str, *, well: bool = True) -> None:
    database.execute(
        "INSERT INTO backup_report (task, well, ended_at, size)"
        " VALUES (%s, %s, now() - %s::interval, 1000)",
        (task, well, ago),
    )


@pytest.mark.parametrize(
    ("reports", "status"),
    [
        ([("backup", "25 hours", True)], "ok"),
        ([("backup", "27 hours", True)], "degraded"),
        # One that failed does not count, but the one before it does, while it is young.
        ([("backup", "25 hours", True), ("backup", "1 hour", False)], "ok"),
        ([("backup", "27 hours", True), ("backup", "1 hour", False)], "degraded"),
        ([("backup", "1 hour", False)], "degraded"),
        ([("backup", "2 days", True), ("verify", "1 hour", True)], "degraded"),
    ],
)
def test_reported_backups(
    client: FlaskClient, database: Database, reports: list[tuple[str, str, bool]], status: str
) -> None:
    a_worker(database, "5 seconds")
    for task, ago, well in reports:
        a_backup(database, task, ago, well=well)
    answer = client.get("/api/health")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["status"] == status
    age = answer.json["backup"]["succeeded_seconds_ago"]
    assert age is None or age >= 25 * 3600


@pytest.mark.usefixtures("in_app")
def test_failed_mail_is_counted_and_not_waiting(client: FlaskClient, database: Database) -> None:
    a_worker(database, "5 seconds")
    a_party(a_performance(), confirmed=False)
    database.execute("UPDATE mail SET delivery = 'failed', created_at = now() - interval '1 day'")
    answer = client.get("/api/health")
    assert answer.json is not None
    assert answer.json["mail"] == {"oldest_unsent_seconds": None, "failed": 1, "refused": False}
    assert answer.json["status"] == "ok"


@pytest.mark.parametrize("versions", [["0001"], []], ids=["behind", "never migrated"])
def test_pending_migrations(
    make_app: Callable[..., Flask],
    empty_database: str,
    versions: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    if versions:
        with psycopg.connect(empty_database) as connection:
            connection.execute("CREATE TABLE alembic_version (version_num text)")
            connection.execute("INSERT INTO alembic_version VALUES (%s)", versions)
    answer = make_app(DATABASE_URL=empty_database).test_client().get("/api/health")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["status"] == "down"
    assert answer.json["database"] == "reached"
    assert answer.json["migrations"] == "pending"
    assert [r.getMessage() for r in caplog.records if r.name.startswith("azionelab")] == [
        "health: the database is not migrated to this release: run `flask db upgrade`"
    ]


def test_a_newer_schema_is_served_as_after_a_rollback(
    client: FlaskClient, newer_schema: None
) -> None:
    answer = client.get("/api/health")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["migrations"] == "newer"


def test_no_database(make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(DATABASE_URL="postgresql://azionelab:pa55word@127.0.0.1:1/none")
    answer = app.test_client().get("/api/health")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "down",
        "database": "unreachable",
        "migrations": "unknown",
        "worker": {"seen_seconds_ago": None},
        "mail": {"oldest_unsent_seconds": None, "failed": None, "refused": None},
    }
    assert "pa55word" not in caplog.text
    assert "Traceback" not in caplog.text


def test_a_full_disk(
    make_app: Callable[..., Flask],
    database: Database,
    full_disk: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    a_worker(database, "5 seconds")
    answer = make_app().test_client().get("/api/health")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["status"] == "degraded"
    assert answer.json["database"] == "full"
    assert answer.json["worker"]["seen_seconds_ago"] >= 5
    assert "health: the database's disk is full (ConfigurationLimitExceeded 53400)" in caplog.text


def test_a_database_that_stops_answering(client: FlaskClient, database: Database) -> None:
    client.get("/api/health")
    with database.transaction():
        database.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        answer = client.get("/api/health")
    assert answer.status_code == 503
    assert client.get("/api/health").status_code == 200


def test_it_costs_a_few_statements_and_changes_nothing(in_app: Flask, client: FlaskClient) -> None:
    statements: list[str] = []

    @event.listens_for(db.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    client.get("/api/health")
    event.remove(db.engine, "before_cursor_execute", note)
    assert 0 < len(statements) <= 7
    assert all(statement.lstrip().startswith(("SELECT", "SET LOCAL")) for statement in statements)

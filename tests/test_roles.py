"""The database's two roles: the owner migrates, the application has rights to rows only."""

import subprocess
from collections.abc import Callable

import flask_migrate
import psycopg
import pytest
from click.testing import Result
from flask import Flask
from psycopg.errors import InsufficientPrivilege

from azionelab.ops.checks import doctor, roles
from bare_machine.embedded_postgres import as_application
from tests.bookings.test_no_overbooking import INSERT
from tests.factories import a_party, a_performance
from tests.support.processes import PYTHON, ROOT, clean_environment

Make = Callable[..., Flask]
OWNING = "owns its tables, and could disable their triggers"


def flask_db(app: Flask, *arguments: str) -> Result:
    with app.app_context():
        return app.test_cli_runner().invoke(args=["db", *arguments])


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE reservation DISABLE TRIGGER ALL",
        "DROP TRIGGER reservation_holds_seats ON reservation",
        "CREATE TRIGGER mine AFTER INSERT ON scan EXECUTE FUNCTION reservation_holds_seats()",
        "ALTER TABLE performance DROP CONSTRAINT ck_performance_capacity_held",
        "DROP FUNCTION reservation_holds_seats()",
        "CREATE TABLE mine (id integer)",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "TRUNCATE reservation",
        "UPDATE performance SET seats_held = 0",
        "UPDATE reservation SET admitted = 0",
        "UPDATE alembic_version SET version_num = '0001'",
        "DELETE FROM alembic_version",
        "SELECT grant_rows('azionelab')",
        "SET session_replication_role = replica",
    ],
)
def test_the_application_cannot_weaken_the_guards(migrated_database: str, statement: str) -> None:
    with (
        psycopg.connect(as_application(migrated_database)) as connection,
        pytest.raises(InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_the_application_makes_no_temporary_tables(app: Flask, settings: dict[str, str]) -> None:
    with (
        psycopg.connect(settings["DATABASE_URL"]) as connection,
        pytest.raises(InsufficientPrivilege),
    ):
        connection.execute("CREATE TEMP TABLE performance (id integer)")


def test_what_the_application_writes_is_counted(in_app: Flask, settings: dict[str, str]) -> None:
    """By triggers that run with their owner's rights: it may not write the counter itself."""
    performance = a_performance(capacity=5)
    a_party(performance, 2)
    with psycopg.connect(settings["DATABASE_URL"]) as connection:
        connection.execute(INSERT.format(performance=performance.id, seats=3))
        held = connection.execute("SELECT seats_held FROM performance").fetchone()
        assert held == (5,)


def test_new_tables_are_writable_after_an_upgrade(migrated_database: str, make_app: Make) -> None:
    app = make_app(
        DATABASE_URL=as_application(migrated_database), MIGRATION_DATABASE_URL=migrated_database
    )
    insert = "INSERT INTO later (word) VALUES ('new')"
    with psycopg.connect(migrated_database, autocommit=True) as owner:
        owner.execute("CREATE TABLE later (id serial PRIMARY KEY, word text)")
    with psycopg.connect(as_application(migrated_database), autocommit=True) as connection:
        with pytest.raises(InsufficientPrivilege):
            connection.execute(insert)
        assert flask_db(app, "upgrade").exit_code == 0
        connection.execute(insert)


def refused(settings: dict[str, str]) -> str:
    """The one line that `flask db upgrade` ends with."""
    done = subprocess.run(
        [PYTHON, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=ROOT,
        env=clean_environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    return line


def test_an_upgrade_without_the_owners_url_names_it(
    migrated_database: str, settings: dict[str, str]
) -> None:
    assert refused(settings | {"DATABASE_URL": as_application(migrated_database)}) == (
        "flask db: the role azionelab cannot migrate, its tables are those of postgres:"
        " set MIGRATION_DATABASE_URL to the owner's address"
    )


@pytest.mark.parametrize(
    ("migrating", "output"),
    [
        ("{elsewhere}", "leads to another database than DATABASE_URL"),
        ("{application}", "the role azionelab does not own the tables either"),
    ],
)
def test_a_url_of_another_role_is_refused(
    migrated_database: str,
    settings: dict[str, str],
    database_server: str,
    migrating: str,
    output: str,
) -> None:
    application = as_application(migrated_database)
    url = migrating.format(elsewhere=database_server, application=application)
    line = refused(settings | {"DATABASE_URL": application, "MIGRATION_DATABASE_URL": url})
    assert line.startswith("flask db: MIGRATION_DATABASE_URL")
    assert line.endswith(output)


def test_a_database_that_its_application_owns_is_migrated_with_a_warning(
    empty_database: str, make_app: Make
) -> None:
    """As those of release 0.3 are; the owner's address may be set before its role is there."""
    nobody = empty_database.replace("//postgres@", "//nobody@")
    done = flask_db(make_app(DATABASE_URL=empty_database, MIGRATION_DATABASE_URL=nobody), "upgrade")
    assert done.exit_code == 0
    assert done.stderr.startswith(f"warning: the role postgres {OWNING}")
    assert flask_db(make_app(DATABASE_URL=empty_database), "upgrade").stderr == ""


def checked(app: Flask) -> list[str]:
    lines = app.test_cli_runner().invoke(args=["check", "--deploy"]).stdout.splitlines()
    return [line for line in lines if " DATABASE: " in line]


def test_the_checks_report_when_the_application_owns_its_tables(
    migrated_database: str, make_app: Make
) -> None:
    claim = "the application does not own its tables"
    for url, verdicts in (
        (
            migrated_database,
            ["ok    DATABASE: reached", f"look  DATABASE: the role postgres {OWNING}"],
        ),
        (
            as_application(migrated_database),
            ["ok    DATABASE: reached", "ok    DATABASE: the role azionelab has rights to rows"],
        ),
    ):
        app = make_app(DATABASE_URL=url)
        for line, start in zip(checked(app), verdicts, strict=True):
            assert line.startswith(start)
        with app.app_context():
            (result,) = [r for r in doctor.run_checks() if r.claim.startswith(claim)]
        assert (result.rows, result.failed) == (
            ["postgres"] if url == migrated_database else [],
            False,
        )


def test_missing_rights_are_reported_with_their_remedy(
    migrated_database: str, make_app: Make
) -> None:
    with psycopg.connect(migrated_database) as owner:
        owner.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM azionelab")
    app = make_app(DATABASE_URL=as_application(migrated_database))
    assert checked(app)[1].startswith(f"FAIL  DATABASE: {roles.NO_RIGHTS}")
    output = app.test_cli_runner().invoke(args=["doctor"])
    assert output.exit_code == 1
    assert output.stderr == f"Error: {roles.NO_RIGHTS}\n"


def test_an_old_server_is_refused_by_its_version(
    make_app: Make, monkeypatch: pytest.MonkeyPatch, database_server: str
) -> None:
    with psycopg.connect(database_server) as connection:
        major = connection.info.server_version // 10000
    app = make_app()
    monkeypatch.setattr(roles, "MIN_POSTGRES_VERSION", major + 1)
    output = f"PostgreSQL {major} is too old: {major + 1} or newer is needed"
    assert f"FAIL  DATABASE: {output}" in checked(app)
    with pytest.raises(SystemExit, match=output), app.app_context():
        flask_migrate.upgrade()

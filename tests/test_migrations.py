"""Migrations: each upgrades and downgrades, and the result matches the models."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from uuid import UUID

import flask_migrate
import psycopg
import pytest
from alembic.script import ScriptDirectory
from click.testing import Result
from flask import Flask, current_app
from psycopg.rows import scalar_row
from sqlalchemy import CheckConstraint

from azionelab.database import Base
from tests.support.processes import PYTHON, ROOT, clean_environment, eventually

REVISIONS = [
    script.revision
    for script in reversed(list(ScriptDirectory(str(ROOT / "migrations")).walk_revisions()))
]

QUEUE_SCRIPTS = files("procrastinate.sql.migrations")


@contextmanager
def opened(app: Flask, url: str) -> Iterator[psycopg.Connection[str]]:
    """An application in use, and a connection that looks into its database."""
    with (
        app.app_context(),
        psycopg.connect(url, autocommit=True, row_factory=scalar_row) as look,
    ):
        yield look


@pytest.fixture
def migrating(
    empty_database: str, make_app: Callable[..., Flask]
) -> Iterator[psycopg.Connection[str]]:
    """An application whose database is empty, and a connection that looks into that."""
    with opened(make_app(DATABASE_URL=empty_database), empty_database) as look:
        yield look


@pytest.fixture
def migrated(
    migrated_database: str, make_app: Callable[..., Flask]
) -> Iterator[psycopg.Connection[str]]:
    """An application whose database has all migrations, and a connection that looks into that."""
    with opened(make_app(DATABASE_URL=migrated_database), migrated_database) as look:
        yield look


def everything_in(database: psycopg.Connection[str]) -> list[str]:
    """The names of all relations, columns, constraints, triggers, functions and types, and the roles' rows."""
    things = database.execute("""
        SELECT 'relation ' || relname || ' ' || relkind::text
            FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type
            || ' ' || is_nullable || ' ' || coalesce(column_default, '')
            FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid)
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT 'trigger ' || tgname || ' ' || tgenabled::text
            FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'function ' || oid::regprocedure || md5(prosrc) || prosecdef::text
            || coalesce(proconfig::text, '')
            FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT 'type ' || typname || coalesce((
                SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder)
                FROM pg_enum WHERE enumtypid = pg_type.oid
            ), '')
            FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
        ORDER BY 1
    """).fetchall()
    if database.execute("SELECT to_regclass('public.role')::text").fetchone() is None:
        return things
    return things + database.execute("SELECT 'role ' || name FROM role ORDER BY 1").fetchall()


def version(database: psycopg.Connection[str]) -> list[str]:
    return database.execute("SELECT version_num FROM alembic_version").fetchall()


def test_migrations_form_one_line() -> None:
    assert [f"{number:04}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS


def test_each_goes_up_and_down(migrating: psycopg.Connection[str]) -> None:
    lower = everything_in(migrating)
    for revision in REVISIONS:
        flask_migrate.upgrade(revision=revision)
        assert version(migrating) == [revision]
        upper = everything_in(migrating)
        assert upper != lower, revision

        flask_migrate.downgrade(revision="-1")
        # Alembic's own table stays, once it is there.
        assert [thing for thing in everything_in(migrating) if "alembic" not in thing] == [
            thing for thing in lower if "alembic" not in thing
        ], revision
        flask_migrate.upgrade(revision=revision)
        assert everything_in(migrating) == upper, revision
        lower = upper


def test_downgrade_to_an_empty_database(migrated: psycopg.Connection[str]) -> None:
    flask_migrate.downgrade(revision="base")
    assert [thing for thing in everything_in(migrated) if "alembic" not in thing] == []


def test_migrations_match_the_models(migrated: psycopg.Connection[str]) -> None:
    flask_migrate.check()  # exits when a migration is missing


def test_the_comparison_sees_a_difference(migrated: psycopg.Connection[str]) -> None:
    migrated.execute("ALTER TABLE show DROP COLUMN summary CASCADE")
    with pytest.raises(SystemExit):
        flask_migrate.check()


def test_constraints_are_those_of_the_models(migrated: psycopg.Connection[str]) -> None:
    """Alembic does not compare check constraints: their names are compared here."""
    built = migrated.execute(r"""
        SELECT conname FROM pg_constraint
        WHERE contype = 'c' AND conname LIKE 'ck\_%'
    """)
    expected = {
        str(constraint.name)
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    assert set(built) == expected


def test_the_job_queue_is_as_its_library_builds_it(migrating: psycopg.Connection[str]) -> None:
    """Migration 0003 creates types at once to which the library adds values one by one."""

    def queue() -> list[str]:
        return [thing for thing in everything_in(migrating) if "procrastinate" in thing]

    flask_migrate.upgrade(revision="0003")
    built = queue()
    flask_migrate.downgrade(revision="-1")
    assert queue() == []
    names = [script.name for script in QUEUE_SCRIPTS.iterdir() if script.name.endswith(".sql")]
    for name in sorted(names):
        migrating.execute((QUEUE_SCRIPTS / name).read_bytes())
    migrating.execute(
        "ALTER TABLE procrastinate_jobs"
        " DISABLE TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1"
    )
    assert queue() == built


def test_the_command_says_what_it_did(migrating: psycopg.Connection[str]) -> None:
    def flask_db(*arguments: str) -> Result:
        return current_app.test_cli_runner().invoke(args=["db", *arguments])

    assert flask_db("upgrade").stdout == f"The database is at {REVISIONS[-1]} now.\n"
    assert flask_db("upgrade").stdout == ""
    assert flask_db("downgrade").stdout == f"The database is at {REVISIONS[-2]} now.\n"


def test_a_newer_database_is_left_as_it_is(
    migrated: psycopg.Connection[str], migrated_database: str, settings: dict[str, str]
) -> None:
    migrated.execute("UPDATE alembic_version SET version_num = '9999'")
    before = everything_in(migrated)
    done = subprocess.run(
        [PYTHON, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=ROOT,
        env=clean_environment(settings | {"DATABASE_URL": migrated_database}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith("a newer schema than this release knows; nothing was changed")
    assert everything_in(migrated) == before
    assert version(migrated) == ["9999"]


def test_an_unreachable_database_is_reported_in_a_line(settings: dict[str, str]) -> None:
    away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    done = subprocess.run(
        [PYTHON, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=ROOT,
        env=clean_environment(settings | away),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("flask db: DATABASE_URL: the database cannot be reached: ")


def test_a_failed_migration_changes_nothing(migrating: psycopg.Connection[str]) -> None:
    flask_migrate.upgrade(revision="0001")
    # Something is in the way of the last statement of 0002.
    migrating.execute(
        "CREATE FUNCTION admitted_is_counted() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NEW; END'"
    )
    before = everything_in(migrating)
    with pytest.raises(Exception, match="admitted_is_counted"):
        flask_migrate.upgrade()
    assert version(migrating) == ["0001"]
    assert everything_in(migrating) == before


def upgrade_beside(settings: dict[str, str], database: str, revision: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PYTHON, "-m", "flask", "--app", "wsgi", "db", "upgrade", revision],
        cwd=ROOT,
        env=clean_environment(settings | {"DATABASE_URL": database}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_people_book_while_the_search_index_is_built(
    migrating: psycopg.Connection[str], empty_database: str, settings: dict[str, str]
) -> None:
    waiting = (
        "SELECT pid FROM pg_stat_activity WHERE query ~ '^(CREATE|DROP) INDEX CONCURRENTLY'"
        " AND wait_event_type = 'Lock' AND datname = current_database()"
    )
    valid = (
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_reservation_search')"
    )
    flask_migrate.upgrade(revision="0039")
    with psycopg.connect(empty_database) as booking:
        # A booking that is not committed yet, and others, for which nobody waits.
        booking.execute("LOCK TABLE reservation IN ROW EXCLUSIVE MODE")
        for fails in (True, False):
            upgrade = upgrade_beside(settings, empty_database, "0040")
            (builds,) = eventually(lambda: migrating.execute(waiting).fetchall(), "the build")
            with psycopg.connect(empty_database, autocommit=True) as other:
                other.execute("SET lock_timeout = '3s'")
                other.execute("UPDATE reservation SET note = ''")
            if fails:
                migrating.execute("SELECT pg_cancel_backend(%s)", [builds])
            else:
                booking.commit()
            output, _ = upgrade.communicate()
            assert (upgrade.returncode != 0) is fails, output
            assert migrating.execute(valid).fetchall() == [not fails]
    assert version(migrating) == ["0040"]


def test_a_migration_that_cannot_have_its_locks_lets_the_others_go_first(
    migrating: psycopg.Connection[str], empty_database: str, settings: dict[str, str]
) -> None:
    flask_migrate.upgrade(revision="0036")
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'show'::regclass"
        " AND mode = 'AccessExclusiveLock'"
    )
    with psycopg.connect(empty_database) as report:
        report.execute("LOCK TABLE show IN ACCESS SHARE MODE")
        upgrade = upgrade_beside(settings, empty_database, "0037")
        eventually(lambda: migrating.execute(waiting).fetchone() == 1, "the migration")
        # Behind it, until it gives up.
        assert migrating.execute("SELECT count(*) FROM show").fetchone() == 0
        report.commit()
    output, _ = upgrade.communicate()
    assert upgrade.returncode == 0, output
    assert "trying again" in output
    assert version(migrating) == ["0037"]


def test_mails_that_no_server_took_become_not_sent(
    migrating: psycopg.Connection[str],
) -> None:
    flask_migrate.upgrade(revision="0003")
    migrating.execute("SET session_replication_role = replica")  # a mail without its reservation
    remark = "not delivered: no MAIL_SERVER (development)"
    for number, error in enumerate(["", remark], start=1):
        migrating.execute(
            "INSERT INTO mail (id, reservation_id, kind, delivery, last_error, created_at, sent_at)"
            " VALUES (%s, %s, 'confirm', 'sent', %s, now(), now())",
            [UUID(int=number), UUID(int=number), error],
        )
    states = "SELECT delivery || ' ' || last_error FROM mail ORDER BY id"
    flask_migrate.upgrade(revision="0004")
    assert migrating.execute(states).fetchall() == ["sent ", "not_sent "]
    flask_migrate.downgrade(revision="-1")
    assert migrating.execute(states).fetchall() == ["sent ", f"sent {remark}"]


def test_phones_with_the_same_name_are_renamed(migrating: psycopg.Connection[str]) -> None:
    flask_migrate.upgrade(revision="0023")
    # Their performances are not there, which is nothing to this.
    migrating.execute("SET session_replication_role = replica")
    doors = [(1, None), (1, None), (2, None), (1, "now()"), (None, None), (None, None)]
    for number, (performance, revoked) in enumerate(doors):
        migrating.execute(
            "INSERT INTO api_token"
            " (label, scope, digest, created_at, expires_at, performance_id, revoked_at)"
            " VALUES ('Door', 'door', %s, now(), now(), %s, %s::timestamptz)",
            [bytes([number]), performance, revoked],
        )
    flask_migrate.upgrade(revision="0024")
    labels = migrating.execute("SELECT label FROM api_token ORDER BY id").fetchall()
    assert labels == ["Door", "Door (2)", "Door", "Door", "Door", "Door"]


def test_a_phone_that_only_scans_gets_no_more_rights_by_a_downgrade(
    migrating: psycopg.Connection[str],
) -> None:
    flask_migrate.upgrade(revision="0023")
    for number, scope in enumerate(["door", "scan"]):
        migrating.execute(
            "INSERT INTO api_token (label, scope, digest, created_at, expires_at)"
            " VALUES (%s, %s, %s, now(), now())",
            [scope, scope, bytes([number])],
        )
    flask_migrate.downgrade(revision="-1")
    found = migrating.execute(
        "SELECT concat_ws(' ', label, scope, revoked_at IS NOT NULL) FROM api_token ORDER BY id"
    )
    assert found.fetchall() == ["door door f", "scan door t"]


def test_empty_names_are_filled_and_then_refused(
    migrating: psycopg.Connection[str],
) -> None:
    flask_migrate.upgrade(revision="0009")
    nameless = (
        "INSERT INTO venue (name, address) VALUES ('', '')",
        "INSERT INTO show (slug, title, summary, description, published) VALUES ('bare', '', '', '', true)",
        """INSERT INTO api_token (label, scope, digest, created_at, expires_at)
            VALUES ('', 'door', '', now(), now())""",
    )
    for statement in nameless:
        migrating.execute(statement)
    flask_migrate.upgrade(revision="0010")
    names = "SELECT name FROM venue UNION SELECT title FROM show UNION SELECT label FROM api_token"
    assert set(migrating.execute(names)) == {"#1", "bare"}
    for statement in nameless:
        with pytest.raises(psycopg.errors.CheckViolation):
            migrating.execute(statement.replace("bare", "other"))
    migrating.execute("UPDATE api_token SET revoked_at = now()")

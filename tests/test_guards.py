"""The database's guards hold whatever a session's search_path and temporary objects are."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import flask_migrate
import psycopg
import pytest
from flask import Flask
from psycopg import sql
from psycopg.rows import namedtuple_row

from azionelab.bookings.models import Reservation
from azionelab.checkin.scanning.scans import admit
from azionelab.ops.checks import doctor
from azionelab.staff.tokens import Scope, issue_token
from bare_machine import postgres_programs
from tests.factories import DOOR_A, a_party, a_performance, fresh, seats_held

Database = psycopg.Connection[Any]

pytestmark = pytest.mark.usefixtures("in_app")

# What may stand in front of a table of ours, under its name, for an unqualified statement.
IN_FRONT = {
    "temporary table": "CREATE TEMP TABLE {table} AS SELECT * FROM public.{table} WHERE false",
    "temporary view": "CREATE TEMP VIEW {table} AS SELECT * FROM public.{table} WHERE false",
    "table of another schema": """
        CREATE SCHEMA other;
        CREATE TABLE other.{table} AS SELECT * FROM public.{table} WHERE false;
        SET search_path = other, public
    """,
    "nothing on the path": "SET search_path = ''",
}
BOOKED = """
    INSERT INTO public.reservation (id, reference, performance_id, name, email, email_key, locale,
        seats, state, request_key, created_at, hold_expires_at, confirmed_at)
    VALUES (gen_random_uuid(), gen_random_uuid(), %s, 'Typed', 't@example.org', gen_random_uuid(),
        'it', %s, 'confirmed', gen_random_uuid(), now(), now(), now())
"""
LET_IN_AGAIN = """
    WITH once_more AS (
        INSERT INTO public.scan (id, performance_id, reservation_id, verdict, people,
            admitted_before, scanned_at, door)
        SELECT gen_random_uuid(), performance_id, reservation_id, verdict, people, 0, now(), door
        FROM public.scan RETURNING id, reservation_id, people
    )
    INSERT INTO public.admission (scan_id, reservation_id, people, admitted_at)
    SELECT id, reservation_id, people, now() FROM once_more
"""


@pytest.fixture
def session(database_url: str) -> Iterator[Database]:
    """A connection of its own whose transaction is rolled back after the test."""
    with psycopg.connect(database_url, row_factory=namedtuple_row) as connection:
        yield connection
        connection.rollback()


def let_in(party: Reservation) -> None:
    assert admit(party.performance_id, party.reference, uuid4(), DOOR_A).people == party.seats


def stand_in_front(session: Database, what: str, table: str) -> None:
    session.execute(IN_FRONT[what].replace("{table}", table))


def refusal(session: Database, statement: str, values: list[Any]) -> str | None:
    """The name of the constraint that a statement is refused by."""
    with pytest.raises(psycopg.errors.IntegrityError) as refused, session.transaction():
        session.execute(statement, values)
    return refused.value.diag.constraint_name


@pytest.mark.parametrize("what", IN_FRONT)
def test_seats_are_counted_in_the_public_table(session: Database, what: str) -> None:
    performance = a_performance(capacity=5)
    stand_in_front(session, what, "performance")
    session.execute(BOOKED, [performance.id, 3])
    held = session.execute("SELECT seats_held FROM public.performance").fetchone()
    assert held is not None
    assert held.seats_held == 3
    assert refusal(session, BOOKED, [performance.id, 3]) == "ck_performance_capacity_held"


@pytest.mark.parametrize("what", IN_FRONT)
def test_people_are_counted_in_the_public_table(session: Database, what: str) -> None:
    performance = a_performance()
    party = a_party(performance, 2)
    let_in(party)
    assert fresh(party.id).admitted == 2
    stand_in_front(session, what, "reservation")
    assert refusal(session, LET_IN_AGAIN, []) == "ck_reservation_admitted_range"


@pytest.mark.parametrize("what", IN_FRONT)
def test_devices_are_looked_up_in_the_public_table(session: Database, what: str) -> None:
    performance = a_performance()
    token, _ = issue_token("Door A", Scope.DOOR, 12)
    session.execute("UPDATE api_token SET revoked_at = now()")
    stand_in_front(session, what, "api_token")
    scan = """
        INSERT INTO public.scan (id, performance_id, token_id, verdict, people, admitted_before,
            scanned_at, door)
        VALUES (gen_random_uuid(), %s, %s, 'admitted', 1, 0, now(), 'Door A')
    """
    assert refusal(session, scan, [performance.id, token.id]) == "scan_by_valid_device"


def test_uncountable_seats_are_refused_by_name(session: Database) -> None:
    performance = a_performance()
    # The UPDATE is done, and changes no row.
    session.execute("CREATE RULE unseen AS ON UPDATE TO performance DO INSTEAD NOTHING")
    assert refusal(session, BOOKED, [performance.id, 1]) == "reservation_holds_seats"


def test_uncountable_people_are_refused_by_name(session: Database) -> None:
    performance = a_performance()
    let_in(a_party(performance, 2))
    session.execute("CREATE RULE unseen AS ON UPDATE TO reservation DO INSTEAD NOTHING")
    assert refusal(session, "UPDATE admission SET undone_at = now()", []) == "admission_lets_in"


@pytest.mark.parametrize(
    ("function", "like"),
    [("reservation_holds_seats", "reservation"), ("admission_lets_in", "admission")],
)
def test_a_counting_function_counts_no_other_table(
    session: Database, function: str, like: str
) -> None:
    """Attached to a table of one's own, it would write the counters with its owner's rights."""
    performance = a_performance()
    let_in(a_party(performance, 2))
    session.execute(f"CREATE TEMP TABLE mine AS SELECT * FROM public.{like}")
    session.execute(
        f"CREATE TRIGGER mine AFTER DELETE ON mine FOR EACH ROW EXECUTE FUNCTION public.{function}()"
    )
    assert refusal(session, "DELETE FROM mine", []) == function


def test_every_function_sets_its_search_path(database: Database) -> None:
    without = database.execute("""
        SELECT oid::regprocedure::text AS name FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM unnest(proconfig) AS setting
            WHERE setting = 'search_path=""' OR setting LIKE 'search_path=%, pg_temp'
        )
    """).fetchall()
    assert [row.name for row in without] == [], (
        "a function in a migration says `SET search_path = pg_catalog, pg_temp` and names its tables"
        " with their schema (migration 0012)"
    )


def _program(name: str, *arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [postgres_programs.programs() / name, *arguments],
        capture_output=True,
        text=True,
        check=False,
        **how,
    )


def _dump(url: str, file: Path, *options: str) -> None:
    left_out = ("--exclude-table=alembic_version", "--exclude-table=role")
    done = _program("pg_dump", "--data-only", *left_out, *options, f"--file={file}", url)
    assert done.returncode == 0, done.stderr


def _restore(file: Path, url: str) -> subprocess.CompletedProcess[str]:
    options = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction")
    return _program("psql", *options, f"--file={file}", url)


def _rows(url: str) -> dict[str, list[Any]]:
    """All rows of all tables."""
    with psycopg.connect(url, row_factory=namedtuple_row) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {
            table: connection.execute(
                sql.SQL("SELECT row_to_json(t)::text AS row FROM {} AS t ORDER BY 1").format(
                    sql.Identifier(table)
                )
            ).fetchall()
            for (table,) in names.fetchall()
        }


@pytest.fixture
def filled(database_url: str, database: Database) -> str:
    """The URL of a database with parties, people inside, a revoked device and what it scanned."""
    performance = a_performance()
    token, _ = issue_token("Door A", Scope.DOOR, 12)
    let_in(a_party(performance, 3))
    a_party(performance, 2, confirmed=False)
    database.execute("UPDATE scan SET token_id = %s", [token.id])
    database.execute("UPDATE api_token SET revoked_at = now()")
    assert seats_held(performance.id) == (5, 5)
    return database_url


def test_data_alone_is_restored_as_it_was(
    filled: str, empty_database: str, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """docs/backups.md: its triggers are off meanwhile, as nothing is to be counted a second time."""
    file = tmp_path / "rows.sql"
    _dump(filled, file, "--disable-triggers")
    with make_app(DATABASE_URL=empty_database).app_context():
        flask_migrate.upgrade()
        done = _restore(file, empty_database)
        assert done.returncode == 0, done.stderr
        assert _rows(empty_database) == _rows(filled)
        assert [str(result) for result in doctor.run_checks() if result.failed] == []


def test_data_alone_is_refused_whole_when_it_would_be_counted_again(
    filled: str, empty_database: str, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    file = tmp_path / "rows.sql"
    _dump(filled, file)
    with make_app(DATABASE_URL=empty_database).app_context():
        flask_migrate.upgrade()
    done = _restore(file, empty_database)
    assert "performance.seats_held is counted from reservations, not written" in done.stderr
    assert _rows(empty_database)["show"] == []

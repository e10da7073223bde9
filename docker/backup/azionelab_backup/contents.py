"""Reads a database's schema and row counts, and checks its invariants."""

from typing import Any

import psycopg
from psycopg import sql

from azionelab_backup.store import Manifest

_TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname
"""
# Two checks of `flask doctor`, which cannot run on the scratch database. Rows are read as JSON, since backups
# of older releases lack the columns `released` and `holds_seats`.
_INVARIANTS = {
    "seats held by performances are those of their live reservations": """
        SELECT count(*) FROM performance AS p CROSS JOIN LATERAL (
            SELECT coalesce(sum(seats - coalesce((r.row ->> 'released')::integer, 0)), 0) AS seats
            FROM reservation CROSS JOIN LATERAL (SELECT to_jsonb(reservation) AS row) AS r
            WHERE performance_id = p.id AND (state = 'confirmed'
                OR state = 'pending' AND coalesce((r.row ->> 'holds_seats')::boolean, true))
        ) AS r
        WHERE p.seats_held <> r.seats OR r.seats > p.capacity
    """,
    "people inside are those who were let in": """
        SELECT count(*) FROM reservation AS r CROSS JOIN LATERAL (
            SELECT coalesce(sum(people), 0) AS people FROM admission
            WHERE reservation_id = r.id AND undone_at IS NULL
        ) AS a
        WHERE r.admitted <> a.people
    """,
}

# As in azionelab/ops/checks/roles.py: decided by the tables' owner, in an empty database by the right to
# create tables.
_OWNS = """
    SELECT current_user, coalesce(
        (
            SELECT bool_or(pg_has_role(current_user, relowner, 'MEMBER')) FROM pg_class
            WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p', 'v')
        ),
        (
            SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = 'public'
        ),
        has_database_privilege(current_database(), 'CREATE')
    )
"""


def ownership(connection: psycopg.Connection[Any]) -> tuple[str, bool]:
    """The role of a connection, and whether it owns the tables."""
    row = connection.execute(_OWNS).fetchone()
    return (str(row[0]), bool(row[1])) if row else ("", False)


def tables(connection: psycopg.Connection[Any]) -> list[str]:
    """The names of the tables."""
    return [name for (name,) in connection.execute(_TABLES)]


def schema(connection: psycopg.Connection[Any]) -> str | None:
    """The current migration, or None in a database that was never migrated."""
    if "alembic_version" not in tables(connection):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def secret_key(connection: psycopg.Connection[Any]) -> str:
    """The stored fingerprint of SECRET_KEY; an empty string when there is none."""
    if "signing_key" not in tables(connection):
        return ""
    newest = "SELECT fingerprint FROM public.signing_key ORDER BY id DESC LIMIT 1"
    row = connection.execute(newest).fetchone()
    return str(row[0]) if row else ""


def count_rows(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """The number of rows of each table."""
    return {
        name: _number(
            connection, sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(name))
        )
        for name in tables(connection)
    }


def find_inconsistencies(connection: psycopg.Connection[Any], manifest: Manifest) -> list[str]:
    """The differences between a restored database and its manifest, and its violated invariants."""
    found = count_rows(connection)
    problems = [
        f"{name} has {found.get(name, 0)} rows instead of {manifest.rows.get(name, 0)}"
        for name in sorted(found.keys() | manifest.rows.keys())
        if found.get(name) != manifest.rows.get(name)
    ]
    if not problems:
        for claim, query in _INVARIANTS.items():
            if count := _number(connection, sql.SQL(query)):
                problems.append(f"{count} times it does not hold that {claim}")
    return problems


def _number(connection: psycopg.Connection[Any], query: sql.SQL | sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0

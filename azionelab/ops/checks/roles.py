"""The database's two roles: the owner runs migrations, the application's role reads and writes rows.

An installation may use one role for both, as before release 0.4. Then the application could disable triggers
and drop constraints; `flask doctor` and `flask check --deploy` report it.
"""

from sqlalchemy import Connection, text

from azionelab.database import Base
from azionelab.database.audit import WRITTEN_BY_TRIGGERS

# The oldest major version of PostgreSQL that the tests run on.
MIN_POSTGRES_VERSION = 15

# Decided by the tables' owner; in an empty database by the right to create tables. A superuser owns all.
_OWNS = text("""
    SELECT coalesce(
        (
            SELECT bool_or(pg_has_role(current_user, relowner, 'MEMBER')) FROM pg_class
            WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p', 'v')
        ),
        (
            SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = 'public'
        ),
        has_database_privilege(current_database(), 'CREATE')
    )
""")
_WITHOUT_RIGHTS = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = to_regnamespace('public') AND relname = ANY (:tables)
        AND NOT has_table_privilege(oid, 'INSERT')
""")
_OWNERS = text("""
    SELECT string_agg(DISTINCT relowner::regrole::text, ', ') FROM pg_class
    WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p')
""")
# Identifies a database: the server by its start time, and the database's oid.
_DATABASE_IDENTITY = text("""
    SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()
""")
_CAN_GRANT = text("SELECT to_regprocedure('public.grant_rows(name)') IS NOT NULL")
_GRANT = text("SELECT public.grant_rows(:application)")

OWNS_TABLES = (
    "owns its tables, and could disable their triggers: give migrations a role of their own"
    " (docs/deployment.md, The database's roles)"
)

NO_RIGHTS = "the application's role has no rights to the database's rows: run `flask db upgrade`"


def owns_tables(connection: Connection) -> bool:
    """Whether this role owns the tables, or could create them in an empty database."""
    return bool(connection.scalar(_OWNS))


def tables_without_rights(connection: Connection) -> list[str]:
    """The application's tables that this role may not insert into, but for those that only triggers write."""
    tables = [
        name
        for name, table in Base.metadata.tables.items()
        if not table.info.get(WRITTEN_BY_TRIGGERS)
    ]
    return sorted(connection.scalars(_WITHOUT_RIGHTS, {"tables": tables}))


def current_role(connection: Connection) -> str:
    """The role of a connection."""
    return str(connection.scalar(text("SELECT current_user")))


def table_owners(connection: Connection) -> str:
    """The owners of the tables, comma-separated; an empty string when there are no tables."""
    return connection.scalar(_OWNERS) or ""


def same_database(one: Connection, other: Connection) -> bool:
    """Whether two connections are to the same database."""
    return one.execute(_DATABASE_IDENTITY).one() == other.execute(_DATABASE_IDENTITY).one()


def grant_rows(owner: Connection, application: str) -> None:
    """Grant the application its rights to rows, also in new tables (migration 0016)."""
    if owner.scalar(_CAN_GRANT):
        owner.execute(_GRANT, {"application": application})


def find_version_problem(connection: Connection) -> str | None:
    """Why this server's version cannot be used; None when it can."""
    version = connection.connection.driver_connection.info.server_version  # type: ignore[union-attr]
    if version >= MIN_POSTGRES_VERSION * 10000:
        return None
    return f"PostgreSQL {version // 10000} is too old: {MIN_POSTGRES_VERSION} or newer is needed"

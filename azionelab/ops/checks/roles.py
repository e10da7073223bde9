"""The database's two roles: the owner, who runs migrations, and the application, which has rights to rows.

An installation may do with one for both, as those of release 0.3 did: then the application could disable
triggers and drop constraints, which `flask doctor` and `flask check --deploy` say.
"""

from sqlalchemy import Connection, text

from azionelab.database import Base

# The oldest PostgreSQL that the tests run on.
OLDEST = 15

# Tables decide; in a database without any, whether they could be made. A superuser owns everything.
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
# The same server, since it was started, and the same database in it.
_PLACE = text("""
    SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()
""")
_CAN_GRANT = text("SELECT to_regprocedure('public.grant_rows(name)') IS NOT NULL")
_GRANT = text("SELECT public.grant_rows(:application)")

OWNS_TABLES = (
    "owns its tables, and could disable the guards on them: give migrations a role of their own"
    " (docs/deployment.md, The database's roles)"
)

NO_RIGHTS = "the database refuses its rows to the application's role: run `flask db upgrade`"


def owns_tables(connection: Connection) -> bool:
    """Whether this role owns the tables, or would own those that it made in an empty database."""
    return bool(connection.scalar(_OWNS))


def without_rights(connection: Connection) -> list[str]:
    """The tables of the application that its role may not write."""
    return sorted(connection.scalars(_WITHOUT_RIGHTS, {"tables": list(Base.metadata.tables)}))


def current_role(connection: Connection) -> str:
    """The role that a connection's statements are run by."""
    return str(connection.scalar(text("SELECT current_user")))


def owners(connection: Connection) -> str:
    """Who owns the tables; an empty string when there are none."""
    return connection.scalar(_OWNERS) or ""


def same_database(one: Connection, other: Connection) -> bool:
    """Whether two connections lead to the same database."""
    return one.execute(_PLACE).one() == other.execute(_PLACE).one()


def grant_rows(owner: Connection, application: str) -> None:
    """Give the application its rights to rows (migration 0016), tables that are new included."""
    if owner.scalar(_CAN_GRANT):
        owner.execute(_GRANT, {"application": application})


def too_old(connection: Connection) -> str | None:
    """Why this server cannot be used, in words that follow its name; None when it can."""
    version = connection.connection.driver_connection.info.server_version  # type: ignore[union-attr]
    if version >= OLDEST * 10000:
        return None
    return f"PostgreSQL {version // 10000} is too old: {OLDEST} or newer is needed"

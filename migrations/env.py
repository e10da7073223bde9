"""Runs migrations for `flask db`: one run at a time across hosts, each migration in its own transaction.

It runs beside the site. A migration that cannot have its locks at once lets go and is tried again, so that no request
waits for it long.

Connects as the role of MIGRATION_DATABASE_URL, which then grants the application its rights to rows; or as the
application's role if that owns the tables, as in databases of release 0.3.
"""

import time
from collections.abc import Collection
from typing import Any

import click
from alembic import context
from alembic.util import CommandError
from flask import current_app
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from azionelab.database import Base
from azionelab.database.connections import LIMITS
from azionelab.database.errors import describe_unreachable
from azionelab.ops.checks import roles
from azionelab.ops.checks.schema import SchemaState, schema_state
from azionelab.settings.config import Config

# Two operators, or a deploy script started twice, must not migrate at the same time.
_ADVISORY_LOCK = 0x617A696F6E65
# A migration that cannot get a lock gives up, since all requests queue behind it: before PostgreSQL looks for
# deadlocks (after 1 s), and might end a request instead.
_LOCK_TIMEOUT = "800ms"
_PAUSE = 1  # seconds until it is tried again
_TRIES = 60

_OURS = frozenset(Base.metadata.tables)


def _is_ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
    """Exclude the job queue's tables from comparisons: the library defines them."""
    return kind != "table" or name in _OURS


def run_migrations() -> None:
    config = current_app.config["AZIONELAB"]
    application = current_app.extensions["migrate"].db.engine
    with _open(application, "DATABASE_URL") as connection:
        if problem := roles.find_version_problem(connection):
            raise SystemExit(f"flask db: {problem}")
        role, owns = roles.current_role(connection), roles.owns_tables(connection)
        owner = application
        if not owns:
            owner = _owners_engine(config, role, roles.table_owners(connection))
            with _open(owner, "MIGRATION_DATABASE_URL") as other:
                _refuse_elsewhere(connection, other)
    if owns and config.database_pooler:
        # A session-level advisory lock does not work behind a pooler that switches sessions per transaction.
        raise SystemExit(
            "flask db: DATABASE_URL leads to a pooler; run this with DATABASE_POOLER=false and the"
            " DATABASE_URL of the server itself"
        )
    _run_as(owner, grant_to=None if owns else role)
    if owns and config.migration_database_url:
        click.echo(f"warning: the role {role} {roles.OWNS_TABLES}", err=True)


def _open(engine: Engine, setting: str) -> Connection:
    try:
        return engine.connect()
    except OperationalError as error:
        raise SystemExit(f"flask db: {setting}: {describe_unreachable(error)}") from error


def _owners_engine(config: Config, role: str, owners: str) -> Engine:
    """The engine that connects as the role that owns the tables."""
    if config.migration_database_url is None:
        why = f"its tables are those of {owners}" if owners else "it may not create tables"
        raise SystemExit(
            f"flask db: the role {role} cannot migrate, {why}: set MIGRATION_DATABASE_URL to the"
            " owner's address"
        )
    limits = " ".join(f"-c {name}={value}" for name, value in LIMITS.items())
    arguments = {"connect_timeout": 5, "options": limits}
    return create_engine(config.migration_database_url, poolclass=NullPool, connect_args=arguments)


def _refuse_elsewhere(application: Connection, owner: Connection) -> None:
    if not roles.same_database(application, owner):
        raise SystemExit(
            "flask db: MIGRATION_DATABASE_URL leads to another database than DATABASE_URL"
        )
    if not roles.owns_tables(owner):
        raise SystemExit(
            f"flask db: MIGRATION_DATABASE_URL: the role {roles.current_role(owner)} does not own the"
            " tables either"
        )


def _run_as(owner: Engine, grant_to: str | None) -> None:
    reached: list[str] = []
    with owner.connect() as connection:
        _wait_for_others(connection)
        connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
        connection.execute(text("SET statement_timeout = 0"))
        state = schema_state(connection)
        connection.commit()
        if state is SchemaState.NEWER:
            raise CommandError(
                "the database has a newer schema than this release knows; nothing was changed"
            )
        try:
            _migrate(connection, reached)
            if grant_to:
                # Even without any migration: a restore leaves tables without rights.
                roles.grant_rows(connection, grant_to)
                connection.commit()
        finally:
            # Closes the session, which releases its settings and its advisory lock.
            connection.invalidate()
    if reached:
        click.echo(f"The database is at {', '.join(reached)} now.")


def _wait_for_others(connection: Connection) -> None:
    """Take the lock of the one run, and wait for it outside of a transaction.

    A transaction that waits would keep CREATE INDEX CONCURRENTLY of the other run waiting for its end.
    """
    take = text("SELECT pg_try_advisory_lock(:key)")
    while not connection.scalar(take, {"key": _ADVISORY_LOCK}):
        connection.commit()
        time.sleep(_PAUSE)


def _migrate(connection: Connection, reached: list[str]) -> None:
    """Run the migrations; those that cannot have a lock again. `reached` is where the database is after each.

    Raises OperationalError after too many tries.
    """

    def note(heads: Collection[Any], **_: Any) -> None:
        reached[:] = sorted(heads) or ["base"]

    for last in (False,) * (_TRIES - 1) + (True,):
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_server_default=True,
            include_object=_is_ours,
            on_version_apply=note,
        )
        # "-2" counts from where the database is, which the first try may have changed.
        target = str(context.get_context().opts.get("destination_rev"))
        try:
            with context.begin_transaction():
                context.run_migrations()
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            if last or (reached and target.startswith(("+", "-"))):
                raise
            connection.rollback()
            click.echo("A table is in use: trying again.", err=True)
            time.sleep(_PAUSE)
            _end_autovacuum(connection)
        else:
            return


def _end_autovacuum(connection: Connection) -> None:
    """Make autovacuum let go of our tables, which it does only for whoever waits longer than _LOCK_TIMEOUT.

    No request waits behind this lock.
    """
    ours = text(
        "SELECT quote_ident(tablename) FROM pg_tables"
        " WHERE schemaname = 'public' AND pg_has_role(tableowner, 'USAGE')"
    )
    tables = ", ".join(f"public.{name}" for name in connection.scalars(ours))
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    try:
        connection.execute(text(f"LOCK TABLE {tables} IN SHARE UPDATE EXCLUSIVE MODE"))
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
    connection.rollback()


if context.is_offline_mode():
    raise SystemExit("flask db: --sql is not supported; point DATABASE_URL at a database")
run_migrations()

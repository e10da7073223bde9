"""How `flask db` runs migrations: one at a time across hosts, each in a transaction of its own."""

from typing import Any

import click
from alembic import context
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import text

from azionelab.database import Base
from azionelab.ops.schema import SchemaState, schema_state

# Two operators, or a deploy script started twice, must not migrate at the same time.
_ADVISORY_LOCK = 0x617A696F6E65
# A migration that cannot get its lock gives up rather than queueing the whole house behind it.
_LOCK_TIMEOUT = "10s"

_OURS = frozenset(Base.metadata.tables)


def _is_ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
    """Leave the job queue's tables, which its library describes, out of comparisons."""
    return kind != "table" or name in _OURS


def run_migrations() -> None:
    engine = current_app.extensions["migrate"].db.engine
    reached: list[str] = []

    def note(heads: set[str], **_: Any) -> None:
        reached[:] = sorted(heads) or ["base"]

    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
        connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
        connection.execute(text("SET statement_timeout = 0"))
        state = schema_state(connection)
        connection.commit()
        if state is SchemaState.NEWER:
            raise CommandError(
                "the database has a newer schema than this release knows; nothing was changed"
            )
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_server_default=True,
            include_object=_is_ours,
            on_version_apply=note,
        )
        try:
            with context.begin_transaction():
                context.run_migrations()
        finally:
            # The session's settings and its advisory lock end with the connection itself.
            connection.invalidate()
    if reached:
        click.echo(f"The database is at {', '.join(reached)} now.")


if current_app.config["AZIONELAB"].database_pooler:
    # The advisory lock is the session's, and a pooler lends another one for each transaction.
    raise SystemExit(
        "flask db: DATABASE_URL leads to a pooler; run this with DATABASE_POOLER=false and the"
        " DATABASE_URL of the server itself"
    )
if context.is_offline_mode():
    raise SystemExit("flask db: --sql is not supported; point DATABASE_URL at a database")
run_migrations()

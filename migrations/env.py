"""How `flask db` runs migrations: one at a time across hosts, each in a transaction of its own."""

from alembic import context
from flask import current_app
from sqlalchemy import text

from azionelab.database import Base

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
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
        connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
        connection.execute(text("SET statement_timeout = 0"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_server_default=True,
            include_object=_is_ours,
        )
        try:
            with context.begin_transaction():
                context.run_migrations()
        finally:
            # The session's settings and its advisory lock end with the connection itself.
            connection.invalidate()


if context.is_offline_mode():
    raise SystemExit("flask db: --sql is not supported; point DATABASE_URL at a database")
run_migrations()

"""How the database's schema stands to this code: behind it, at it, or ahead of it.

Ahead is what a rollback leaves: the release before runs on the newer schema, which each migration
has to allow (docs/release.md).
"""

from enum import StrEnum
from functools import lru_cache

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection

# What PENDING is told by, wherever it is met.
NOT_MIGRATED = "the database is not migrated to this release: run `flask db upgrade`"


class SchemaState(StrEnum):
    """What is to be done: PENDING wants `flask db upgrade`, the others nothing."""

    PENDING = "pending"
    CURRENT = "current"
    NEWER = "newer"


def schema_state(connection: Connection) -> SchemaState:
    """The state of the database that `connection` is to."""
    applied = MigrationContext.configure(connection).get_current_heads()
    return judge(set(applied), str(current_app.extensions["migrate"].directory))


def judge(applied: set[str], folder: str) -> SchemaState:
    """The state of a database that says it has `applied`, by the migrations in a folder."""
    heads, known = _known_migrations(folder)
    if applied == heads:
        return SchemaState.CURRENT
    # Migrations are one line: what this code does not know comes after all that it knows.
    return SchemaState.PENDING if applied <= known else SchemaState.NEWER


@lru_cache
def _known_migrations(folder: str) -> tuple[set[str], set[str]]:
    """The last migrations in a folder, and all of them."""
    # The files do not change while a process runs.
    scripts = ScriptDirectory(folder)
    return set(scripts.get_heads()), {script.revision for script in scripts.walk_revisions()}

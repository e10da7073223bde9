"""Compares the database's schema with this code's migrations.

A newer schema is normal after a rollback: each migration has to allow the release before it (docs/release.md).
"""

from enum import StrEnum
from functools import lru_cache

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection

# The message for PENDING.
NOT_MIGRATED = "the database is not migrated to this release: run `flask db upgrade`"


class SchemaState(StrEnum):
    """PENDING needs `flask db upgrade`; the others need nothing."""

    PENDING = "pending"
    CURRENT = "current"
    NEWER = "newer"


def schema_state(connection: Connection) -> SchemaState:
    """The state of the connected database."""
    applied = MigrationContext.configure(connection).get_current_heads()
    return compare_revisions(set(applied), str(current_app.extensions["migrate"].directory))


def compare_revisions(applied: set[str], folder: str) -> SchemaState:
    """Compare the revisions applied to a database with the migrations in `folder`."""
    heads, known = _known_migrations(folder)
    if applied == heads:
        return SchemaState.CURRENT
    # Migrations form one line, so an unknown revision is newer than all known ones.
    return SchemaState.PENDING if applied <= known else SchemaState.NEWER


@lru_cache
def _known_migrations(folder: str) -> tuple[set[str], set[str]]:
    """The head revisions in a folder, and all revisions."""
    # The files do not change while a process runs.
    scripts = ScriptDirectory(folder)
    return set(scripts.get_heads()), {script.revision for script in scripts.walk_revisions()}

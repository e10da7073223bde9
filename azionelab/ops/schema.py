"""Whether the database has the migrations that this code knows: all of them and no others."""

from functools import lru_cache

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection


def migrations_are_current(connection: Connection) -> bool:
    """Whether nothing is to be migrated; a database that is newer than the code is not current."""
    applied = MigrationContext.configure(connection).get_current_heads()
    return set(applied) == known_migrations(str(current_app.extensions["migrate"].directory))


@lru_cache
def known_migrations(folder: str) -> set[str]:
    """The last migrations in a folder: what an up-to-date database says it has."""
    # The files do not change while a process runs.
    return set(ScriptDirectory(folder).get_heads())

"""The database: declarative base, session, transactions."""

from azionelab.database.base import Base, UserText, now
from azionelab.database.errors import violated_constraint
from azionelab.database.session import db
from azionelab.database.transactions import (
    NestedTransaction,
    before_commit,
    execute_autocommit,
    has_before_commit,
    insert_with_commit,
    read_row,
    reading,
    require_transaction,
    run_before_commit,
    take_locks,
    transaction,
)

__all__ = [
    "Base",
    "NestedTransaction",
    "UserText",
    "before_commit",
    "db",
    "execute_autocommit",
    "has_before_commit",
    "insert_with_commit",
    "now",
    "read_row",
    "reading",
    "require_transaction",
    "run_before_commit",
    "take_locks",
    "transaction",
    "violated_constraint",
]

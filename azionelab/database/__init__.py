"""The database: declarative base, session, transactions."""

from azionelab.database.base import Base, UserText, now
from azionelab.database.errors import violated_constraint
from azionelab.database.session import db
from azionelab.database.transactions import (
    NestedTransaction,
    execute_autocommit,
    insert_with_commit,
    read_row,
    require_transaction,
    take_locks,
    transaction,
)

__all__ = [
    "Base",
    "NestedTransaction",
    "UserText",
    "db",
    "execute_autocommit",
    "insert_with_commit",
    "now",
    "read_row",
    "require_transaction",
    "take_locks",
    "transaction",
    "violated_constraint",
]

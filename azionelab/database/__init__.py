"""The database: declarative base, session, transactions."""

from azionelab.database.base import Base, Typed, now
from azionelab.database.errors import violated_constraint
from azionelab.database.session import db
from azionelab.database.transactions import (
    NestedTransaction,
    last_words,
    read_row,
    require_transaction,
    transaction,
)

__all__ = [
    "Base",
    "NestedTransaction",
    "Typed",
    "db",
    "last_words",
    "now",
    "read_row",
    "require_transaction",
    "transaction",
    "violated_constraint",
]

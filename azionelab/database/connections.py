"""What each connection and each transaction is opened with."""

import select
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DisconnectionError

# The execution option of engines whose transactions begin with LIMITS.
LIMITED = "azionelab.limited"

# What a transaction may take, and the clock of what it shows. Each connection is opened with these; a
# pooler between (DATABASE_POOLER) keeps them out, so that each transaction is begun with them instead.
LIMITS = {
    "timezone": "UTC",
    "lock_timeout": "5s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "1min",
}


def refuse_closed_connections(engine: Engine) -> None:
    """Have the pool look at a connection before it lends it, at no cost of a round trip.

    An idle connection has nothing to read. When there is something, the server said good-bye: it was
    restarted, or a proxy between closed the line. The pool then opens a new one.
    """

    @event.listens_for(engine, "checkout")
    def look(connection: Any, _record: object, _proxy: object) -> None:
        line = select.poll()
        line.register(connection.fileno(), select.POLLIN)
        if line.poll(0):
            raise DisconnectionError


def limit_each_transaction(engine: Engine) -> None:
    """Begin every transaction with LIMITS, for engines whose connections lead to a pooler.

    A pooler lends another server connection for each transaction: what was set on one when it was
    opened, or by SET, would be missing now, and somebody else's later. It costs a round trip.
    """
    engine.update_execution_options(**{LIMITED: True})
    settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in LIMITS.items())

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT {settings}")

"""Settings of each database connection and transaction."""

import select
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DisconnectionError

# Execution option of engines whose transactions set LIMITS themselves.
SETS_LIMITS = "azionelab.sets_limits"

# Time limits and time zone. Each connection is opened with these. A pooler (DATABASE_POOLER) does not pass
# them on, so each transaction sets them instead.
LIMITS = {
    "timezone": "UTC",
    "lock_timeout": "5s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "1min",
}

# libpq's parameters for a server on another machine. One that loses its power or its network closes no connection:
# without these a request would wait for its answer, and the pool would lend the connection, for a quarter of an hour.
# A server that works on a long statement, or waits for a lock, answers them all the while.
REACHABILITY = {
    "connect_timeout": 5,  # seconds, for each host
    "keepalives_idle": 5,  # seconds of silence before the first probe
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds that what was sent may stay unacknowledged
}


def refuse_closed_connections(engine: Engine) -> None:
    """Check connections for a close by the server when the pool hands them out, without a round trip.

    An idle connection has no data to read. If it has some, the server closed it: it was restarted, or a proxy
    closed the connection. The pool then opens a new one.
    """

    @event.listens_for(engine, "checkout")
    def look(connection: Any, _record: object, _proxy: object) -> None:
        line = select.poll()
        line.register(connection.fileno(), select.POLLIN)
        if line.poll(0):
            raise DisconnectionError


def limit_each_transaction(engine: Engine) -> None:
    """Set LIMITS at the start of each transaction, for engines that connect to a pooler.

    A pooler assigns a server connection per transaction. Session settings (SET, or options of the connection)
    would be missing in the next transaction and leak into other clients' transactions. This costs a round trip.
    """
    engine.update_execution_options(**{SETS_LIMITS: True})
    settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in LIMITS.items())

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT {settings}")

"""PostgreSQL that dies, ends connections, or lets everybody wait."""

import signal
from collections.abc import Callable

from tests.faults.harness.storm import Fault, Storm


def _end_server(number: signal.Signals) -> Callable[[Storm], None]:
    def strike(storm: Storm) -> None:
        storm.stack.postmaster.send_signal(number)
        storm.wait_for_trouble()
        storm.stack.start_postgres()

    return strike


POSTMASTER = Fault(
    "postmaster",
    "`kill -9` of PostgreSQL's postmaster, which is started again",
    _end_server(signal.SIGKILL),
    times=5,
)
IMMEDIATE = Fault(
    "immediate",
    "PostgreSQL stopped as by a power cut (`pg_ctl -m immediate`), and started again",
    _end_server(signal.SIGQUIT),
    times=5,
)
FAULTS = (POSTMASTER, IMMEDIATE)


# The server answers before what it answered is on the disk, and does not write it for a while.
_LAZY = {
    "synchronous_commit": "off",
    "wal_writer_delay": "10s",
    "wal_writer_flush_after": "1GB",
}


def _acknowledge_before_it_is_kept(storm: Storm) -> None:
    with storm.stack.database() as database:
        for setting, value in _LAZY.items():
            database.execute(f"ALTER SYSTEM SET {setting} = '{value}'")
        database.execute("SELECT pg_reload_conf()")
    storm.wait_for_deeds(3)
    _end_server(signal.SIGQUIT)(storm)
    with storm.stack.database() as database:
        database.execute("ALTER SYSTEM RESET ALL")
        database.execute("SELECT pg_reload_conf()")


# No row of the table: what the harness has to find.
NOT_DURABLE = Fault(
    "not-durable",
    "PostgreSQL acknowledges what it has not kept, and is stopped as by a power cut",
    _acknowledge_before_it_is_kept,
)

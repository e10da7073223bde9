"""Locks that others hold, statements that take too long, and deadlocks."""

import time

import psycopg

from tests.faults.harness.storm import Fault, Storm

_SLOW = """
    CREATE FUNCTION slow_down() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(16); RETURN NEW; END $$;
    CREATE TRIGGER slow_down BEFORE INSERT ON reservation FOR EACH ROW EXECUTE FUNCTION slow_down();
"""
_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
_WAIT_FOR_ME = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"


def _hold_the_houses(storm: Storm) -> None:
    with storm.stack.database() as database, database.transaction():
        database.execute(
            "SELECT FROM performance WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
            [storm.performances],
        )
        storm.wait_for_trouble(6, 503)


def _slow_down_bookings(storm: Storm) -> None:
    with storm.stack.database() as database:
        database.execute(_SLOW)
        storm.wait_for_trouble(4, 503)
        database.execute("DROP FUNCTION slow_down CASCADE")


def _lock_in_the_wrong_order(storm: Storm) -> None:
    with storm.stack.database() as watching:
        before = watching.execute(_DEADLOCKS).fetchone()

        def is_deadlocked() -> bool:
            _cross_a_cancellation(storm)
            return watching.execute(_DEADLOCKS).fetchone() != before

        storm.wait_until(is_deadlocked, "a deadlock")


def _cross_a_cancellation(storm: Storm) -> None:
    """Lock the parties first and then their house, which is what no function of the site does."""
    full, _ = storm.performances
    with storm.stack.database() as database, storm.stack.database() as watching:
        # The site's transaction is the one that finds the deadlock, and ends.
        database.execute("SET deadlock_timeout = '20s'; SET lock_timeout = '4s'")
        me = database.info.backend_pid
        try:
            with database.transaction():
                parties = "SELECT FROM reservation WHERE performance_id = %s ORDER BY id FOR UPDATE"
                database.execute(parties, [full])
                until = time.monotonic() + 2
                while time.monotonic() < until and watching.execute(
                    _WAIT_FOR_ME, [me]
                ).fetchone() == (0,):
                    time.sleep(0.02)
                database.execute("SELECT FROM performance WHERE id = %s FOR UPDATE", [full])
        except psycopg.OperationalError:
            return


FAULTS = (
    Fault(
        "lock", "somebody holds both performances until requests have waited for five seconds (`lock_timeout`)",
        _hold_the_houses, times=2, lasts=True,
    ),
    Fault(
        "statement", "each booking's INSERT takes longer than 15 seconds (`statement_timeout`)",
        _slow_down_bookings, lasts=True,
    ),
    Fault(
        "deadlock", "somebody locks parties and then their performance, so that PostgreSQL ends a cancellation"
        " as deadlocked", _lock_in_the_wrong_order, times=3,
    ),
)  # fmt: skip

"""The smallest booking that PostgreSQL can do: one statement that takes a seat and inserts a row, by pgbench."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import psycopg

from bare_machine.postgres_programs import programs

CLIENTS = 8  # as many as the site's processes have threads
_TABLES = """
    CREATE TABLE floor_performance (id integer PRIMARY KEY, free integer NOT NULL);
    CREATE TABLE floor_booking (id bigserial PRIMARY KEY, performance_id integer NOT NULL, made_at timestamptz);
    INSERT INTO floor_performance SELECT n, 1000000000 FROM generate_series(1, 100) n;
"""
_BOOKING = r"""\set performance random(1, :performances)
    WITH seat AS (
        UPDATE floor_performance SET free = free - 1 WHERE id = :performance AND free > 0 RETURNING id
    ) INSERT INTO floor_booking (performance_id, made_at) SELECT id, now() FROM seat;
"""


@dataclass(frozen=True)
class Floor:
    """The medians of some runs: transactions a second, and milliseconds."""

    performances: int
    rate: float
    p50: float
    p95: float
    p99: float
    spread: float


def measure(database_url: str, seconds: int, runs: int) -> list[Floor]:
    """Measure bookings of one performance, and of 100, in turns. The tables are dropped at the end."""
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute(_TABLES)
        try:
            turns = [
                (_run(database_url, seconds, 1), _run(database_url, seconds, 100))
                for _ in range(runs)
            ]
        finally:
            database.execute("DROP TABLE floor_performance, floor_booking")
    return [
        _floor(many, list(of)) for many, of in zip((1, 100), zip(*turns, strict=True), strict=True)
    ]


def _run(database_url: str, seconds: int, performances: int) -> tuple[float, list[float]]:
    """Transactions a second, and the milliseconds of each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "booking.sql").write_text(_BOOKING, encoding="utf-8")
        options = ["-n", "-l", "-M", "prepared", "-c", str(CLIENTS), "-T", str(seconds)]
        options += ["-D", f"performances={performances}", "-f", str(folder / "booking.sql")]
        command = [str(programs() / "pgbench"), *options, database_url]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        rate = re.search(r"^tps = ([\d.]+)", done.stdout, re.M)
        assert rate
        lines = next(folder.glob("pgbench_log.*")).read_text(encoding="ascii").splitlines()
        # client, transaction, microseconds, and so on (pgbench's manual, per-transaction logging)
        return float(rate[1]), [int(line.split()[2]) / 1000 for line in lines]


def _floor(performances: int, runs: list[tuple[float, list[float]]]) -> Floor:
    rates = [rate for rate, _ in runs]
    parts = [quantiles(times, n=100) for _, times in runs]
    p50, p95, p99 = (median(part[at - 1] for part in parts) for at in (50, 95, 99))
    spread = (max(rates) - min(rates)) / median(rates)
    return Floor(performances, median(rates), p50, p95, p99, spread)

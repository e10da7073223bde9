"""What /metrics tells Prometheus: this host's counts, and what the database says at that moment.

gunicorn's processes keep their counts in files of one folder (PROMETHEUS_MULTIPROC_DIR, which
gunicorn.conf.py makes), so that whichever of them is asked tells them all. What is counted as it happens is
counted where it happens: bookings/metrics.py, checkin/metrics.py, ops/monitoring/requests.py.
"""

import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from azionelab import __version__
from azionelab.database import db
from azionelab.database.errors import cause
from azionelab.ops.checks.schema import SchemaState, schema_state
from azionelab.ops.monitoring.condition import PATIENCE, read_condition

logger = logging.getLogger(__name__)

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_MOST_PERFORMANCES = 200  # series of the nearest ones: a season planned for years must not flood

# An evening stays until it is over: its door is watched as well.
_PERFORMANCES = text("""
    SELECT performance.id, show.slug, performance.starts_at, performance.capacity,
        performance.seats_held, unconfirmed.held, unconfirmed.without_hold
    FROM performance JOIN show ON show.id = performance.show_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(seats) FILTER (WHERE holds_seats), 0) AS held,
            coalesce(sum(seats) FILTER (WHERE NOT holds_seats), 0) AS without_hold
        FROM reservation
        WHERE performance_id = performance.id AND state = 'pending' AND hold_expires_at > now()
    ) AS unconfirmed
    WHERE performance.starts_at > now() - interval '4 hours' AND performance.cancelled_at IS NULL
    ORDER BY performance.starts_at, performance.id LIMIT :most
""")
_JOBS = text("""
    SELECT task_name, status::text AS status, count(*) AS jobs FROM procrastinate_jobs
    WHERE status IN ('todo', 'doing', 'failed') GROUP BY task_name, status
""")

Families = Iterator[GaugeMetricFamily]


def expose(app: Flask) -> bytes:
    """All metrics, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Database(app))
    folder = os.environ.get(_FOLDER)
    if not folder:
        return generate_latest(registry) + generate_latest(REGISTRY)
    with _alone_in(Path(folder)):
        MultiProcessCollector(registry, folder)
        return generate_latest(registry)


def keep_counts_of_dead(pid: int) -> None:
    """Add what an ended process counted to the counts of all that ended before, and drop its files.

    Counts must not fall, and each restart of a process must not leave files behind for good.
    """
    folder = Path(os.environ[_FOLDER])
    with _alone_in(folder):
        for left in folder.glob(f"*_{pid}.db"):
            dead = MmapedDict(str(left))
            # No process has the number 0.
            kept = MmapedDict(str(left.with_name(f"{left.name.partition('_')[0]}_0.db")))
            for key, value, _ in dead.read_all_values():
                kept.write_value(key, kept.read_value(key)[0] + value, 0.0)
            dead.close()
            kept.close()
            left.unlink()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Nobody adds counts up while another moves them: they would be there twice, or not at all."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class _Database(Collector):
    """What the database knows, asked when Prometheus asks: in five statements and no transaction."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def collect(self) -> Families:
        """The gauges; without the database only that it is away."""
        config = self._app.config["AZIONELAB"]
        yield _gauge(
            "build_info", "What runs here.", {"version": __version__, "commit": config.git_commit}
        )
        found: list[GaugeMetricFamily] = []
        reached = False
        try:
            with self._app.app_context(), db.engine.connect() as connection:
                connection.execute(PATIENCE)
                # A newer database, as after a rollback, is served.
                current = schema_state(connection) is not SchemaState.PENDING
                reached = True
                found.append(
                    _gauge("schema_current", "Whether the database has our migrations.", current)
                )
                if current:
                    found += _all(connection, _condition, _performances, _jobs)
        except SQLAlchemyError as error:
            logger.warning("metrics: the database is away (%s)", cause(error))
            reached, found = False, []
        yield _gauge("database_up", "Whether the database answers.", reached)
        yield from found


def _all(
    connection: Connection, *parts: Callable[[Connection], Families]
) -> list[GaugeMetricFamily]:
    return [family for part in parts for family in part(connection)]


def _condition(connection: Connection) -> Families:
    condition = read_condition(connection)
    if condition.worker_seen_at:
        yield _gauge(
            "worker_last_seen_timestamp_seconds",
            "When a worker last gave a sign of life.",
            condition.worker_seen_at.timestamp(),
        )
    yield _gauge("mail_queued", "Mails that wait to be sent.", condition.mails_waiting)
    yield _gauge(
        "mail_oldest_queued_age_seconds",
        "How long the mail that waits longest has waited; 0 when none does.",
        condition.seconds_since(condition.mail_waits_since) or 0,
    )
    yield _gauge("mail_failed", "Mails that were given up.", condition.mails_failed)
    yield _gauge(
        "mail_refused_recipients",
        "Different people whom the mail server refused since it last took a mail.",
        condition.mails_refused.everybody,
    )
    yield _gauge(
        "mail_provider_refuses",
        "Whether so many were refused in a row that it is the mail provider's doing.",
        condition.mails_refused.by_provider,
    )
    succeeded = _family(
        "backup_last_success_timestamp_seconds", "When a task last went well.", "task"
    )
    well = _family("backup_last_run_well", "Whether a task's last run went well.", "task")
    size = _family("backup_size_bytes", "What a task's last good run wrote.", "task")
    for task, backup in condition.backups.items():
        if backup.succeeded_at:
            succeeded.add_metric([task], backup.succeeded_at.timestamp())
        well.add_metric([task], backup.last_was_well)
        size.add_metric([task], backup.size)
    yield from (succeeded, well, size)


def _performances(connection: Connection) -> Families:
    which = ("performance", "show", "starts")
    held = _family("performance_seats_held", "Seats held, of a performance to come.", *which)
    capacity = _family("performance_seats_capacity", "Seats of a performance to come.", *which)
    unconfirmed = _family(
        "performance_seats_unconfirmed",
        "Seats booked and not confirmed, of a performance to come; hold says whether they are held.",
        *which,
        "hold",
    )
    for row in connection.execute(_PERFORMANCES, {"most": _MOST_PERFORMANCES}):
        labels = [str(row.id), row.slug, f"{row.starts_at:%Y-%m-%dT%H:%MZ}"]
        held.add_metric(labels, row.seats_held)
        capacity.add_metric(labels, row.capacity)
        unconfirmed.add_metric([*labels, "yes"], row.held)
        unconfirmed.add_metric([*labels, "no"], row.without_hold)
    yield from (held, capacity, unconfirmed)


def _jobs(connection: Connection) -> Families:
    jobs = _family(
        "jobs", "Jobs that wait, run or failed (those of a week), by task.", "task", "status"
    )
    for row in connection.execute(_JOBS):
        jobs.add_metric([row.task_name, row.status], row.jobs)
    yield jobs


def _family(name: str, told: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"azionelab_{name}", told, labels=labels)


def _gauge(name: str, told: str, value: Any) -> GaugeMetricFamily:
    if not isinstance(value, dict):
        return GaugeMetricFamily(f"azionelab_{name}", told, value=float(value))
    family = _family(name, told, *value)
    family.add_metric(list(value.values()), 1)
    return family

"""/metrics for Prometheus: this host's counters, and gauges read from the database at each scrape.

gunicorn's processes keep their counters in files of one folder (PROMETHEUS_MULTIPROC_DIR, set by
gunicorn.conf.py), so any of them can answer for all. Counters are defined beside the code that increments
them: bookings/metrics.py, checkin/metrics.py, ops/monitoring/request_metrics.py.
"""

import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, not_, select, text, true
from sqlalchemy.exc import SQLAlchemyError

from azionelab import __version__
from azionelab.bookings.models import Reservation, unconfirmed
from azionelab.database import db
from azionelab.database.errors import describe_cause
from azionelab.ops.checks.schema import SchemaState, schema_state
from azionelab.ops.monitoring.service_status import STATEMENT_TIMEOUT, read_service_status
from azionelab.queue.models import Line
from azionelab.shows.models import Performance, Show
from azionelab.waitlist.line import IN_LINE

logger = logging.getLogger(__name__)

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_MAX_PERFORMANCES = 200  # the next ones; limits the number of series

# A performance stays until it is over: its door is monitored too.
_OVER_AFTER = timedelta(hours=4)
_SEATS = func.sum(Reservation.seats)
_UNCONFIRMED = (
    select(
        func.coalesce(_SEATS.filter(Reservation.holds_seats), 0).label("held"),
        func.coalesce(_SEATS.filter(not_(Reservation.holds_seats)), 0).label("without_hold"),
    )
    .where(Reservation.performance_id == Performance.id, unconfirmed(func.now()))
    .lateral("unconfirmed")
)
_IN_LINE = (
    select(func.count().label("parties"), func.coalesce(_SEATS, 0).label("seats"))
    .where(Reservation.performance_id == Performance.id, IN_LINE)
    .lateral("in_line")
)
_PERFORMANCES = (
    select(
        Performance.id,
        Show.slug,
        Performance.starts_at,
        Performance.capacity,
        Performance.seats_held,
        _UNCONFIRMED.c.held,
        _UNCONFIRMED.c.without_hold,
        _IN_LINE.c.parties,
        _IN_LINE.c.seats,
    )
    .join(Performance.show)
    .join(_UNCONFIRMED, true())
    .join(_IN_LINE, true())
    .where(Performance.starts_at > func.now() - _OVER_AFTER, Performance.cancelled_at.is_(None))
    .order_by(Performance.starts_at, Performance.id)
    .limit(_MAX_PERFORMANCES)
)
_LINES = select(Line.show_id, Line.joined, Line.let_in).where(Line.ended_at.is_(None))
_JOBS = text("""
    SELECT task_name, status::text AS status, count(*) AS jobs FROM procrastinate_jobs
    WHERE status IN ('todo', 'doing', 'failed') GROUP BY task_name, status
""")

Families = Iterator[GaugeMetricFamily]


def render_metrics(app: Flask) -> bytes:
    """All metrics, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_DatabaseCollector(app))
    folder = os.environ.get(_FOLDER)
    if not folder:
        return generate_latest(registry) + generate_latest(REGISTRY)
    with _locked(Path(folder)):
        MultiProcessCollector(registry, folder)
        return generate_latest(registry)


def merge_ended_process(pid: int) -> None:
    """Add an ended process's counters to those of all ended processes, and delete its files.

    Counters must never fall, and restarts must not pile up files.
    """
    folder = Path(os.environ[_FOLDER])
    with _locked(folder):
        for path in folder.glob(f"*_{pid}.db"):
            ended = MmapedDict(str(path))
            # No process has the PID 0.
            kept = MmapedDict(str(path.with_name(f"{path.name.partition('_')[0]}_0.db")))
            for key, value, _ in ended.read_all_values():
                kept.write_value(key, kept.read_value(key)[0] + value, 0.0)
            ended.close()
            kept.close()
            path.unlink()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock the folder: a sum during a merge would count values twice or not at all."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class _DatabaseCollector(Collector):
    """Gauges from the database, read at each scrape in six statements."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def collect(self) -> Families:
        """The gauges; without a database only build_info and database_up."""
        config = self._app.config["AZIONELAB"]
        yield _gauge(
            "build_info", "What runs here.", {"version": __version__, "commit": config.git_commit}
        )
        found: list[GaugeMetricFamily] = []
        reached = False
        try:
            with self._app.app_context(), db.engine.connect() as connection:
                connection.execute(STATEMENT_TIMEOUT)
                # A newer schema, as after a rollback, counts as current.
                current = schema_state(connection) is not SchemaState.PENDING
                reached = True
                found.append(
                    _gauge("schema_current", "Whether the database has our migrations.", current)
                )
                if current:
                    found += _collect(
                        connection, _status_gauges, _performance_gauges, _line_gauges, _job_gauges
                    )
        except SQLAlchemyError as error:
            logger.warning("metrics: the database is away (%s)", describe_cause(error))
            reached, found = False, []
        yield _gauge("database_up", "Whether the database answers.", reached)
        yield from found


def _collect(
    connection: Connection, *parts: Callable[[Connection], Families]
) -> list[GaugeMetricFamily]:
    return [family for part in parts for family in part(connection)]


def _status_gauges(connection: Connection) -> Families:
    service_status = read_service_status(connection)
    if service_status.worker_seen_at:
        yield _gauge(
            "worker_last_seen_timestamp_seconds",
            "When a worker last gave a sign of life.",
            service_status.worker_seen_at.timestamp(),
        )
    yield _gauge("mail_queued", "Mails that wait to be sent.", service_status.mails_waiting)
    yield _gauge(
        "mail_oldest_queued_age_seconds",
        "How long the mail that waits longest has waited; 0 when none does.",
        service_status.seconds_since(service_status.mail_waits_since) or 0,
    )
    yield _gauge("mail_failed", "Mails that were given up.", service_status.mails_failed)
    yield _gauge(
        "mail_refused_recipients",
        "Different people whom the mail server refused since it last took a mail.",
        service_status.mails_refused.everybody,
    )
    yield _gauge(
        "mail_provider_refuses",
        "Whether so many were refused in a row that it is the mail provider's doing.",
        service_status.mails_refused.by_provider,
    )
    succeeded = _family(
        "backup_last_success_timestamp_seconds", "When a task last went well.", "task"
    )
    well = _family("backup_last_run_well", "Whether a task's last run went well.", "task")
    size = _family("backup_size_bytes", "What a task's last good run wrote.", "task")
    for task, backup in service_status.backups.items():
        if backup.succeeded_at:
            succeeded.add_metric([task], backup.succeeded_at.timestamp())
        well.add_metric([task], backup.last_was_well)
        size.add_metric([task], backup.size)
    yield from (succeeded, well, size)


def _performance_gauges(connection: Connection) -> Families:
    label_names = ("performance", "show", "starts")
    held = _family("performance_seats_held", "Seats held, of a performance to come.", *label_names)
    capacity = _family(
        "performance_seats_capacity", "Seats of a performance to come.", *label_names
    )
    unconfirmed = _family(
        "performance_seats_unconfirmed",
        "Seats booked and not confirmed, of a performance to come; hold says whether they are held.",
        *label_names,
        "hold",
    )
    parties = _family(
        "performance_waiting_parties",
        "Parties on the waitlist, of a performance to come.",
        *label_names,
    )
    waiting = _family(
        "performance_waiting_seats", "Seats that these parties wait for.", *label_names
    )
    for row in connection.execute(_PERFORMANCES):
        labels = [str(row.id), row.slug, f"{row.starts_at:%Y-%m-%dT%H:%MZ}"]
        held.add_metric(labels, row.seats_held)
        capacity.add_metric(labels, row.capacity)
        unconfirmed.add_metric([*labels, "yes"], row.held)
        unconfirmed.add_metric([*labels, "no"], row.without_hold)
        parties.add_metric(labels, row.parties)
        waiting.add_metric(labels, row.seats)
    yield from (held, capacity, unconfirmed, parties, waiting)


def _line_gauges(connection: Connection) -> Families:
    waiting = _family("queue_waiting", "People in a line before the booking form.", "show")
    let_in = _family("queue_let_in", "People whom that line has let in.", "show")
    for row in connection.execute(_LINES):
        labels = [str(row.show_id or "")]
        waiting.add_metric(labels, row.joined - row.let_in)
        let_in.add_metric(labels, row.let_in)
    yield from (waiting, let_in)


def _job_gauges(connection: Connection) -> Families:
    jobs = _family(
        "jobs", "Jobs that wait, run or failed (those of a week), by task.", "task", "status"
    )
    for row in connection.execute(_JOBS):
        jobs.add_metric([row.task_name, row.status], row.jobs)
    yield jobs


def _family(name: str, help_text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"azionelab_{name}", help_text, labels=labels)


def _gauge(name: str, help_text: str, value: Any) -> GaugeMetricFamily:
    if not isinstance(value, dict):
        return GaugeMetricFamily(f"azionelab_{name}", help_text, value=float(value))
    family = _family(name, help_text, *value)
    family.add_metric(list(value.values()), 1)
    return family

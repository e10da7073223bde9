"""Reads what the status is judged by. A part that cannot be read is None, and the others are read all the same."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from flask import current_app
from sqlalchemy import Connection, Row, or_, select, text
from sqlalchemy.exc import SQLAlchemyError

from azionelab.database import db, now
from azionelab.database.errors import describe_cause
from azionelab.mail.outbox import SEND_JOB
from azionelab.ops.checks.schema import SchemaState, schema_state
from azionelab.ops.checks.secret_keys import KeyState, key_state
from azionelab.ops.monitoring.service_status import (
    STATEMENT_TIMEOUT,
    ServiceStatus,
    find_disk_problem,
    read_service_status,
)
from azionelab.ops.status.reports import Part, Report, read_reports
from azionelab.queue.models import Line as QueueLine
from azionelab.shows.models import Performance, Show

T = TypeVar("T")

_DISK_PROBE = 256  # kilobytes, as /api/health writes
_SALES_WITHIN = timedelta(days=2)
_SALES = 5
# As `flask doctor` counts them: failed mails are told apart, and a later run of the same task makes one good.
_FAILED_JOBS = text("""
    SELECT job.task_name AS task, count(*) AS number FROM procrastinate_jobs AS job
    WHERE job.status = 'failed' AND job.task_name <> :send_job AND NOT EXISTS (
        SELECT FROM procrastinate_jobs AS later
        WHERE later.task_name = job.task_name AND later.status = 'succeeded' AND later.id > job.id
    )
    GROUP BY job.task_name ORDER BY job.task_name
""").bindparams(send_job=SEND_JOB)


@dataclass(frozen=True)
class DiskSpace:
    """A file system's bytes."""

    free: int
    total: int

    @property
    def free_percent(self) -> float:
        """The free part."""
        return 100 * self.free / max(self.total, 1)


@dataclass(frozen=True)
class Sale:
    """A sale that opens soon: the show, when, the evening, its places, and whether a queue is open by then."""

    performance_id: int
    title: str
    opens_at: datetime
    starts_at: datetime
    capacity: int
    has_queue: bool


@dataclass(frozen=True)
class Facts:
    """What is known at a moment; None is what could not be read. `disk_problem` is "" where PostgreSQL can write."""

    at: datetime
    schema: SchemaState | None
    service: ServiceStatus | None
    disk_problem: str | None
    key: KeyState | None
    failed_jobs: Sequence[Row[str, int]] | None
    sales: Sequence[Sale] | None
    media: DiskSpace | None
    reports: Mapping[str, Report] | None

    def report(self, part: Part, within: timedelta) -> Report | None:
        """A part's report that is not older than `within`; None without one."""
        found = (self.reports or {}).get(part)
        return found if found and self.at - found.reported_at <= within else None


def read_facts() -> Facts:
    """Read them all: a database that is slow or broken costs those parts, and two seconds each."""
    config = current_app.config["AZIONELAB"]
    with _Reader() as reader:
        schema = reader.read(schema_state)
        service = (
            None if schema in (None, SchemaState.PENDING) else reader.read(read_service_status)
        )
        return Facts(
            at=now(),
            schema=schema,
            service=service,
            key=reader.read(lambda found: key_state(found, config)),
            failed_jobs=reader.read(lambda found: found.execute(_FAILED_JOBS).all()),
            sales=reader.read(_coming_sales),
            media=_space(str(config.media_dir)),
            reports=reader.read(read_reports),
            # Last: a full disk ends the transaction.
            disk_problem=reader.read(lambda found: find_disk_problem(found, _DISK_PROBE) or ""),
        )


class _Reader:
    """One read transaction for all parts; a part that fails ends it, and the next one begins another."""

    def __enter__(self) -> "_Reader":
        self._connection: Connection | None = None
        self._is_away = False
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def read(self, part: Callable[[Connection], T]) -> T | None:
        """What `part` reads; None when the database does not answer it in time."""
        if self._is_away:
            return None
        try:
            if self._connection is None:
                self._connection = db.engine.connect()
                self._connection.execute(STATEMENT_TIMEOUT)
            return part(self._connection)
        except SQLAlchemyError as error:
            current_app.logger.warning("status: a part is not known (%s)", describe_cause(error))
            # Without a connection every other part would wait for its time-out too.
            self._is_away = self._connection is None
            self._close()
            return None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _coming_sales(connection: Connection) -> Sequence[Sale]:
    """The sales that open soon."""
    has_queue = (
        select(QueueLine.id)
        .where(
            QueueLine.ended_at.is_(None),
            QueueLine.opens_at <= Performance.booking_opens_at,
            or_(QueueLine.show_id.is_(None), QueueLine.show_id == Performance.show_id),
        )
        .exists()
    )
    rows = connection.execute(
        select(
            Performance.id,
            Show.title,
            Performance.booking_opens_at,
            Performance.starts_at,
            Performance.capacity,
            has_queue,
        )
        .join(Performance.show)
        .where(
            Performance.booking_opens_at.between(now(), now() + _SALES_WITHIN),
            Performance.cancelled_at.is_(None),
            Show.published,
        )
        .order_by(Performance.booking_opens_at, Performance.starts_at)
        .limit(_SALES)
    )
    return [Sale(*row) for row in rows]


def _space(folder: str) -> DiskSpace | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return DiskSpace(usage.free, usage.total)

"""Status of the worker, the mails, the backups and the disk, for /api/health and /metrics."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from azionelab.database.errors import describe_cause, is_out_of_room
from azionelab.mail.refusals import REFUSED, Refusals
from azionelab.ops.monitoring.backups import Task
from azionelab.ops.status import limits

# Monitoring reports a database that does not answer in this time as down.
STATEMENT_TIMEOUT = text("SET LOCAL statement_timeout = '2s'")

# PostgreSQL spills an intermediate result that exceeds work_mem into a temporary file on its data disk.
# That tests the disk from a read-only transaction, without changing a row.
_SMALL_WORK_MEM = text("SET LOCAL work_mem = '64kB'")
_SPILL_TO_DISK = text("""
    SELECT (
        WITH kilobytes AS MATERIALIZED (
            SELECT repeat(md5(n::text), 32) FROM generate_series(1, :kilobytes) AS n
        )
        SELECT count(*) FROM kilobytes
    )
""")

# A mail waits since it was created or since staff resent it. The job's "deferred" event has the time.
_STATUS = text(f"""
    SELECT
        now() AS at,
        (SELECT max(last_heartbeat) FROM procrastinate_workers) AS worker_seen_at,
        waiting.mails AS mails_waiting,
        waiting.since AS mail_waits_since,
        (SELECT count(*) FROM mail JOIN reservation ON reservation.id = mail.reservation_id
            WHERE mail.delivery = 'failed' AND reservation.email <> '') AS mails_failed,
        refused.doubtful,
        refused.everybody
    FROM (
        SELECT count(*) AS mails, min(coalesce(sending.since, mail.created_at)) AS since
        FROM mail LEFT JOIN (
            SELECT job.args ->> 'mail_id' AS mail_id, max(event.at) AS since
            FROM procrastinate_jobs AS job
            JOIN procrastinate_events AS event
                ON event.job_id = job.id AND event.type = 'deferred'
            WHERE job.task_name = 'mail.send' AND job.status IN ('todo', 'doing')
            GROUP BY 1
        ) AS sending ON sending.mail_id = mail.id::text
        WHERE mail.delivery = 'queued'
    ) AS waiting CROSS JOIN ({REFUSED}) AS refused
""")  # noqa: S608 (a constant)
_BACKUPS = text("""
    SELECT
        task,
        max(ended_at) FILTER (WHERE well) AS succeeded_at,
        (array_agg(well ORDER BY ended_at DESC, id DESC))[1] AS last_was_well,
        coalesce((array_agg(size ORDER BY ended_at DESC, id DESC) FILTER (WHERE well))[1], 0) AS size,
        min(ended_at) FILTER (WHERE well) AS first_succeeded_at
    FROM backup_report GROUP BY task
""")
# The greatest age of the last success.
OVERDUE = {
    Task.BACKUP: limits.BACKUP_OLD_AFTER,
    Task.SHIP: limits.BACKUP_OLD_AFTER,
    Task.VERIFY: limits.VERIFY_OLD_AFTER,
}


@dataclass(frozen=True)
class BackupStatus:
    """One backup task. `size` is that of the last successful run, in bytes."""

    succeeded_at: datetime | None
    last_was_well: bool
    size: int
    first_succeeded_at: datetime | None = None


@dataclass(frozen=True)
class ServiceStatus:
    """The status at the time `at` of the database's clock; None where there is no value."""

    at: datetime
    worker_seen_at: datetime | None
    mails_waiting: int
    mail_waits_since: datetime | None
    mails_failed: int
    mails_refused: Refusals
    backups: dict[Task, BackupStatus]

    def seconds_since(self, moment: datetime | None) -> float | None:
        """Seconds from `moment` until `at`, at least 0."""
        return None if moment is None else max((self.at - moment).total_seconds(), 0.0)

    @property
    def worker_is_silent(self) -> bool:
        """Whether no worker has sent a heartbeat for too long, or none ever did."""
        return self._is_older(self.worker_seen_at, limits.WORKER_SILENT_AFTER)

    @property
    def mail_is_late(self) -> bool:
        """Whether a mail has waited for too long."""
        waits = self.mail_waits_since
        return waits is not None and self._is_older(waits, limits.MAIL_LATE_AFTER)

    def is_overdue(self, task: Task) -> bool:
        """Whether a backup or its trial is too old. Where none was ever reported, nobody here knows.

        A trial that was never made is due since the first backup.
        """
        status = self.backups.get(task)
        if status is None and task is Task.VERIFY and (backup := self.backups.get(Task.BACKUP)):
            first = backup.first_succeeded_at
            return first is not None and self._is_older(first, OVERDUE[task])
        return status is not None and self._is_older(status.succeeded_at, OVERDUE[task])

    def _is_older(self, moment: datetime | None, age: timedelta) -> bool:
        return moment is None or self.at - moment > age


def read_service_status(connection: Connection) -> ServiceStatus:
    """Read the status in two statements; the database's migrations must be current.

    Raises SQLAlchemyError when the database does not answer.
    """
    now = dict(connection.execute(_STATUS).one()._mapping)
    refusals = Refusals(now.pop("doubtful"), now.pop("everybody"))
    backups = {
        Task(row.task): BackupStatus(
            row.succeeded_at, row.last_was_well, row.size, row.first_succeeded_at
        )
        for row in connection.execute(_BACKUPS)
    }
    return ServiceStatus(**now, mails_refused=refusals, backups=backups)


def find_disk_problem(connection: Connection, kilobytes: int) -> str | None:
    """Why PostgreSQL cannot write `kilobytes` (64 or more) to its disk; None when it can.

    A problem aborts the transaction. Raises SQLAlchemyError when the database does not answer.
    """
    try:
        connection.execute(_SMALL_WORK_MEM)
        connection.execute(_SPILL_TO_DISK, {"kilobytes": kilobytes})
    except OperationalError as error:
        if is_out_of_room(error):
            return describe_cause(error)
        raise
    return None

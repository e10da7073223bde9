"""How the parts behind the site are: read from the database for /api/health and /metrics alike."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from azionelab.database.errors import cause, is_out_of_room
from azionelab.mail.refusals import REFUSED, Refusals
from azionelab.ops.monitoring.backups import Task

# For whoever watches: a database that does not answer in this time is told as away.
PATIENCE = text("SET LOCAL statement_timeout = '2s'")

# What is held back between two steps and does not fit into memory, PostgreSQL writes into a file beside its
# tables, and removes it: the one way to try its disk that changes no row, in a transaction that only reads.
_LITTLE_MEMORY = text("SET LOCAL work_mem = '64kB'")
_HOLD_BACK = text("""
    SELECT (
        WITH kilobytes AS MATERIALIZED (
            SELECT repeat(md5(n::text), 32) FROM generate_series(1, :kilobytes) AS n
        )
        SELECT count(*) FROM kilobytes
    )
""")

# A mail waits since it was asked for: written, or by the staff sent once more. Its job knows when.
_CONDITION = text(f"""
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
        coalesce((array_agg(size ORDER BY ended_at DESC, id DESC) FILTER (WHERE well))[1], 0) AS size
    FROM backup_report GROUP BY task
""")


@dataclass(frozen=True)
class BackupCondition:
    """What was reported of one task. `size` is of the last good run, in bytes."""

    succeeded_at: datetime | None
    last_was_well: bool
    size: int


@dataclass(frozen=True)
class Condition:
    """How things are at a moment of the database's clock; None where there is nothing to tell."""

    at: datetime
    worker_seen_at: datetime | None
    mails_waiting: int
    mail_waits_since: datetime | None
    mails_failed: int
    mails_refused: Refusals
    backups: dict[Task, BackupCondition]

    def seconds_since(self, moment: datetime | None) -> float | None:
        """How long ago that was; never below 0."""
        return None if moment is None else max((self.at - moment).total_seconds(), 0.0)


def read_condition(connection: Connection) -> Condition:
    """Read it, in two statements, from a database whose migrations are current.

    Raises SQLAlchemyError when the database does not answer.
    """
    now = dict(connection.execute(_CONDITION).one()._mapping)
    refusals = Refusals(now.pop("doubtful"), now.pop("everybody"))
    backups = {
        Task(row.task): BackupCondition(row.succeeded_at, row.last_was_well, row.size)
        for row in connection.execute(_BACKUPS)
    }
    return Condition(**now, mails_refused=refusals, backups=backups)


def refusal_to_write(connection: Connection, kilobytes: int) -> str | None:
    """Why PostgreSQL could not write so much (64 KB or more) to its disk; None when it could.

    What was refused has ended the transaction. Raises SQLAlchemyError when the database does not answer.
    """
    try:
        connection.execute(_LITTLE_MEMORY)
        connection.execute(_HOLD_BACK, {"kilobytes": kilobytes})
    except OperationalError as error:
        if is_out_of_room(error):
            return cause(error)
        raise
    return None

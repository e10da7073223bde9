"""`flask doctor`: checks that the data is consistent. Read-only.

FAIL means that an invariant is broken; warn asks a person to look. Rows are named by id or reference, never
by a person's name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import Connection, text

from azionelab.bookings.erasure import retention, unconfirmed_retention
from azionelab.database import db
from azionelab.mail.delivery import find_orphans
from azionelab.mail.outbox import SEND_JOB
from azionelab.mail.refusals import read_refusals
from azionelab.ops.checks import roles
from azionelab.ops.checks.secret_keys import find_key_problem
from azionelab.ops.monitoring.service_status import find_disk_problem

_SHOWN = 10  # rows that are listed; beyond that only their count
_DISK_PROBE = 32 * 1024  # kilobytes: two WAL segments, without which PostgreSQL stops


@dataclass(frozen=True)
class Result:
    """One check: the claim, and the rows that violate it."""

    claim: str
    fatal: bool
    rows: list[str]

    @property
    def failed(self) -> bool:
        """Whether this is an error rather than a warning."""
        return self.fatal and bool(self.rows)

    def __str__(self) -> str:
        verdict = ("FAIL" if self.fatal else "warn") if self.rows else "ok"
        line = f"{verdict:<4}  {len(self.rows):>5}  {self.claim}"
        if self.rows:
            more = ", ..." if len(self.rows) > _SHOWN else ""
            line += f": {', '.join(self.rows[:_SHOWN])}{more}"
        return line


@dataclass(frozen=True)
class _Check:
    claim: str
    find: Callable[[Connection], list[str]]
    fatal: bool = True


def run_checks() -> list[Result]:
    """Run all checks; raises SQLAlchemyError when the database does not answer."""
    with db.engine.connect() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        results = [Result(c.claim, c.fatal, c.find(connection)) for c in _CHECKS]
        owning = [roles.current_role(connection)] if roles.owns_tables(connection) else []
        disk_problem = find_disk_problem(connection, _DISK_PROBE)
    orphans = [str(mail) for mail in find_orphans(timedelta(0))]
    return [
        *results,
        Result("no mail waits without a job that sends it", fatal=True, rows=orphans),
        Result(
            "the application does not own its tables (docs/deployment.md, The database's roles)",
            fatal=False,
            rows=owning,
        ),
        Result(
            "the database's disk has room", fatal=True, rows=[disk_problem] if disk_problem else []
        ),
    ]


def _sql(query: str, **parameters: Any) -> Callable[[Connection], list[str]]:
    """Make a check that lists a query's rows, each as one string."""
    statement = text(query).bindparams(**parameters)
    return lambda connection: [str(row) for row in connection.scalars(statement)]


def _erased_too_early(connection: Connection) -> list[str]:
    """References of parties whose names were erased before the retention period ended."""
    query = text("""
        SELECT r.reference FROM reservation AS r JOIN performance AS p ON p.id = r.performance_id
        WHERE r.erased_at IS NOT NULL AND r.erasure_requested_at IS NULL
            AND least(p.starts_at, r.ended_at) > now() - make_interval(days =>
                CASE WHEN r.confirmed_at IS NULL AND r.ended_at IS NOT NULL
                    THEN :unconfirmed_days ELSE :days END)
        ORDER BY r.reference
    """)
    days, unconfirmed = retention().days, unconfirmed_retention().days
    return list(connection.scalars(query, {"days": days, "unconfirmed_days": unconfirmed}))


def _lost_secret_key(connection: Connection) -> list[str]:
    problem = find_key_problem(connection, current_app.config["AZIONELAB"])
    return [problem] if problem else []


_CHECKS = (
    _Check("SECRET_KEY or a fallback opens the links and tickets that were sent", _lost_secret_key),
    _Check(
        "each performance holds the seats of its live reservations",
        _sql("""
            SELECT p.id || ' (holds ' || p.seats_held || ', reserved ' || r.seats || ')'
            FROM performance AS p CROSS JOIN LATERAL (
                SELECT coalesce(sum(seats - released), 0) AS seats FROM reservation
                WHERE performance_id = p.id
                    AND (state = 'confirmed' OR state = 'pending' AND holds_seats)
            ) AS r
            WHERE p.seats_held <> r.seats ORDER BY p.id
        """),
    ),
    _Check(
        "each performance to come holds the wheelchair places of its live reservations",
        _sql("""
            SELECT p.id || ' (holds ' || p.wheelchair_held || ', reserved ' || r.places || ')'
            FROM performance AS p CROSS JOIN LATERAL (
                SELECT coalesce(sum(least(wheelchair_places, seats - released)), 0) AS places FROM reservation
                WHERE performance_id = p.id
                    AND (state = 'confirmed' OR state = 'pending' AND holds_seats)
            ) AS r
            WHERE p.wheelchair_held <> r.places AND p.starts_at > now() ORDER BY p.id
        """),
    ),
    _Check(
        "no performance holds more seats than its capacity",
        _sql("""
            SELECT p.id || ' (' || sum(r.seats - r.released) || ' of ' || p.capacity || ')'
            FROM performance AS p JOIN reservation AS r
                ON r.performance_id = p.id
                AND (r.state = 'confirmed' OR r.state = 'pending' AND r.holds_seats)
            GROUP BY p.id HAVING sum(r.seats - r.released) > p.capacity ORDER BY p.id
        """),
    ),
    _Check(
        "each party's people inside equal its admissions",
        _sql("""
            SELECT r.reference || ' (in ' || r.admitted || ', let in ' || a.people || ')'
            FROM reservation AS r CROSS JOIN LATERAL (
                SELECT coalesce(sum(people), 0) AS people FROM admission
                WHERE reservation_id = r.id AND undone_at IS NULL
            ) AS a
            WHERE r.admitted <> a.people ORDER BY r.reference
        """),
    ),
    _Check(
        "each reservation has a mail, each confirmed one a ticket",
        _sql("""
            SELECT r.reference FROM reservation AS r
            WHERE r.kind = 'visitor' AND NOT r.walk_in AND r.erasure_requested_at IS NULL AND (
                NOT EXISTS (SELECT FROM mail WHERE reservation_id = r.id)
                OR r.confirmed_at IS NOT NULL AND NOT EXISTS (
                    SELECT FROM mail WHERE reservation_id = r.id AND kind = 'ticket'
                )
            )
            ORDER BY r.reference
        """),
    ),
    _Check("no name was erased before RETENTION_DAYS passed", _erased_too_early),
    _Check(
        "no job is running on a worker without heartbeat",
        _sql("""
            SELECT job.id || ' (' || job.task_name || ')' FROM procrastinate_jobs AS job
            LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
            WHERE job.status = 'doing'
                AND (worker.id IS NULL OR worker.last_heartbeat < now() - interval '1 minute')
            ORDER BY job.id
        """),
    ),
    _Check(
        "no job is overdue by ten minutes",
        _sql("""
            SELECT job.id || ' (' || job.task_name || ')' FROM procrastinate_jobs AS job
            WHERE job.status = 'todo' AND now() - interval '10 minutes' > coalesce(
                job.scheduled_at,
                (SELECT max(at) FROM procrastinate_events WHERE job_id = job.id)
            )
            ORDER BY job.id
        """),
    ),
    _Check(
        # Failed mails are marked and shown to staff. A failed periodic job is fine once a later run
        # succeeded.
        "no job failed without a later success",
        _sql(
            """
            SELECT job.id || ' (' || job.task_name || ')' FROM procrastinate_jobs AS job
            WHERE job.status = 'failed' AND job.task_name <> :send_job AND NOT EXISTS (
                SELECT FROM procrastinate_jobs AS later
                WHERE later.task_name = job.task_name
                    AND later.status = 'succeeded' AND later.id > job.id
            )
            ORDER BY job.id
            """,
            send_job=SEND_JOB,
        ),
    ),
    _Check(
        "no mail was given up (staff may resend it)",
        _sql(
            """
            SELECT mail.id FROM mail JOIN reservation ON reservation.id = mail.reservation_id
            WHERE mail.delivery = 'failed' AND reservation.email <> ''
            ORDER BY mail.created_at
            """
        ),
        fatal=False,
    ),
    _Check(
        "the mail provider accepts mails (docs/runbook.md)",
        lambda connection: (
            [f"{refusals.everybody} people refused in a row"]
            if (refusals := read_refusals(connection)).by_provider
            else []
        ),
        fatal=False,
    ),
    _Check(
        "no hold that lapsed ten minutes ago is still pending",
        _sql("""
            SELECT reference FROM reservation
            WHERE state = 'pending' AND hold_expires_at < now() - interval '10 minutes'
            ORDER BY reference
        """),
        fatal=False,
    ),
)

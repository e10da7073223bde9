"""/api/health: whether this process can serve, and the status of worker, mail and backups."""

from typing import Any

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy.exc import SQLAlchemyError

from azionelab.database import db
from azionelab.database.errors import describe_cause
from azionelab.ops.checks.schema import NOT_MIGRATED, SchemaState, schema_state
from azionelab.ops.monitoring.backups import Task
from azionelab.ops.monitoring.service_status import (
    STATEMENT_TIMEOUT,
    ServiceStatus,
    find_disk_problem,
    read_service_status,
)

# The smallest probe that reaches the disk: anybody may call this, as often as they like.
_DISK_PROBE = 256  # kilobytes

health_blueprint = Blueprint("health", __name__)


@health_blueprint.get("/api/health")
def health() -> Response:
    """200 when the database is reached and has this code's migrations, or newer ones; else 503.

    `status` is "down" with 503. With 200 it is "ok", or "degraded" while visitors can still be served: the
    worker is silent, mail is late, the mail server refuses everybody (`mail.refused`), the last successful
    backup is old, or `database` is "full" (nobody can book, but programme and tickets are shown). Seconds
    are null when there is no value. `backup` is present once a backup has been reported.
    """
    report = _build_report()
    response = jsonify(report)
    response.status_code = 503 if report["status"] == "down" else 200
    return response


def _build_report() -> dict[str, Any]:
    report: dict[str, Any] = {
        "status": "down",
        "database": "unreachable",
        "migrations": "unknown",
        "worker": {"seen_seconds_ago": None},
        "mail": {"oldest_unsent_seconds": None, "failed": None, "refused": None},
    }
    try:
        with db.engine.connect() as connection:
            connection.execute(STATEMENT_TIMEOUT)
            report["database"] = "reached"
            report["migrations"] = schema_state(connection)
            if report["migrations"] is SchemaState.PENDING:
                current_app.logger.warning("health: %s", NOT_MIGRATED)
                return report
            service_status = read_service_status(connection)
            refusal = find_disk_problem(connection, _DISK_PROBE)
    except SQLAlchemyError as error:
        current_app.logger.warning("health: the database is away (%s)", describe_cause(error))
        return report | {"database": "unreachable"}
    report |= summarize(service_status)
    if refusal:
        current_app.logger.warning("health: the database's disk is full (%s)", refusal)
        report |= {"status": "degraded", "database": "full"}
    return report


def summarize(service_status: ServiceStatus) -> dict[str, Any]:
    """The report's part about worker, mail and backups, with the overall `status`."""
    worker_seen = service_status.seconds_since(service_status.worker_seen_at)
    oldest_unsent = service_status.seconds_since(service_status.mail_waits_since)
    summary: dict[str, Any] = {
        "worker": {"seen_seconds_ago": _rounded(worker_seen)},
        "mail": {
            "oldest_unsent_seconds": _rounded(oldest_unsent),
            "failed": service_status.mails_failed,
            "refused": service_status.mails_refused.by_provider,
        },
    }
    refused = service_status.mails_refused.by_provider
    if refused:
        current_app.logger.warning("health: the mail server refuses everybody")
    if backup := service_status.backups.get(Task.BACKUP):
        age = service_status.seconds_since(backup.succeeded_at)
        summary["backup"] = {"succeeded_seconds_ago": _rounded(age)}
    is_degraded = (
        service_status.worker_is_silent
        or service_status.mail_is_late
        or refused
        or service_status.is_overdue(Task.BACKUP)
    )
    return summary | {"status": "degraded" if is_degraded else "ok"}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)

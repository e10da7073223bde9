"""/api/health: whether this process can serve, and whether the parts behind it are at work."""

from typing import Any

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy.exc import SQLAlchemyError

from azionelab.database import db
from azionelab.database.errors import cause
from azionelab.ops.checks.schema import NOT_MIGRATED, SchemaState, schema_state
from azionelab.ops.monitoring.backups import Task
from azionelab.ops.monitoring.condition import PATIENCE, Condition, read_condition, refusal_to_write

WORKER_SILENT_AFTER = 60  # seconds; its heart beats every ten
MAIL_LATE_AFTER = 600  # seconds
BACKUP_OLD_AFTER = 26 * 3600  # seconds; there is one a day
# What is tried of the database's disk. As little as counts: anybody may ask, as often as they like.
_ROOM = 256  # kilobytes

health_blueprint = Blueprint("health", __name__)


@health_blueprint.get("/api/health")
def health() -> Response:
    """200 when the database is reached and has this code's migrations, or newer ones; else 503.

    `status` is "down" with 503; with 200 it is "ok", or "degraded" when the worker is silent, mail
    is late or refused to everybody (`mail.refused`), or the last good backup is old: visitors are served all the same. So it is when `database` is
    "full": nothing is booked then, but programme and tickets are shown. Seconds are null when there is
    nothing to count. `backup` is told where backups report what they did.
    """
    report = _examine()
    response = jsonify(report)
    response.status_code = 503 if report["status"] == "down" else 200
    return response


def _examine() -> dict[str, Any]:
    report: dict[str, Any] = {
        "status": "down",
        "database": "unreachable",
        "migrations": "unknown",
        "worker": {"seen_seconds_ago": None},
        "mail": {"oldest_unsent_seconds": None, "failed": None, "refused": None},
    }
    try:
        with db.engine.connect() as connection:
            connection.execute(PATIENCE)
            report["database"] = "reached"
            report["migrations"] = schema_state(connection)
            if report["migrations"] is SchemaState.PENDING:
                current_app.logger.warning("health: %s", NOT_MIGRATED)
                return report
            condition = read_condition(connection)
            refusal = refusal_to_write(connection, _ROOM)
    except SQLAlchemyError as error:
        current_app.logger.warning("health: the database is away (%s)", cause(error))
        return report | {"database": "unreachable"}
    report |= judge(condition)
    if refusal:
        current_app.logger.warning("health: the database's disk is full (%s)", refusal)
        report |= {"status": "degraded", "database": "full"}
    return report


def judge(condition: Condition) -> dict[str, Any]:
    """What the condition of the parts behind the database comes to: a part of the report."""
    worker_seen = condition.seconds_since(condition.worker_seen_at)
    oldest_unsent = condition.seconds_since(condition.mail_waits_since)
    judged: dict[str, Any] = {
        "worker": {"seen_seconds_ago": _rounded(worker_seen)},
        "mail": {
            "oldest_unsent_seconds": _rounded(oldest_unsent),
            "failed": condition.mails_failed,
            "refused": condition.mails_refused.by_provider,
        },
    }
    silent = worker_seen is None or worker_seen > WORKER_SILENT_AFTER
    late = oldest_unsent is not None and oldest_unsent > MAIL_LATE_AFTER
    refused = condition.mails_refused.by_provider
    if refused:
        current_app.logger.warning("health: the mail server refuses everybody")
    old = False
    if backup := condition.backups.get(Task.BACKUP):
        age = condition.seconds_since(backup.succeeded_at)
        judged["backup"] = {"succeeded_seconds_ago": _rounded(age)}
        old = age is None or age > BACKUP_OLD_AFTER
    return judged | {"status": "degraded" if silent or late or refused or old else "ok"}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)

"""/api/health: whether this process can serve, and whether the parts behind it are at work."""

from typing import Any

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from azionelab.extensions import db
from azionelab.ops.schema import migrations_are_current

WORKER_SILENT_AFTER = 60  # seconds; its heart beats every ten
MAIL_LATE_AFTER = 600  # seconds

health_blueprint = Blueprint("health", __name__)

_PATIENCE = text("SET LOCAL statement_timeout = '2s'")
_BEHIND = text("""
    SELECT
        (SELECT extract(epoch FROM now() - max(last_heartbeat))::float8
            FROM procrastinate_workers) AS worker_seen,
        (SELECT extract(epoch FROM now() - min(created_at))::float8
            FROM mail WHERE delivery = 'queued') AS oldest_unsent,
        (SELECT count(*) FROM mail WHERE delivery = 'failed') AS failed
""")


@health_blueprint.get("/api/health")
def health() -> Response:
    """200 when the database is reached and its migrations are current, else 503.

    `status` is "down" with 503; with 200 it is "ok", or "degraded" when the worker is silent or
    mail is late: visitors are served all the same. Seconds are null when there is nothing to count.
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
        "mail": {"oldest_unsent_seconds": None, "failed": None},
    }
    try:
        with db.engine.connect() as connection:
            connection.execute(_PATIENCE)
            report["database"] = "reached"
            if not migrations_are_current(connection):
                report["migrations"] = "pending"
                return report
            report["migrations"] = "current"
            behind = connection.execute(_BEHIND).one()
    except SQLAlchemyError as error:
        current_app.logger.warning("health: the database is away (%s)", type(error).__name__)
        return report | {"database": "unreachable"}
    report["worker"] = {"seen_seconds_ago": _rounded(behind.worker_seen)}
    report["mail"] = {
        "oldest_unsent_seconds": _rounded(behind.oldest_unsent),
        "failed": behind.failed,
    }
    silent = behind.worker_seen is None or behind.worker_seen > WORKER_SILENT_AFTER
    late = behind.oldest_unsent is not None and behind.oldest_unsent > MAIL_LATE_AFTER
    report["status"] = "degraded" if silent or late else "ok"
    return report


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(max(seconds, 0.0), 1)

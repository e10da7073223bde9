"""`flask check`: what keeps a deployment from serving, and with --deploy what makes it unsafe.

What makes a setting unsafe is decided in `azionelab/settings/production.py`, for the start and for this. Settings that cannot be used at all never come this far: production does not start with them, and
`wsgi` names every one of them instead, this command's own start included.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import SQLAlchemyError

from azionelab.database import db, now
from azionelab.database.errors import cause
from azionelab.ops.checks import roles
from azionelab.ops.checks.odd_settings import odd_settings
from azionelab.ops.checks.schema import NOT_MIGRATED, SchemaState, schema_state
from azionelab.ops.checks.secret_keys import key_problem
from azionelab.ops.monitoring.backups import BackupReport, Task
from azionelab.settings.config import Config
from azionelab.settings.production import advice, unsafe_settings
from azionelab.staff.models import Role, RoleName, User

# What the mission's "Production Readiness" asks for, and what else is checked beside it.
_SETTINGS = (
    "FLASK_DEBUG",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "SITE_BASE_URL",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "CORS_ALLOWED_ORIGINS",
    "TRUSTED_PROXIES",
    "PRIVACY_URL",
    "CONTACT_EMAIL",
    "MAIL_SERVER",
    "MAIL_PORT",
    "MAIL_USE_TLS",
    "MAIL_USE_SSL",
    "MAIL_USERNAME",
    "MAIL_PASSWORD",
    "MAIL_DEFAULT_SENDER",
    "DATABASE_URL",
)
# How old the newest good one may be: one a day, a restore tried once a week, each with some hours' delay.
_BACKUPS = {Task.BACKUP: timedelta(hours=36), Task.VERIFY: timedelta(days=8)}
_COMMANDS = {Task.BACKUP: "now", Task.VERIFY: "verify"}


@dataclass(frozen=True)
class Finding:
    """What was looked at, led by its name; `verdict` is ok, FAIL, or look (a person has to)."""

    verdict: str
    what: str

    def __str__(self) -> str:
        return f"{self.verdict:<4}  {self.what}"


def check(
    config: Config,
    *,
    deploy: bool,
    serving: bool = False,
    written: Mapping[str, str] | None = None,
) -> list[Finding]:
    """The findings about this installation; with `deploy` its settings are judged as production's.

    With `serving` only what can be seen without the network: a database that is away for a moment
    must not keep the web processes from starting. `written` are the lines of .env, where they can be read.
    """
    findings = [*(_settings(config) if deploy else ()), _front_end(config)]
    if serving:
        return findings
    findings += _database(deploy=deploy)
    if deploy:
        tls = (
            f"TLS: cannot be seen from here: run `flask smoke --url {config.site_base_url}`;"
            " in Compose add `--connect-to nginx:8443 --connect-to-http nginx:8080`, or behind a proxy"
            " that ends TLS `--as-proxy-to nginx:8080`"
        )
        findings.append(Finding("look", tls))
        findings += _written(written)
    return findings


def _settings(config: Config) -> Iterator[Finding]:
    problems = unsafe_settings(config)
    if not config.trusted_proxies:
        problems.append(
            "TRUSTED_PROXIES: is 0, so that all visitors seem to be nginx and share one rate limit;"
            " set TRUSTED_PROXIES=1 for nginx alone, 2 with another proxy before it"
        )
    findings = [Finding("FAIL", problem) for problem in problems]
    findings += [Finding("look", remark) for remark in advice(config)]
    for name in _SETTINGS:
        told = [finding for finding in findings if finding.what.partition(":")[0] == name]
        yield from told or [Finding("ok", name)]


def _written(written: Mapping[str, str] | None) -> Iterator[Finding]:
    for remark in odd_settings(os.environ, written or {}):
        yield Finding("look", remark)
    if written is None:
        yield Finding(
            "look",
            ".env: cannot be seen from here, and with it misspelt names; in Compose run this with"
            " `run --rm -T backend flask check --deploy --env-file - < .env`",
        )
    else:
        yield Finding("ok", ".env: was read for unknown names")


def _front_end(config: Config) -> Finding:
    if (config.frontend_dist / ".vite" / "manifest.json").is_file():
        return Finding("ok", "FRONTEND_DIST")
    return Finding(
        "FAIL",
        f"FRONTEND_DIST: {config.frontend_dist} holds no built front end;"
        " run `npm ci` and `npm run build` in static_frontend/",
    )


def _database(*, deploy: bool) -> Iterator[Finding]:
    try:
        with db.engine.connect() as connection:
            yield Finding("ok", "DATABASE: reached")
            if told := roles.too_old(connection):
                yield Finding("FAIL", f"DATABASE: {told}")
            if refused := roles.without_rights(connection):
                yield Finding("FAIL", f"DATABASE: {roles.NO_RIGHTS} ({', '.join(refused)})")
                return
            state = schema_state(connection)
            if state is SchemaState.PENDING:
                yield Finding("FAIL", f"MIGRATIONS: {NOT_MIGRATED}")
                return
            if state is SchemaState.NEWER:
                yield Finding("look", "MIGRATIONS: newer than this release, as after a rollback")
            else:
                yield Finding("ok", "MIGRATIONS: current")
            if problem := key_problem(connection, current_app.config["AZIONELAB"]):
                yield Finding("FAIL", problem)
            yield _administrator(connection)
            if deploy:
                yield _role(connection)
                yield _backups(connection)
    except SQLAlchemyError as error:
        yield Finding(
            "FAIL", f"DATABASE: cannot be reached ({cause(error)}); see DATABASE_URL and the server"
        )


def _administrator(connection: Connection) -> Finding:
    admins = select(User.id).join(User.roles).where(Role.name == RoleName.ADMIN, User.active)
    if connection.execute(admins.limit(1)).first() is not None:
        return Finding("ok", "ADMIN: there is an administrator")
    return Finding("FAIL", "ADMIN: there is no administrator; run `flask create-admin EMAIL`")


def _role(connection: Connection) -> Finding:
    role = roles.current_role(connection)
    if roles.owns_tables(connection):
        return Finding("look", f"DATABASE: the role {role} {roles.OWNS_TABLES}")
    return Finding(
        "ok", f"DATABASE: the role {role} has rights to rows, and does not own its tables"
    )


def _backups(connection: Connection) -> Finding:
    newest = (
        select(BackupReport.task, BackupReport.well, BackupReport.ended_at)
        .ext(distinct_on(BackupReport.task))
        .order_by(BackupReport.task, BackupReport.ended_at.desc())
    )
    reports = {row.task: row for row in connection.execute(newest)}
    if not reports:
        # A managed database is backed up by its keeper, who reports nothing here.
        return Finding(
            "look", "BACKUPS: none was ever reported: restore one before you take bookings"
        )
    for task, age in _BACKUPS.items():
        report = reports.get(task)
        if report is None:
            return Finding(
                "FAIL",
                f"BACKUPS: no {task} was ever reported; run `azionelab-backup {_COMMANDS[task]}`"
                " in the backups' container",
            )
        if not report.well or report.ended_at < now() - age:
            when = f"{report.ended_at:%Y-%m-%d %H:%M} UTC"
            how = "went well, but is too long ago" if report.well else "failed"
            return Finding("FAIL", f"BACKUPS: the last {task}, {when}, {how}; see the backups' log")
    return Finding("ok", "BACKUPS: made, and a restore was tried")

"""`flask check`: finds what stops a deployment from serving and, with --deploy, what makes it unsafe.

`azionelab/settings/production.py` decides which settings are unsafe. Invalid settings never get here: the
application refuses to start with them, this command included, and names each one.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import SQLAlchemyError

from azionelab.database import db, now
from azionelab.database.errors import describe_cause
from azionelab.ops.checks import media, roles
from azionelab.ops.checks.schema import NOT_MIGRATED, SchemaState, schema_state
from azionelab.ops.checks.secret_keys import find_key_problem
from azionelab.ops.checks.unusual_settings import unusual_settings
from azionelab.ops.monitoring.backups import BackupReport, Task
from azionelab.ops.monitoring.service_status import OVERDUE
from azionelab.ops.status.limits import WATCH_SILENT_AFTER
from azionelab.ops.status.reports import Part, read_reports
from azionelab.settings.config import Config
from azionelab.settings.production import advice, unsafe_settings
from azionelab.settings.wallet import wallet_advice, wallet_problems
from azionelab.staff.models import Role, RoleName, User

# The settings that the table lists, in this order.
_SETTINGS = (
    "FLASK_DEBUG",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "SITE_BASE_URL",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "CORS_ALLOWED_ORIGINS",
    "EMBED_ORIGINS",
    "TRUSTED_PROXIES",
    "PRIVACY_URL",
    "CONTACT_EMAIL",
    "ALERT_EMAIL",
    "MAIL_SERVER",
    "MAIL_PORT",
    "MAIL_USE_TLS",
    "MAIL_USE_SSL",
    "MAIL_USERNAME",
    "MAIL_PASSWORD",
    "MAIL_DEFAULT_SENDER",
    "DATABASE_URL",
    "APPLE_PASS",
    "GOOGLE_WALLET_KEY",
    "GOOGLE_WALLET_ISSUER",
)
_BACKUP_COMMANDS = {Task.BACKUP: "now", Task.VERIFY: "verify"}


@dataclass(frozen=True)
class Finding:
    """One line of the table. `text` starts with the setting's name or the topic.

    `verdict` is "ok", "FAIL", or "look" when a person has to judge it.
    """

    verdict: str
    text: str

    @property
    def failed(self) -> bool:
        """Whether this stops the installation from working."""
        return self.verdict == "FAIL"

    def __str__(self) -> str:
        return f"{self.verdict:<4}  {self.text}"


def check(
    config: Config,
    *,
    deploy: bool,
    serving: bool = False,
    env_file: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Check this installation; with `deploy`, check its settings against production's rules too.

    `serving` skips all checks that need the network: a short database outage must not stop the web processes
    from starting. `env_file` holds the settings of .env, or None when it cannot be read from here.
    """
    wallet = [Finding("FAIL", problem) for problem in wallet_problems(config)]
    findings = [*(_setting_findings(config) if deploy else wallet), _front_end_finding(config)]
    if serving:
        return findings
    if problem := media.folder_problem(config.media_dir):
        findings.append(Finding("look", problem))
    findings += _database_findings(deploy=deploy)
    if deploy:
        tls = (
            f"TLS: cannot be checked from here: run `flask smoke --url {config.site_base_url}`;"
            " in Compose add `--connect-to entrance:8443 --connect-to-http entrance:8080`, or behind a proxy"
            " that terminates TLS `--as-proxy-to entrance:8080`"
        )
        findings.append(Finding("look", tls))
        findings += _env_file_findings(env_file)
    return findings


def _setting_findings(config: Config) -> Iterator[Finding]:
    problems = [*unsafe_settings(config), *wallet_problems(config)]
    if not config.trusted_proxies:
        problems.append(
            "TRUSTED_PROXIES: is 0, so all visitors appear to have nginx's address and share one rate limit;"
            " set TRUSTED_PROXIES=1 for nginx alone, 2 with another proxy in front of it"
        )
    findings = [Finding("FAIL", problem) for problem in problems]
    remarks = [*advice(config), *wallet_advice(config, now())]
    findings += [Finding("look", remark) for remark in remarks]
    for name in _SETTINGS:
        about = [finding for finding in findings if finding.text.partition(":")[0] == name]
        yield from about or [Finding("ok", name)]


def _env_file_findings(env_file: Mapping[str, str] | None) -> Iterator[Finding]:
    for remark in unusual_settings(os.environ, env_file or {}):
        yield Finding("look", remark)
    if env_file is None:
        yield Finding(
            "look",
            ".env: cannot be read from here, so its names were not checked; in Compose run this with"
            " `run --rm -T backend flask check --deploy --env-file - < .env`",
        )
    else:
        yield Finding("ok", ".env: was checked for unknown names")


def _front_end_finding(config: Config) -> Finding:
    if (config.frontend_dist / ".vite" / "manifest.json").is_file():
        return Finding("ok", "FRONTEND_DIST")
    return Finding(
        "FAIL",
        f"FRONTEND_DIST: {config.frontend_dist} does not contain a built front end;"
        " run `npm ci` and `npm run build` in static_frontend/",
    )


def _database_findings(*, deploy: bool) -> Iterator[Finding]:
    try:
        with db.engine.connect() as connection:
            yield Finding("ok", "DATABASE: reached")
            if problem := roles.find_version_problem(connection):
                yield Finding("FAIL", f"DATABASE: {problem}")
            if refused := roles.tables_without_rights(connection):
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
            if problem := find_key_problem(connection, current_app.config["AZIONELAB"]):
                yield Finding("FAIL", problem)
            yield _administrator_finding(connection)
            yield from (Finding("look", line) for line in media.missing_pictures())
            if deploy:
                yield _role_finding(connection)
                yield _backup_finding(connection)
                yield from _watch_findings(connection)
    except SQLAlchemyError as error:
        yield Finding(
            "FAIL",
            f"DATABASE: cannot be reached ({describe_cause(error)}); check DATABASE_URL and the server",
        )


def _administrator_finding(connection: Connection) -> Finding:
    admins = select(User.id).join(User.roles).where(Role.name == RoleName.ADMIN, User.active)
    if connection.execute(admins.limit(1)).first() is not None:
        return Finding("ok", "ADMIN: there is an administrator")
    return Finding("FAIL", "ADMIN: there is no administrator; run `flask create-admin EMAIL`")


def _role_finding(connection: Connection) -> Finding:
    role = roles.current_role(connection)
    if roles.owns_tables(connection):
        return Finding("look", f"DATABASE: the role {role} {roles.OWNS_TABLES}")
    return Finding(
        "ok", f"DATABASE: the role {role} has rights to rows, and does not own its tables"
    )


def _watch_findings(connection: Connection) -> Iterator[Finding]:
    """Whether somebody is told of a silent worker, where somebody is to be told at all."""
    watch = read_reports(connection).get(Part.WATCH)
    is_missing = watch is None or now() - watch.reported_at > WATCH_SILENT_AFTER
    if current_app.config["AZIONELAB"].alert_email and is_missing:
        yield Finding(
            "look",
            "ALERT_EMAIL: no `flask watch` has reported, so nobody is told that the worker is silent or the database"
            " away; set COMPOSE_PROFILES=watch in .env, and run docker/upgrade",
        )


def _backup_finding(connection: Connection) -> Finding:
    newest = (
        select(BackupReport.task, BackupReport.well, BackupReport.ended_at)
        .ext(distinct_on(BackupReport.task))
        .order_by(BackupReport.task, BackupReport.ended_at.desc())
    )
    reports = {row.task: row for row in connection.execute(newest)}
    if not reports:
        # The provider of a managed database makes its backups and reports nothing here.
        return Finding(
            "look", "BACKUPS: no backup was ever reported; test a restore before you take bookings"
        )
    for task, command in _BACKUP_COMMANDS.items():
        report = reports.get(task)
        if report is None:
            return Finding(
                "FAIL",
                f"BACKUPS: no {task} was ever reported; run `azionelab-backup {command}`"
                " in the backups' container",
            )
        if not report.well or report.ended_at < now() - OVERDUE[task]:
            when = f"{report.ended_at:%Y-%m-%d %H:%M} UTC"
            how = "succeeded, but is too old" if report.well else "failed"
            return Finding("FAIL", f"BACKUPS: the last {task}, {when}, {how}; see the backups' log")
    return Finding("ok", "BACKUPS: made, and a restore was tried")

"""`flask check`: what keeps a deployment from serving, and with --deploy what makes it unsafe.

Settings that cannot be used at all never come this far: production does not start with them, and
`wsgi` names every one of them instead, this command's own start included.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from azionelab.config import Config, unsafe_settings
from azionelab.extensions import db
from azionelab.ops.schema import migrations_are_current
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
    "MAIL_SERVER",
    "MAIL_USE_TLS",
    "MAIL_USE_SSL",
    "MAIL_DEFAULT_SENDER",
    "DATABASE_URL",
)
_UNSEEN = (
    "TLS: cannot be seen from here: open SITE_BASE_URL from outside and look at its certificate",
    "BACKUPS: cannot be seen from here: restore one before you take bookings",
)


@dataclass(frozen=True)
class Finding:
    """What was looked at, led by its name; `verdict` is ok, FAIL, or look (a person has to)."""

    verdict: str
    what: str

    def __str__(self) -> str:
        return f"{self.verdict:<4}  {self.what}"


def check(config: Config, *, deploy: bool) -> list[Finding]:
    """The findings about this installation; with `deploy` its settings are judged as production's."""
    findings = [*(_settings(config) if deploy else ()), _front_end(config), *_database()]
    return findings + [Finding("look", what) for what in _UNSEEN if deploy]


def _settings(config: Config) -> Iterator[Finding]:
    problems = unsafe_settings(config)
    if not config.trusted_proxies:
        problems.append(
            "TRUSTED_PROXIES: is 0, so that all visitors seem to be nginx and share one rate limit;"
            " set it to the number of proxies in front, 1 for nginx alone"
        )
    for name in _SETTINGS:
        told = [problem for problem in problems if problem.partition(":")[0] == name]
        yield from (Finding("FAIL", problem) for problem in told)
        if not told:
            yield Finding("ok", name)


def _front_end(config: Config) -> Finding:
    if (config.frontend_dist / ".vite" / "manifest.json").is_file():
        return Finding("ok", "FRONTEND_DIST")
    return Finding(
        "FAIL",
        f"FRONTEND_DIST: {config.frontend_dist} holds no built front end;"
        " run `npm ci` and `npm run build` in static_frontend/",
    )


def _database() -> Iterator[Finding]:
    try:
        with db.engine.connect() as connection:
            yield Finding("ok", "DATABASE: reached")
            if not migrations_are_current(connection):
                yield Finding(
                    "FAIL",
                    "MIGRATIONS: the database is not at this release's schema;"
                    " run `flask db upgrade`",
                )
                return
            yield Finding("ok", "MIGRATIONS: current")
            yield _administrator(connection)
    except SQLAlchemyError as error:
        reason = type(getattr(error, "orig", None) or error).__name__
        yield Finding(
            "FAIL", f"DATABASE: cannot be reached ({reason}); see DATABASE_URL and the server"
        )


def _administrator(connection: Connection) -> Finding:
    admins = select(User.id).join(User.roles).where(Role.name == RoleName.ADMIN, User.active)
    if connection.execute(admins.limit(1)).first() is not None:
        return Finding("ok", "ADMIN: there is an administrator")
    return Finding("FAIL", "ADMIN: there is no administrator; run `flask create-admin EMAIL`")

"""Prepares the database for `make run`: migrations, and for an empty one a season and four accounts.

The accounts' passwords are stored under instance/.
"""

import secrets
import sys
import threading
from pathlib import Path

import psycopg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from azionelab.ops.checks.schema import SchemaState, compare_revisions
from bare_machine.commands import CommandFailed, Commands

ROOT = Path(__file__).resolve().parents[1]
SEASON = ("load-season", "seasons/example.toml")
DEMO_SEASON = ("demo-season",)
_ACCOUNTS = {  # role: what it may do, as printed at the start
    "admin": "everything",
    "staff": "the season, its bookings and mails",
    "box_office": "bookings and the door",
    "door": "the door only",
}


class CannotRun(Exception):
    """The site cannot be served; the message is one line for a person."""


class Stopped(Exception):
    """A stop was requested during start-up."""


def secret(path: Path) -> str:
    """A random secret, created once in a file that only its owner can read."""
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            unfinished = path.with_name(f"{path.name}.new")
            unfinished.touch(mode=0o600)
            unfinished.write_text(secrets.token_urlsafe(24), encoding="ascii")
            unfinished.rename(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise CannotRun(f"cannot store {path}: {error.strerror}") from error


def prepare(
    connection: psycopg.Connection,
    environment: dict[str, str],
    instance: Path,
    stop: threading.Event,
    season: tuple[str, ...] = SEASON,
) -> None:
    """Run pending migrations; make accounts and run the command of a `season` in an empty database."""

    with Commands(environment, ROOT) as commands:

        def flask(*arguments: str) -> None:
            if stop.is_set():
                raise Stopped
            try:
                commands.run(*arguments)
            except CommandFailed as failed:
                print(failed, end="", file=sys.stderr)
                raise CannotRun(f"`flask {' '.join(arguments[:2])}` failed, see above") from None

        if _schema_state(connection) is SchemaState.PENDING:
            flask("db", "upgrade")
        if not _has_rows(connection, "user_account"):
            for role in _ACCOUNTS:
                password = _password_file(instance, role)
                secret(password)
                flask(
                    "create-admin", _email(role), "--role", role, "--password-file", str(password)
                )
        if not _has_rows(connection, "show"):
            flask(*season)


def _schema_state(connection: psycopg.Connection) -> SchemaState:
    """Whether migrations are pending: checking is faster than starting `flask db upgrade`."""
    versions = "SELECT version_num FROM alembic_version"
    try:
        applied = {version for (version,) in connection.execute(versions)}
    except psycopg.errors.UndefinedTable:
        return SchemaState.PENDING
    return compare_revisions(applied, str(ROOT / "migrations"))


def _has_rows(connection: psycopg.Connection, table: str) -> bool:
    query = psycopg.sql.SQL("SELECT FROM {} LIMIT 1").format(psycopg.sql.Identifier(table))
    return connection.execute(query).fetchone() is not None


def _email(role: str) -> str:
    return f"{role}@theatre.example"


def _password_file(instance: Path, role: str) -> Path:
    return instance / "passwords" / role


def accounts(connection: psycopg.Connection, instance: Path) -> list[str]:
    """A line for each account created here: address, password, what it may do.

    If the stored password is no longer valid, the line says so instead of showing it.
    """
    existing = {
        email: (password, active, role)
        for email, password, active, role in connection.execute(
            "SELECT email, password, active, role.name FROM user_account"
            " LEFT JOIN user_role ON user_id = user_account.id"
            " LEFT JOIN role ON role.id = role_id"
        )
    }
    lines = []
    for created_role in _ACCOUNTS:
        file, email = _password_file(instance, created_role), _email(created_role)
        if email not in existing or not file.exists():
            continue
        digest, active, role = existing[email]
        if not active:
            shown = "(deactivated)"
        elif _is_password(secret(file), digest):
            shown = secret(file)
        else:
            shown = "(its password was changed)"
        lines.append(f"{email:<28}{shown:<36}{_ACCOUNTS.get(role, 'nothing')}")
    return lines


def _is_password(password: str, digest: str) -> bool:
    try:
        return PasswordHasher().verify(digest, password)
    except (VerificationError, InvalidHashError):
        return False

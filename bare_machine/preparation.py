"""What a database gets before the site is served from it on a bare machine.

The tables, and if it is empty a season and three staff accounts, whose passwords are kept under
instance/.
"""

import secrets
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from azionelab.ops.checks.schema import SchemaState, compare_revisions

ROOT = Path(__file__).resolve().parents[1]
_SEASON = "seasons/example.toml"
_ACCOUNTS = {  # role: what it may do, as told at the start
    "admin": "everything",
    "staff": "the season and its bookings",
    "door": "the door only",
}


class CannotRun(Exception):
    """Why the site cannot be served, in a line for a person."""


class Stopped(Exception):
    """Somebody asked to stop before everything was started."""


def secret(path: Path) -> str:
    """A random word that is made once and kept, readable by its owner only."""
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            unfinished = path.with_name(f"{path.name}.new")
            unfinished.touch(mode=0o600)
            unfinished.write_text(secrets.token_urlsafe(24), encoding="ascii")
            unfinished.rename(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise CannotRun(f"cannot keep {path}: {error.strerror}") from error


def prepare(
    connection: psycopg.Connection,
    environment: dict[str, str],
    instance: Path,
    stop: threading.Event,
) -> None:
    """Bring the database up to date; give an empty one a season and staff."""

    def flask(*arguments: str) -> None:
        if stop.is_set():
            raise Stopped
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            cwd=ROOT,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            start_new_session=True,  # Ctrl-C is ours to handle, after this step
        )
        if done.returncode:
            print(done.stdout, done.stderr, sep="", end="", file=sys.stderr)
            raise CannotRun(f"`flask {' '.join(arguments[:2])}` failed, as told above")

    if _schema_state(connection) is SchemaState.PENDING:
        flask("db", "upgrade")
    if not _has_rows(connection, "show"):
        flask("load-season", _SEASON)
    if not _has_rows(connection, "user_account"):
        for role in _ACCOUNTS:
            password = _password_file(instance, role)
            secret(password)
            flask("create-admin", _email(role), "--role", role, "--password-file", str(password))


def _schema_state(connection: psycopg.Connection) -> SchemaState:
    """Whether migrations are to be run: asking costs less than running none does."""
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
    """A line for each account made here: who, with which password, may do what.

    Where the password kept here opens nothing any more, the line says so instead of telling it.
    """
    there = {
        email: (password, active, role)
        for email, password, active, role in connection.execute(
            "SELECT email, password, active, role.name FROM user_account"
            " LEFT JOIN user_role ON user_id = user_account.id"
            " LEFT JOIN role ON role.id = role_id"
        )
    }
    lines = []
    for made_for in _ACCOUNTS:
        file, email = _password_file(instance, made_for), _email(made_for)
        if email not in there or not file.exists():
            continue
        digest, active, role = there[email]
        if not active:
            told = "(deactivated)"
        elif _is_password(secret(file), digest):
            told = secret(file)
        else:
            told = "(its password was changed)"
        lines.append(f"{email:<24}{told:<36}{_ACCOUNTS.get(role, 'nothing')}")
    return lines


def _is_password(password: str, digest: str) -> bool:
    try:
        return PasswordHasher().verify(digest, password)
    except (VerificationError, InvalidHashError):
        return False

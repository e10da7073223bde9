"""Runs PostgreSQL's programs: dump from one snapshot, restore in one transaction, scratch server.

The programs are found on the PATH. Passwords are passed in the environment, never on a command line.
"""

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import pq

from azionelab_backup import BackupError

T = TypeVar("T")
_INITDB = "--auth=trust --username=postgres --encoding=UTF8 --locale=C --no-sync --no-instructions"
_SCRATCH = (
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=64MB",
    "timezone=UTC",
)


# Defined by migration 0016. A dump of an older schema lacks it and needs `flask db upgrade` anyway.
_GRANT = b"""
SELECT format('SELECT public.grant_rows(%L)', :'application')
WHERE to_regprocedure('public.grant_rows(name)') IS NOT NULL \\gexec
"""


class Database:
    """A database, by its libpq connection string."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo

    def connect(self) -> psycopg.Connection[Any]:
        """Open an autocommit connection."""
        return psycopg.connect(self._conninfo, autocommit=True, connect_timeout=10)

    def dump(self, file: Path, count: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Dump the database into `file`; returns the result of `count` from the same snapshot."""
        with self.connect() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            row = connection.execute("SELECT pg_export_snapshot()").fetchone()
            snapshot = row[0] if row else ""
            run(
                ["pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={file}"],
                self._environment(),
            )
            return count(connection)

    def restore(
        self,
        file: Path,
        *,
        replace: bool,
        row_restored: Callable[[], None],
        application: str | None = None,
    ) -> None:
        """Restore a dump in one transaction: completely or not at all.

        `replace` drops the existing schema in the same transaction. `application` is the application's role if
        it is not the owner: it is granted its rights to rows. `row_restored` is called for each row.
        """
        environment = self._environment() | {"PGAPPNAME": "azionelab-backup restore"}
        with (
            tempfile.TemporaryFile() as errors,
            subprocess.Popen(
                ["pg_restore", "--no-owner", "--no-privileges", "--file=-", str(file)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            ) as source,
            subprocess.Popen(
                [
                    *("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"),
                    *("--output=/dev/null", f"--set=application={application or ''}"),
                ],
                env=environment,
                stdin=subprocess.PIPE,
                stderr=errors,
            ) as target,
        ):
            assert source.stdout is not None  # noqa: S101 - the pipes asked for above
            assert target.stdin is not None  # noqa: S101
            send = target.stdin.write
            try:
                send(b"SET client_min_messages = warning;\nSET lock_timeout = '10s';\nBEGIN;\n")
                if replace:
                    send(b"DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n")
                in_rows = False
                for line in source.stdout:
                    send(line)
                    if in_rows and line == b"\\.\n":
                        in_rows = False
                    elif in_rows:
                        row_restored()
                    elif line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
                        in_rows = True
                # Only now is the dump known to be complete. Without COMMIT psql rolls back, even if
                # pg_restore or this process was killed.
                if source.wait() == 0:
                    send(_GRANT if application else b"")
                    send(b"COMMIT;\n")
                target.stdin.close()
            except BrokenPipeError:  # psql ended; its error is reported below
                source.kill()
                with suppress(BrokenPipeError):
                    target.stdin.close()
            if target.wait() or source.wait():
                errors.seek(0)
                reason = _reason(errors.read()) or _signal(target.returncode or source.returncode)
                raise BackupError(f"nothing was restored: {reason}")

    def _environment(self) -> dict[str, str]:
        """The environment variables with which PostgreSQL's programs connect to this database."""
        environment = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        for option in pq.Conninfo.parse(self._conninfo.encode()):
            if option.val is None:
                continue
            if option.envvar is None:
                raise BackupError(f"DATABASE_URL: {option.keyword.decode()} cannot be used here")
            environment[option.envvar.decode()] = option.val.decode()
        return environment | {"LC_ALL": "C"}


@contextmanager
def scratch_database() -> Iterator[Database]:
    """An empty database on a temporary server, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="azionelab-verify-"))
    data = folder / "data"
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    options = ["-h", "", "-k", str(folder)]
    options += [part for setting in _SCRATCH for part in ("-c", setting)]
    try:
        run(
            ["initdb", *shlex.split(_INITDB), f"--pgdata={data}"],
            environment,
        )
        try:
            server = ["pg_ctl", f"--pgdata={data}", "--wait"]
            start = [f"--options={shlex.join(options)}", f"--log={folder / 'data' / 'log'}"]
            run([*server, *start, "start"], environment)
            yield Database(f"host={folder} user=postgres dbname=postgres")
        finally:
            if (data / "postmaster.pid").exists():
                run([*server, "--mode=immediate", "stop"], environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(command: list[str], environment: dict[str, str], **how: Any) -> str:
    """Run a program and return its standard output; raises BackupError with its error message."""
    # Files, not pipes: a server started by pg_ctl keeps them open after pg_ctl has ended.
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as printed:
        try:
            done = subprocess.run(
                command,
                env=environment,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=errors,
                **how,
            )
        except FileNotFoundError:
            raise BackupError(f"{command[0]} is not installed here") from None
        errors.seek(0)
        printed.seek(0)
        if done.returncode:
            reason = _reason(errors.read()) or _signal(done.returncode)
            raise BackupError(f"{command[0]} failed: {reason}")
        return printed.read().decode(errors="replace")


def _reason(errors: bytes) -> str:
    """The first error line of a program's output, else its first line, else an empty string."""
    lines = [line.strip() for line in errors.decode(errors="replace").splitlines() if line.strip()]
    for sign in ("error:", "ERROR:", "FATAL:", "Fatal:"):
        for line in lines:
            if sign in line:
                return line.partition(sign)[2].strip()
    return lines[0] if lines else ""


def _signal(status: int) -> str:
    """Describe the exit status of a program that printed nothing."""
    return signal.strsignal(-status) or "killed" if status < 0 else f"exit status {status}"

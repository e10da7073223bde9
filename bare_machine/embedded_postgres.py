"""A PostgreSQL server from a Python wheel, for `make run` and the tests on a bare machine.

It listens only on a Unix socket, which only its owner and root can open. Started by root, it runs as a
system user (bare_machine/postgres_programs.py).
"""

import hashlib
import os
import pwd
import shlex
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from bare_machine.postgres_programs import (
    MAJOR,
    PostgresUnavailable,
    fallback_folder,
    give,
    is_allowed,
    reachable_programs,
    run,
    system_user,
)

_DATABASE = "azionelab"
_SUPERUSER = "postgres"
_APPLICATION = "azionelab"
_SOCKET = ".s.PGSQL.5432"
_MAX_SOCKET_PATH = 100  # bytes; sockaddr_un holds 104 to 108
_PATIENCE_SECONDS = 60
_UNSAFE_BUT_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_SETTINGS = (
    "max_connections=100",
    # A refused row's DETAIL line would put a visitor's address into the log.
    "log_error_verbosity=terse",
    "timezone=UTC",
)


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server. `url` opens its database `azionelab` as superuser, who owns everything in it."""

    folder: Path
    url: str
    _socket_folder: Path
    _owner: str | None
    _programs: Path

    def stop(self) -> None:
        """Stop the server and its connections; its data stays."""
        arguments = ["pg_ctl", "-D", str(self.folder), "-m", "fast", "-w", "stop"]
        run(self._programs, arguments, self._owner)
        if self._socket_folder != self.folder:
            shutil.rmtree(self._socket_folder)


def start(folder: Path, *, durable: bool = True) -> EmbeddedPostgres:
    """Start the server of a data folder, or use the running one; the folder is created when it is missing.

    When we are root and the system user cannot enter the folder, the data is under /var/lib instead (see
    `data_folder`). `durable=False` switches fsync off: for tests only.

    Raises PostgresUnavailable.
    """
    binaries, owner = reachable_programs()
    folder = data_folder(folder)
    _create_cluster(binaries, folder, owner, durable)
    socket_folder = _running_socket(folder)
    if socket_folder is None:
        socket_folder = _socket_folder(folder, owner)
        _launch(binaries, folder, socket_folder, owner, durable)
    _create_database(socket_folder)
    url = _url(socket_folder, _DATABASE)
    return EmbeddedPostgres(folder, url, socket_folder, owner, binaries)


def as_application(url: str) -> str:
    """The same database's URL for the application's role, which may only read and write rows."""
    return url.replace(f"//{_SUPERUSER}@", f"//{_APPLICATION}@", 1)


def create_application_role(connection: psycopg.Connection[Any]) -> None:
    """Create the role of `as_application`, unless it exists."""
    found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (_APPLICATION,))
    if found.fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(_APPLICATION)))


def find_running(folder: Path) -> str | None:
    """The URL of the database whose server runs on a data folder, or None."""
    socket_folder = _running_socket(data_folder(folder))
    return _url(socket_folder, _DATABASE) if socket_folder else None


def data_folder(wanted: Path) -> Path:
    """The folder that holds the data: `wanted`, unless the system user cannot enter it.

    A clone under /root is an example; its permissions are not changed.
    """
    wanted = wanted.resolve()
    owner = system_user()
    nearest = next(parent for parent in wanted.parents if parent.exists())
    if owner is None or is_allowed(owner, "-x", nearest):
        return wanted
    return fallback_folder(wanted) / "data"


def _create_cluster(binaries: Path, folder: Path, owner: str | None, durable: bool) -> None:
    """Run initdb in a folder beside it and rename that, so that no incomplete cluster is left."""
    if (folder / "PG_VERSION").exists():
        found = _read(folder / "PG_VERSION").strip()
        if found != str(MAJOR):
            raise PostgresUnavailable(
                f"{folder} was created by PostgreSQL {found}, and this is {MAJOR}: move it away"
            )
        return
    unfinished = folder.with_name(f"{folder.name}.new")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if owner:
            give(unfinished, owner)
        how = ["--auth=trust", "--encoding=UTF8", f"--username={_SUPERUSER}", "--no-instructions"]
        # The same collation whatever locales the machine has.
        how += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        how += [] if durable else ["--no-sync"]
        run(binaries, ["initdb", *how, "-D", str(unfinished)], owner)
        unfinished.rename(folder)
    except OSError as error:
        raise PostgresUnavailable(f"cannot create {folder}: {error.strerror}") from error


def _launch(
    binaries: Path, folder: Path, socket_folder: Path, owner: str | None, durable: bool
) -> None:
    # No server runs here. A stale pid file, whose number another program may have, would prevent the start.
    (folder / "postmaster.pid").unlink(missing_ok=True)
    settings = _SETTINGS + (() if durable else _UNSAFE_BUT_FAST)
    options = ["-h", "", "-k", str(socket_folder)]
    options += [part for setting in settings for part in ("-c", setting)]
    log = folder / "server.log"
    command = ["pg_ctl", "-D", str(folder), "-o", shlex.join(options), "-l", str(log)]
    command += ["-w", "-t", str(_PATIENCE_SECONDS), "start"]
    try:
        run(binaries, command, owner)
    except PostgresUnavailable as error:
        raise PostgresUnavailable(f"PostgreSQL did not start; see {log}") from error


def _running_socket(folder: Path) -> Path | None:
    """The socket folder of the server that runs on this data folder, or None."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (socket_folder := _postmaster(folder)) is not None:
        if socket_folder and _answers(Path(socket_folder)):
            return Path(socket_folder)
        if time.monotonic() > deadline:
            raise PostgresUnavailable(f"the PostgreSQL of {folder} runs, but does not answer")
        time.sleep(0.05)
    return None


def _postmaster(folder: Path) -> str | None:
    """The socket folder from postmaster.pid ("" if not written yet); None when no server runs.

    After a crash the pid may belong to another program, so the process has to be a postgres.
    """
    try:
        lines = _read(folder / "postmaster.pid").splitlines()
        is_postgres = psutil.Process(int(lines[0])).name() == "postgres"
    except (OSError, psutil.NoSuchProcess, IndexError, ValueError):
        return None
    return "".join(lines[4:5]) if is_postgres else None


def _answers(socket_folder: Path) -> bool:
    try:
        psycopg.connect(_url(socket_folder, _SUPERUSER), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _socket_folder(folder: Path, owner: str | None) -> Path:
    """The data folder, or a private one with a short path when that is too long for a socket."""
    if len(os.fsencode(folder / _SOCKET)) <= _MAX_SOCKET_PATH:
        return folder
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"azionelab-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    expected = pwd.getpwnam(owner).pw_uid if owner else os.geteuid()
    if short.is_symlink() or short.stat().st_uid not in (expected, os.geteuid()):
        raise PostgresUnavailable(f"{short} belongs to somebody else: remove it")
    if owner:
        give(short, owner)
    return short


def _create_database(socket_folder: Path) -> None:
    with psycopg.connect(_url(socket_folder, _SUPERUSER), autocommit=True) as connection:
        standby = connection.execute("SELECT pg_is_in_recovery()").fetchone()
        if standby == (True,):
            return  # a standby: its primary has the database
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", (_DATABASE,))
        if found.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE)))
        create_application_role(connection)
        # The application needs no temporary tables.
        connection.execute(
            sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(_DATABASE))
        )


def _url(socket_folder: Path, database: str) -> str:
    return f"postgresql://{_SUPERUSER}@/{database}?host={quote(str(socket_folder), safe='')}"

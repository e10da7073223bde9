"""The backup command, run as in its container, on this run's database."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import psutil
import psycopg
import pytest

from tests.support.processes import PYTHON, ROOT, Program, clean_environment

Database = psycopg.Connection[Any]
_PROGRAMS = ("initdb", "pg_ctl", "pg_dump", "pg_restore", "psql")


@pytest.fixture(scope="session")
def postgres_programs(
    database_server: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The PATH on which the server's own programs are found, and a TMPDIR its user may enter.

    PostgreSQL refuses to run as root, which the container's user is not: for root, those programs
    that start a server are run as the user of the server that runs already.
    """
    with psycopg.connect(database_server) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    pid = int((Path(row[0]) / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
    server = psutil.Process(pid)
    binaries, user = Path(server.exe()).parent, server.username()
    folder = tmp_path_factory.mktemp("programs")
    for name in _PROGRAMS:
        program = shlex.quote(str(binaries / name))
        script = f'#!/bin/sh\nexec {program} "$@"\n'
        if os.geteuid() == 0 and name in ("initdb", "pg_ctl"):
            script = (
                "#!/bin/sh\nset -e\n"
                'for part; do case "$part" in --pgdata=*) data=${part#--pgdata=};; esac; done\n'
                f'chown {user}: "${{data%/*}}"\ncd /\n'
                f'exec setpriv --reuid={user} --regid={user} --clear-groups {program} "$@"\n'
            )
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def reports(database: Database) -> list[tuple[str, bool]]:
    """The rows of backup_report, in order."""
    query = "SELECT task, well FROM backup_report ORDER BY id"
    return [tuple(row) for row in database.execute(query)]


@dataclass
class Backups:
    """An installation's folders, and the command on them."""

    folder: Path
    media: Path
    settings: dict[str, str]

    def run(
        self, *arguments: str, before: str = "", by: Sequence[str] = (), **changes: str
    ) -> CompletedProcess[str]:
        """Run the command, optionally `by` another program; `before` is a shell command that runs first."""
        command = [*by, PYTHON, "-m", "azionelab_backup", *arguments]
        return subprocess.run(
            ["sh", "-c", f"{before}\nexec {shlex.join(command)}"],
            cwd=ROOT / "docker" / "backup",
            env=clean_environment(self.settings | changes),
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
        )

    def take(self) -> str:
        """Take a backup that goes well, and return its name."""
        before = self._complete()
        done = self.run("now")
        assert done.returncode == 0, done.stderr
        (name,) = self._complete() - before
        return name

    def _complete(self) -> set[str]:
        """The folders of backups, without the command, which takes a while to start."""
        return {path.parent.name for path in self.folder.glob("*/SHA256SUMS")}

    def names(self) -> list[str]:
        """The backups that are listed."""
        done = self.run("list")
        assert done.returncode == 0, done.stderr
        return [line.split()[0] for line in done.stdout.splitlines()]

    def refusal(self, *arguments: str, **how: Any) -> str:
        """Run a command that must fail; returns its one-line error."""
        done = self.run(*arguments, **how)
        assert done.returncode == 1, done.stdout
        (line,) = done.stderr.splitlines()
        assert line.startswith("azionelab-backup: ")
        return line.removeprefix("azionelab-backup: ")

    def start(self, *arguments: str, log: Path) -> Program:
        """Start the command and leave it running."""
        command = [PYTHON, "-m", "azionelab_backup", *arguments]
        return Program(command, self.settings, log, cwd=ROOT / "docker" / "backup")


@contextlib.contextmanager
def making_backups(folder: Path, programs: dict[str, str]) -> Iterator[Callable[[str], Backups]]:
    """A function that makes the folders of an installation with a database, given as its URL, in a folder."""
    # Short, and open to be passed through: the scratch server has its socket there.
    scratch = Path(tempfile.mkdtemp(prefix="az-"))
    scratch.chmod(0o711)

    def make(url: str) -> Backups:
        backups, media = folder / "backups", folder / "media"
        backups.mkdir(exist_ok=True)
        media.mkdir(exist_ok=True)
        settings = {
            "DATABASE_URL": url,
            "BACKUP_DIR": str(backups),
            "MEDIA_DIR": str(media),
            "TMPDIR": str(scratch),
        }
        return Backups(backups, media, settings | programs)

    yield make
    assert list(scratch.iterdir()) == [], "a scratch server left something behind"
    shutil.rmtree(scratch)


@pytest.fixture
def make_backups(
    postgres_programs: dict[str, str], tmp_path: Path
) -> Iterator[Callable[[str], Backups]]:
    """Make the folders of an installation with a database."""
    with making_backups(tmp_path, postgres_programs) as make:
        yield make


@pytest.fixture
def backups(make_backups: Callable[[str], Backups], database_url: str) -> Backups:
    """The backups of this run's database."""
    return make_backups(database_url)

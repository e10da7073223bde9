"""The real site of a fault's run: the site's programs, and a PostgreSQL that can be broken too."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from bare_machine import embedded_postgres
from bare_machine.embedded_postgres import as_application
from tests.faults.harness.site import Site
from tests.support.pooler import pooling
from tests.support.processes import eventually


class Stack(Site):
    """The site's programs and their own PostgreSQL."""

    def __init__(
        self, folder: Path, *, data_disk: Path | None = None, pooled: bool = False, **changes: str
    ) -> None:
        super().__init__(folder, **changes)
        # Of its own: the server's account has to enter it.
        self.data_disk = data_disk or Path(tempfile.mkdtemp(prefix="azionelab-faults-data-"))
        self.data_disk.chmod(0o755)
        self._pooled = pooled

    @contextmanager
    def running(self) -> Iterator["Stack"]:
        """Start everything on a new database, if `pooled` behind PgBouncer, and end it."""
        self.postgres = embedded_postgres.start(self.data_disk / "data", durable=True)
        url = as_application(self.postgres.url)
        with ExitStack() as started:
            started.callback(self._end_postgres)
            if self._pooled:
                url = started.enter_context(pooling(self.postgres.url))
                self._changes |= {"DATABASE_POOLER": "true"}
            started.enter_context(self.serving(url, self.postgres.url))
            yield self

    def _end_postgres(self) -> None:
        if embedded_postgres.find_running(self.postgres.folder):
            self.postgres.stop()
        shutil.rmtree(self.postgres.folder)
        if not self.data_disk.is_mount():
            self.data_disk.rmdir()

    def start_postgres(self) -> None:
        """Start PostgreSQL again, once nothing of the one before is left."""
        eventually(lambda: not self._postgres_processes(), "the last process of PostgreSQL to end")
        embedded_postgres.start(self.postgres.folder, durable=True)

    @property
    def postmaster(self) -> psutil.Process:
        """PostgreSQL's first process."""
        return psutil.Process(int((self.postgres.folder / "postmaster.pid").read_text().split()[0]))

    def postmaster_runs(self) -> bool:
        """Whether it does: without room for its log it ends."""
        return embedded_postgres.find_running(self.postgres.folder) is not None

    def _postgres_processes(self) -> list[psutil.Process]:
        data = str(self.postgres.folder)
        return [
            process
            for process in psutil.process_iter(["name", "cwd"])
            if process.info["name"] == "postgres" and process.info["cwd"] == data
        ]

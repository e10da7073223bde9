"""Two workers that share a module's mutants, each with a copy of this folder and a database."""

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import psycopg
from psycopg import sql

from bare_machine import embedded_postgres
from mutants.mutations import Mutant
from mutants.worker import Outcome

ROOT = Path(__file__).resolve().parents[1]
_CORES = 2
_IGNORED = shutil.ignore_patterns(".git", ".venv", "node_modules", "instance")


@contextmanager
def a_server() -> Iterator[str]:
    """The URL of a PostgreSQL for all mutants."""
    folder = Path(tempfile.mkdtemp(prefix="azionelab-mutants-"))
    server = embedded_postgres.start(folder, durable=False)
    try:
        yield server.url
    finally:
        server.stop()
        shutil.rmtree(folder)


def survivors(mutants: list[Mutant], tests: list[str], server: str) -> list[Mutant]:
    """The mutants that no test notices; each is printed as soon as it is found.

    Mutants whose tests never end are printed too, but not returned: the machine may only be slow.
    """
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for mutant in mutants:
        waiting.put(mutant)
    workers = [_Worker(server, f"mutants_{number}") for number in range(_CORES)]
    with ThreadPoolExecutor(_CORES) as pool:
        done = [pool.submit(_work, worker, waiting, tests) for worker in workers]
        try:
            survived = [one for work in done for one in work.result()]
        except BaseException:
            # Otherwise the threads would go on until no mutant is left.
            for worker in workers:
                worker.end()
            raise
    return sorted(survived, key=lambda one: one.number)


def _work(worker: "_Worker", waiting: queue.SimpleQueue[Mutant], tests: list[str]) -> list[Mutant]:
    survived: list[Mutant] = []
    if (mutant := _next(waiting)) is None:
        return survived
    with tempfile.TemporaryDirectory(prefix="azionelab-mutants-") as folder:
        # Mutants are written into a copy of the tree.
        copy = Path(folder) / "azionelab"
        shutil.copytree(ROOT, copy, ignore=_IGNORED)
        with worker.running(copy, [mutant.module, *tests]):
            while mutant is not None:
                outcome = worker.outcome(mutant)
                if outcome != "noticed":
                    print(f"{outcome}: {mutant}", flush=True)
                if outcome == "survived":
                    survived.append(mutant)
                mutant = _next(waiting)
    return survived


def _next(waiting: queue.SimpleQueue[Mutant]) -> Mutant | None:
    with contextlib.suppress(queue.Empty):
        return waiting.get_nowait()
    return None


class _Worker:
    def __init__(self, server: str, name: str) -> None:
        self.server = server
        self.database, self.template = sql.Identifier(name), sql.Identifier(f"{name}_new")
        self.url = server.replace("/azionelab?", f"/{name}?")
        self._process: subprocess.Popen[str] | None = None
        self._is_ended = False

    @contextmanager
    def running(self, folder: Path, arguments: list[str]) -> Iterator[None]:
        self._make(self.database, sql.Identifier("template1"))
        command = [sys.executable, "-m", "mutants.worker", *arguments]
        with subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"TEST_DATABASE_URL": self.url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            self._process = process
            if self._is_ended:
                process.terminate()
            self._questions = cast("IO[str]", process.stdin)
            self._answers = cast("IO[str]", process.stdout)
            self._ask(None)
            # A template of the migrated database, so that migrations run only once.
            self._make(self.template, self.database)
            yield
            self._questions.close()

    def end(self) -> None:
        """Terminate the process, now or as soon as it starts."""
        self._is_ended = True
        if self._process is not None:
            self._process.terminate()

    def outcome(self, mutant: Mutant) -> Outcome:
        """Run the tests on the mutant, with a fresh database."""
        self._make(self.database, self.template)
        return self._ask(mutant.source)

    def _ask(self, source: str | None) -> Outcome:
        self._questions.write(json.dumps(source) + "\n")
        self._questions.flush()
        answer = self._answers.readline()
        if not answer:
            raise RuntimeError("the worker ended; what it said is above")
        return cast("Outcome", json.loads(answer))

    def _make(self, name: sql.Identifier, template: sql.Identifier) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} (FORCE)").format(name))
            made = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template)
            connection.execute(made)

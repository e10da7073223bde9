"""Two workers that share the mutants of a module, each in a copy of this folder, with a database."""

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

from azionelab.ops import embedded_postgres
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
    """The mutants of one module that no test notices; each is told as soon as it is found.

    So is one with which the tests never ended: that may be its doing, or a slow machine's.
    """
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for mutant in mutants:
        waiting.put(mutant)
    with ThreadPoolExecutor(_CORES) as crew:
        done = [crew.submit(_work, waiting, tests, server, f"mutants_{n}") for n in range(_CORES)]
        return sorted((one for work in done for one in work.result()), key=lambda one: one.number)


def _work(
    waiting: queue.SimpleQueue[Mutant], tests: list[str], server: str, name: str
) -> list[Mutant]:
    found = []
    with tempfile.TemporaryDirectory(prefix="azionelab-mutants-") as folder:
        # The tree is changed in place, so it is a copy that is.
        copy = Path(folder) / "azionelab"
        shutil.copytree(ROOT, copy, ignore=_IGNORED)
        mutant = waiting.get()
        worker = _Worker(copy, server, name, [mutant.module, *tests])
        with worker.running():
            while True:
                outcome = worker.outcome(mutant)
                if outcome != "noticed":
                    print(f"{outcome}: {mutant}", flush=True)
                if outcome == "survived":
                    found.append(mutant)
                try:
                    mutant = waiting.get_nowait()
                except queue.Empty:
                    return found


class _Worker:
    def __init__(self, folder: Path, server: str, name: str, arguments: list[str]) -> None:
        self.folder, self.server, self.arguments = folder, server, arguments
        self.database, self.template = sql.Identifier(name), sql.Identifier(f"{name}_new")
        self.url = server.replace("/azionelab?", f"/{name}?")

    @contextmanager
    def running(self) -> Iterator[None]:
        self._make(self.database, sql.Identifier("template1"))
        command = [sys.executable, "-m", "mutants.worker", *self.arguments]
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=os.environ | {"TEST_DATABASE_URL": self.url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            self._questions = cast("IO[str]", process.stdin)
            self._answers = cast("IO[str]", process.stdout)
            self._ask(None)
            # As the migrations left it, which need not run again for every mutant.
            self._make(self.template, self.database)
            yield
            self._questions.close()

    def outcome(self, mutant: Mutant) -> Outcome:
        """What the tests make of the mutant, on a database that no other one has touched."""
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

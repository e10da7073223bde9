"""`make mutants`: change the rules one operator or number at a time, and see their tests fail.

Each module of `mutants.toml` is mutated by Cosmic Ray in a copy of this folder, and the tests that the
table names for it run against each mutant, on one PostgreSQL for all. A mutant that no test notices
survives; the run ends with an error for each survivor that the table does not explain, and for each
explanation that nothing needs any more. It takes about an hour on two cores; `make mutants ARGS=doctor`
tries the modules of that name only.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from azionelab.ops import embedded_postgres

ROOT = Path(__file__).resolve().parents[1]
_TABLE = ROOT / "mutants" / "mutants.toml"
_CORES = 2
_TIMEOUT = 300  # seconds; a mutant that never ends is noticed, too
# Left out: `|` in types, and the many operators that stand in for one another and fail alike.
_LEFT_OUT = [
    "core/ReplaceBinaryOperator_BitOr_.*",
    "core/Replace.*Operator_.*_(Pow|RShift|LShift|BitOr|BitAnd|BitXor|FloorDiv|Mod|Div|Is)",
    "core/ReplaceComparisonOperator_(Lt|LtE|Gt|GtE)_(Eq|NotEq|IsNot)",
    "core/Variable(Inserter|Replacer)",
]
_CONFIG = """
[cosmic-ray]
module-path = "{module}"
timeout = {timeout}.0
excluded-modules = []
test-command = "{command}"
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = {left_out}
"""


@dataclass(frozen=True)
class Survivor:
    """A change that no test noticed. `line` is what stood there, `change` what stood there instead."""

    module: str
    operator: str
    line: str
    change: str

    def __str__(self) -> str:
        return f"{self.module} ({self.operator})\n    - {self.line}\n    + {self.change}"


def main(wanted: list[str]) -> int:
    """Try the mutants of the modules whose names hold one of `wanted`; the exit status."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    chosen = {
        module: tests
        for module, tests in table["modules"].items()
        if not wanted or any(word in module for word in wanted)
    }
    with _databases() as databases, ThreadPoolExecutor(_CORES) as crew:
        free = list(databases)

        def work(module: str) -> list[Survivor]:
            database = free.pop()
            try:
                return _survivors(module, chosen[module], database)
            finally:
                free.append(database)

        survivors = [found for module in crew.map(work, chosen) for found in module]
    explained = {(known["module"], known["change"]) for known in table.get("explained", [])}
    met = {(found.module, found.change) for found in survivors}
    unexplained = [found for found in survivors if (found.module, found.change) not in explained]
    for found in unexplained:
        print(f"survived: {found}")
    over = sorted(known for known in explained - met if known[0] in chosen)
    for module, change in over:
        print(f"explained, and noticed all the same: {module}: {change}")
    print(f"{len(survivors)} survived, {len(unexplained)} of them unexplained")
    return 1 if unexplained or over else 0


@contextmanager
def _databases() -> Iterator[list[str]]:
    folder = Path(tempfile.mkdtemp(prefix="azionelab-mutants-"))
    server = embedded_postgres.start(folder, durable=False)
    try:
        names = [f"mutants_{number}" for number in range(_CORES)]
        with psycopg.connect(server.url, autocommit=True) as connection:
            for name in names:
                connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        yield [server.url.replace("/azionelab?", f"/{name}?") for name in names]
    finally:
        server.stop()
        shutil.rmtree(folder)


def _survivors(module: str, tests: list[str], database: str) -> list[Survivor]:
    with tempfile.TemporaryDirectory(prefix="azionelab-mutants-") as name:
        copy = Path(name) / "azionelab"
        # The tree is changed in place, so it is a copy that is.
        shutil.copytree(
            ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", "node_modules", "instance")
        )
        command = f"{sys.executable} -m pytest -x -q -p no:cacheprovider {' '.join(tests)}"
        config = _CONFIG.format(
            module=module, timeout=_TIMEOUT, command=command, left_out=json.dumps(_LEFT_OUT)
        )
        (copy / "cosmic-ray.toml").write_text(config, encoding="utf-8")
        run = _Run(copy, os.environ | {"TEST_DATABASE_URL": database})
        run("cosmic-ray", "baseline", "cosmic-ray.toml")
        run("cosmic-ray", "init", "cosmic-ray.toml", "session.sqlite")
        run("cr-filter-operators", "session.sqlite", "cosmic-ray.toml")
        run("cosmic-ray", "exec", "cosmic-ray.toml", "session.sqlite")
        tried = [
            json.loads(line)
            for line in run("cosmic-ray", "dump", "session.sqlite").split("\n")
            if line
        ]
    results = [(job, result) for job, result in tried if result["worker_outcome"] != "skipped"]
    found = [
        _read(module, job, result)
        for job, result in results
        if result["test_outcome"] == "survived"
    ]
    print(f"{module}: {len(results)} mutants, {len(found)} survived", flush=True)
    return found


@dataclass(frozen=True)
class _Run:
    folder: Path
    environment: dict[str, str]

    def __call__(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [Path(sys.executable).with_name(program), *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} {arguments[0]}: {done.stdout}{done.stderr}")
        return done.stdout


def _read(module: str, job: dict[str, Any], result: dict[str, Any]) -> Survivor:
    lines = result["diff"].splitlines()
    before = next(line[1:].strip() for line in lines if line.startswith("-") and line[:3] != "---")
    after = next(line[1:].strip() for line in lines if line.startswith("+") and line[:3] != "+++")
    operator = job["mutations"][0]["operator_name"].removeprefix("core/")
    return Survivor(module, operator, before, after)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

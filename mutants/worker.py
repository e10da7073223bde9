"""Tests mutants in a copy of this folder: reads one per line, writes the outcome.

`mutants.pool` starts it in the copy. Third-party libraries are imported once, here; each mutant then runs in a
fork, which starts with pytest itself. Quick tests run before slow ones, and first the test that noticed the
mutant before. A test that takes much longer than without a mutant ends the fork.
"""

import contextlib
import importlib
import json
import math
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

# A hanging test does not count as noticed: the machine may only be slow.
Outcome = Literal["noticed", "survived", "never ended"]

_OURS = ("azionelab", "bare_machine", "tests", "migrations", "mutants", "__main__", "conftest")
_PRELOADED = "ignore::pytest.PytestAssertRewriteWarning"
_NO_TESTS = 5  # pytest's exit status
_TIMEOUT = 40  # seconds; plus three times the slowest test's time without a mutant
_BASELINE_TIMEOUT = 300  # seconds for each test, before their times are known
_LIST = "import json, sys, azionelab, tests.conftest; print(json.dumps(list(sys.modules)))"
_OUTPUT = Path("mutant.log").absolute()
_REPORT = Path("mutant.json").absolute()
_NOTHING: dict[str, Any] = {"failed": [], "seconds": {}}


class _OrderAndReport:
    """A pytest plugin: orders the tests, and records their times and failures."""

    def __init__(self, order: list[str], timeout: float) -> None:
        self.order = order
        self.timeout = timeout
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        rank = {name: number for number, name in enumerate(self.order)}
        items.sort(key=lambda item: rank.get(item.nodeid, len(rank)))

    def pytest_runtest_logstart(self) -> None:
        _set_alarm(self.timeout)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)


class _Trials:
    def __init__(self, tests: list[str]) -> None:
        self.tests = tests
        self.order: list[str] = []
        self.timeout: float = _BASELINE_TIMEOUT  # seconds, for each test

    def baseline(self) -> None:
        """Run the tests on the unchanged module; they must pass."""
        status, report = self._run()
        if status != 0:
            raise SystemExit(f"the tests fail without a change:\n{_OUTPUT.read_text()}")
        seconds = report["seconds"]
        self.order = sorted(seconds, key=seconds.__getitem__)
        # The first test's time includes the shared fixtures.
        self.timeout = _TIMEOUT + 3 * max(seconds.values())
        # Only mutants are compiled from here on: do not keep their bytecode.
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True

    def outcome(self) -> Outcome:
        """Run the tests on the mutant in the module's file."""
        status, report = self._run()
        if status == -signal.SIGALRM:
            return "never ended"
        if status == _NO_TESTS:
            raise SystemExit(f"no tests were found: {' '.join(self.tests)}")
        for name in report["failed"]:
            self.order = [name, *(other for other in self.order if other != name)]
        return "noticed" if status else "survived"

    def _run(self) -> tuple[int, dict[str, Any]]:
        _REPORT.unlink(missing_ok=True)
        pid = os.fork()
        if not pid:
            self._child()
        with _killed_after(pid):
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return status, json.loads(_REPORT.read_text()) if _REPORT.exists() else _NOTHING

    def _child(self) -> None:
        status = 1
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        _set_alarm(self.timeout)
        with _OUTPUT.open("wb") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        try:
            telling = _OrderAndReport(self.order, self.timeout)
            options = ["-x", "-q", "-p", "no:cacheprovider", "-W", _PRELOADED]
            status = int(pytest.main([*options, *self.tests], plugins=[telling]))
            report = {"failed": telling.failed, "seconds": telling.seconds}
            _REPORT.write_text(json.dumps(report))
        except BaseException:  # noqa: BLE001 (the fork must never return into its parent's code)
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _set_alarm(seconds: float) -> None:
    """Let SIGALRM end this process after `seconds`, unless another call comes first."""
    signal.alarm(math.ceil(seconds))


@contextlib.contextmanager
def _killed_after(pid: int) -> Iterator[None]:
    try:
        yield
    finally:
        # Including processes that the tests left behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def main(module: Path, tests: list[str]) -> None:
    """Test mutants until standard input ends."""
    trials = _Trials(tests)
    for line in sys.stdin:
        source = json.loads(line)
        if source is None:
            trials.baseline()
            outcome: Outcome = "survived"
        else:
            module.write_text(source, encoding="utf-8")
            outcome = trials.outcome()
        print(json.dumps(outcome), flush=True)


def _preload_libraries() -> None:
    listed = subprocess.run([sys.executable, "-c", _LIST], capture_output=True, check=True)
    for name in json.loads(listed.stdout):
        if not name.startswith(_OURS):
            with contextlib.suppress(Exception):
                importlib.import_module(name)


if __name__ == "__main__":
    # An exception, so that the running fork is killed too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    _preload_libraries()
    main(Path(sys.argv[1]), sys.argv[2:])

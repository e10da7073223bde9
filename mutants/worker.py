"""Tries mutants in a copy of this folder: reads one a line, answers what came of it.

Started by `mutants.crew` in the copy. What the application and its tests import from other people is
imported once, here; each mutant is then tried in a fork, which begins with pytest's own work. The test
that noticed a mutant is the first to be asked about the next, and quick tests come before slow ones.
A test that takes much longer than without a mutant ends the fork.
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

# A mutant in whose way the tests hang never ends, and neither may a slow run of them: it is no kill.
Outcome = Literal["noticed", "survived", "never ended"]

_OURS = ("azionelab", "bare_machine", "tests", "migrations", "mutants", "__main__", "conftest")
_PRELOADED = "ignore::pytest.PytestAssertRewriteWarning"
_NO_TESTS = 5  # pytest's exit status
_PATIENCE = 40  # seconds, and a few times what the slowest test takes without a mutant
_UNKNOWN = 300  # seconds that a test may take while nothing is known of them yet
_LIST = "import json, sys, azionelab, tests.conftest; print(json.dumps(list(sys.modules)))"
_OUTPUT = Path("mutant.log").absolute()
_REPORT = Path("mutant.json").absolute()
_NOTHING: dict[str, Any] = {"failed": [], "seconds": {}}


class _TellingFirst:
    """Orders the tests, and notes how long each takes and which one fails."""

    def __init__(self, order: list[str], patience: float) -> None:
        self.order = order
        self.patience = patience
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        place = {name: number for number, name in enumerate(self.order)}
        items.sort(key=lambda item: place.get(item.nodeid, len(place)))

    def pytest_runtest_logstart(self) -> None:
        _end_after(self.patience)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)


class _Trials:
    def __init__(self, tests: list[str]) -> None:
        self.tests = tests
        self.order: list[str] = []
        self.patience: float = _UNKNOWN  # seconds, for each test

    def baseline(self) -> None:
        """Run the tests on the module as it is; they have to pass."""
        status, report = self._run()
        if status != 0:
            raise SystemExit(f"the tests fail without a change:\n{_OUTPUT.read_text()}")
        seconds = report["seconds"]
        self.order = sorted(seconds, key=seconds.__getitem__)
        # Whichever test comes first also makes what all of them use.
        self.patience = _PATIENCE + 3 * max(seconds.values())
        # What is compiled from now on is a mutant.
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True

    def outcome(self) -> Outcome:
        """What comes of the mutant that stands in the module."""
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
        with _ending(pid):
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return status, json.loads(_REPORT.read_text()) if _REPORT.exists() else _NOTHING

    def _child(self) -> None:
        status = 1
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        _end_after(self.patience)
        with _OUTPUT.open("wb") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        try:
            telling = _TellingFirst(self.order, self.patience)
            options = ["-x", "-q", "-p", "no:cacheprovider", "-W", _PRELOADED]
            status = int(pytest.main([*options, *self.tests], plugins=[telling]))
            report = {"failed": telling.failed, "seconds": telling.seconds}
            _REPORT.write_text(json.dumps(report))
        except BaseException:  # noqa: BLE001 (a fork must not go on in its parent's place)
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _end_after(seconds: float) -> None:
    """Let this process be ended then, wherever it hangs, unless it is told another time before."""
    signal.alarm(math.ceil(seconds))


@contextlib.contextmanager
def _ending(pid: int) -> Iterator[None]:
    try:
        yield
    finally:
        # Also what the tests started and left behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def main(module: Path, tests: list[str]) -> None:
    """Serve trials until standard input ends."""
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


def _import_what_others_wrote() -> None:
    listed = subprocess.run([sys.executable, "-c", _LIST], capture_output=True, check=True)
    for name in json.loads(listed.stdout):
        if not name.startswith(_OURS):
            with contextlib.suppress(Exception):
                importlib.import_module(name)


if __name__ == "__main__":
    # By an exception, so that the fork at work ends as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    _import_what_others_wrote()
    main(Path(sys.argv[1]), sys.argv[2:])

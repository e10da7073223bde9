"""Programs started for a test: their output, polling for conditions, and their end with all children."""

import contextlib
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
# A command prefix that takes root's right to other users' files.
AS_NO_SUPERUSER = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
)
# The timeout of all waits in tests, in seconds: long, so that tests do not fail on a busy machine. TEST_PATIENCE
# scales it, as in TEST_PATIENCE=5 on a slow machine.
PATIENCE = 180 * float(os.environ.get("TEST_PATIENCE", "1"))

T = TypeVar("T")


def _ports() -> Iterator[int]:
    """Ports outside Linux's range for outgoing connections (32768 up), different for each process of this run.

    Each is returned once, so that a free port stays free until its server starts.
    """
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ours = range(10_000, 32_768)[process::processes]
    # A random start makes collisions with another run on this machine unlikely.
    begin = random.randrange(len(ours))
    return itertools.cycle(itertools.chain(ours[begin:], ours[:begin]))


_PORTS = _ports()


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings and the variables that programs need, without the developer's environment."""
    kept = ("PATH", "HOME", "TMPDIR", "LANG")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    return environment | {"FLASK_SKIP_DOTENV": "1", "PYTHONUNBUFFERED": "1"} | dict(settings)


def free_port() -> int:
    """A free TCP port of 127.0.0.1."""
    (port,) = free_ports(1)
    return port


def free_ports(count: int) -> list[int]:
    """Different free TCP ports of 127.0.0.1."""
    return list(itertools.islice(filter(_is_free, _PORTS), count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def eventually(ask: Callable[[], T], what: str) -> T:
    """Ask until the answer is true and return it; fail, saying `what` was awaited.

    Polls less often the longer it waits, since polling slows down what it waits for.
    """
    began = time.monotonic()
    while not (answer := ask()):
        waited = time.monotonic() - began
        assert waited < PATIENCE, f"waited {PATIENCE} s in vain for {what}"
        time.sleep(min(max(0.02, waited / 10), 0.5))
    return answer


class Program:
    """A running program and its children."""

    def __init__(
        self, command: Sequence[str | Path], settings: Mapping[str, str], log: Path, **how: Any
    ) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                env=clean_environment(settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **({"cwd": ROOT} | how),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        """Its output so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, ask: Callable[[], T], what: str) -> T:
        """Like `eventually`, but fail at once, with its output, when the program ends."""

        def still_running_and_ready() -> T:
            assert self._process.poll() is None, f"ended before {what}:\n{self.output}"
            return ask()

        try:
            return eventually(still_running_and_ready, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output}") from None

    def wait(self) -> int:
        """Wait until it ends by itself; returns its exit status."""
        return self._process.wait(PATIENCE)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program itself, not to its children."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it and its children with SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """End it with SIGTERM; fails if it does not end."""
        if self._process.poll() is None:
            self.send(signal.SIGTERM)
        try:
            return self._process.wait(PATIENCE)
        finally:
            self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

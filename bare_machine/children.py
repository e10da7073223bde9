"""The processes that `make run` starts, watches and stops together."""

import ctypes
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_PATIENCE_SECONDS = 60
_GRACE_SECONDS = 10
_PR_SET_PDEATHSIG = 1  # prctl(2)


class ChildEnded(Exception):
    """A required process ended or does not answer."""


class Children:
    """Child processes with one environment, each in its own session, so that Ctrl-C reaches only the parent."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, module: list[str]) -> None:
        """Run a Python module; messages call it `name`."""
        self._running[name] = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", *module],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            # This process has one thread, so running code between fork and exec is safe.
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )

    def wait_until_answering(self, port: int, site: str, stop: threading.Event) -> bool:
        """Wait until the site answers (True) or `stop` is set (False); raises ChildEnded."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not stop.wait(0.1):
            self._check()
            if _is_healthy(port, urlsplit(site).netloc):
                return True
            if time.monotonic() > deadline:
                raise ChildEnded(f"the site did not answer within {_PATIENCE_SECONDS} seconds")
        return False

    def watch(self, stop: threading.Event) -> None:
        """Wait until `stop` is set; raises ChildEnded when a process ends by itself."""
        while not stop.wait(0.2):
            self._check()

    def _check(self) -> None:
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ChildEnded(f"{name} ended by itself (status {process.returncode})")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + _GRACE_SECONDS
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            # Kill the session: a child that hangs, and children of one that was killed.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _is_healthy(port: int, host: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/health", headers={"Host": host})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end_with_parent() -> None:
    """Have Linux send this process SIGTERM when its parent dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

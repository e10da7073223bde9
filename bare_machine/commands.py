"""Runs `flask` commands in one process: loading the application takes longer than most of them."""

import json
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self


class CommandFailed(Exception):
    """A command ended with an error; the message is what it printed."""


class Commands:
    """`flask` commands in one environment. Their process is started with the first one."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        self._undo = ExitStack()
        self._printed = self._undo.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        ours, theirs = socket.socketpair()
        self._theirs = self._undo.enter_context(theirs)
        self._line = self._undo.enter_context(self._undo.enter_context(ours).makefile("rwb"))
        self._started = False

    def run(self, *arguments: str) -> None:
        """Run `flask ARGUMENTS` to its end; raises CommandFailed."""
        if not self._started:
            self._start()
        answer = b""
        with suppress(ConnectionError):  # the application did not load; it has printed why
            self._line.write(json.dumps(arguments).encode() + b"\n")
            self._line.flush()
            answer = self._line.readline()
        if answer != b"0\n":
            self._printed.seek(0)
            raise CommandFailed(self._printed.read().decode(errors="replace"))

    def _start(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "bare_machine.command_server"],
            cwd=self._folder,
            env=self._environment,
            stdin=self._theirs.fileno(),
            stdout=self._printed,
            stderr=self._printed,
            start_new_session=True,  # the parent handles Ctrl-C, after the command
        )
        self._theirs.close()  # else the end of that process would not be noticed
        self._undo.callback(process.wait)
        self._undo.callback(process.kill)  # between two commands it has nothing to lose
        self._started = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._undo.close()

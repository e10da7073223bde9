"""Looks at the site once a second during a rush: the line, the seats, and CPU by program."""

import contextlib
import time
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg

_LINE = "SELECT joined, let_in FROM queue_line WHERE id = %s"
# Seats that nobody else can have: confirmed, or held for an answer.
_TAKEN = """
    SELECT coalesce(sum(seats), 0) FROM reservation
    WHERE performance_id = %s AND holds_seats AND (state = 'confirmed' OR state = 'pending' AND hold_expires_at > now())
"""


@dataclass(frozen=True)
class Sample:
    """One look. `at` is of the monotonic clock; `cpu` are seconds since the start, by program."""

    at: float
    joined: int
    let_in: int
    taken: int
    cpu: dict[str, float]


class Watch:
    """Takes samples of a line and a performance."""

    def __init__(
        self, database: "psycopg.Connection[Any]", performance: int, line: int,
        programs: dict[str, list[psutil.Process]],
    ) -> None:  # fmt: skip
        self.samples: list[Sample] = []
        self._database, self._performance, self._line = database, performance, line
        self._programs = programs
        self._seen: dict[str, dict[int, float]] = {name: {} for name in programs}

    def look(self) -> Sample:
        """Take a sample."""
        joined, let_in = self._database.execute(_LINE, [self._line]).fetchone() or (0, 0)
        (taken,) = self._database.execute(_TAKEN, [self._performance]).fetchone() or (0,)
        cpu = {name: self._cpu(name) for name in self._programs}
        self.samples.append(Sample(time.monotonic(), joined, let_in, taken, cpu))
        return self.samples[-1]

    def _cpu(self, name: str) -> float:
        """Seconds of the program's processes; of one that ended, as it was at the last look."""
        seen = self._seen[name]
        for first in self._programs[name]:
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in (first, *first.children(recursive=True)):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        times = process.cpu_times()
                        seen[process.pid] = times.user + times.system
        return sum(seen.values())

"""CPU time of the measured programs, and of whatever else the machine does meanwhile."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Use:
    """Seconds of CPU by program, and others' share of the machine (0 to 1)."""

    seconds: Mapping[str, float]
    foreign: float


class Usage:
    """What was used since it was made, by `programs`: each one's first process, by name."""

    def __init__(self, programs: Mapping[str, psutil.Process]) -> None:
        self._programs = programs
        self._before = self._look()

    def so_far(self) -> Use:
        """The use up to now."""
        seconds, own, busy, total = self._look()
        seconds_before, own_before, busy_before, total_before = self._before
        used = {name: after - seconds_before[name] for name, after in seconds.items()}
        foreign = (busy - busy_before) - (own - own_before)
        return Use(used, max(0.0, foreign / max(total - total_before, 1e-9)))

    def _look(self) -> tuple[dict[str, float], float, float, float]:
        """Seconds of each program, of all that are part of the bench, of the busy machine, and in all."""
        seconds = {name: _cpu(_family([first])) for name, first in self._programs.items()}
        machine = psutil.cpu_times()
        total = sum(machine) - machine.guest - machine.guest_nice  # these are in user and nice
        idle = machine.idle + machine.iowait
        return (
            seconds,
            _cpu(_family([psutil.Process(), *self._programs.values()])),
            total - idle,
            total,
        )


def _family(firsts: Iterable[psutil.Process]) -> set[psutil.Process]:
    found = set()
    for first in firsts:
        with contextlib.suppress(psutil.NoSuchProcess):
            found |= {first, *first.children(recursive=True)}
    return found


def _cpu(processes: Iterable[psutil.Process]) -> float:
    """Seconds of processes and of their children that have ended."""
    seconds = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            seconds += sum(process.cpu_times()[:4])
    return seconds

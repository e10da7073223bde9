"""Scenarios, each run several times between two runs of its floor: a machine's speed drifts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

import psutil

from bench.load import CONNECTIONS, Measured, put_load
from bench.usage import Usage

FLOOR_SHARE = 2  # a run of the floor takes a second part of a scenario's time


@dataclass(frozen=True)
class Scenario:
    """What is asked. `arguments` are load.lua's; a function gets the number of the run and makes them anew."""

    name: str
    address: str
    arguments: tuple[str, ...] | Callable[[int], tuple[str, ...]]
    until: Callable[[], object] | None = None  # its work is done, after each run

    def run(self, number: int, seconds: int, connections: int = CONNECTIONS) -> Measured:
        """Put load on it once."""
        made = self.arguments if isinstance(self.arguments, tuple) else self.arguments(number)
        return put_load(self.address, seconds, *made, connections=connections)


@dataclass(frozen=True)
class Row:
    """A scenario's runs: medians, but for what was refused or lost, which are sums, and the most of others' load.

    `ratio` is the rate as a multiple of the floor's; `spread` the distance of the slowest run and the fastest, as a
    share of the median; `cpu` milliseconds a request by program; `foreign` others' share of the machine (0 to 1).
    """

    name: str
    rate: float
    ratio: float
    spread: float
    p50: float
    p95: float
    p99: float
    longest: float
    refused: int
    lost: int
    cpu: Mapping[str, float]
    foreign: float


@dataclass(frozen=True)
class Run:
    """One run, with the floor's rate around it, and what it used."""

    measured: Measured
    floor: float
    cpu: Mapping[str, float]
    foreign: float


class Turns:
    """Runs scenarios between runs of a floor."""

    def __init__(self, floor: Scenario, seconds: int, runs: int) -> None:
        self.seconds, self.runs = seconds, runs
        self._floor = floor
        self._floors: list[Run] = []

    def run(self, scenario: Scenario, programs: Mapping[str, psutil.Process]) -> Row:
        """Measure a scenario."""
        runs = []
        before = self._run_floor(programs)
        for number in range(self.runs):
            used = Usage(programs)
            measured = scenario.run(number, self.seconds)
            use = used.so_far()
            if scenario.until:
                scenario.until()
            after = self._run_floor(programs)
            cpu = {name: 1000 * cpu / measured.answered for name, cpu in use.seconds.items()}
            runs.append(Run(measured, (before + after) / 2, cpu, use.foreign))
            before = after
        row = summary(scenario.name, runs)
        print(f"{row.name}: {row.rate:.0f} a second, {row.ratio:.3f}", flush=True)
        return row

    def floor(self) -> Row:
        """All runs of the floor so far."""
        return summary(self._floor.name, self._floors)

    def _run_floor(self, programs: Mapping[str, psutil.Process]) -> float:
        used = Usage(programs)
        measured = self._floor.run(0, max(1, self.seconds // FLOOR_SHARE))
        self._floors.append(Run(measured, measured.rate, {}, used.so_far().foreign))
        return measured.rate


def summary(name: str, runs: list[Run]) -> Row:
    """A row of the runs."""
    measured = [run.measured for run in runs]
    rates = [one.rate for one in measured]
    return Row(
        name,
        rate=median(rates),
        ratio=median(run.measured.rate / run.floor for run in runs),
        spread=(max(rates) - min(rates)) / max(median(rates), 1e-9),
        p50=median(one.p50 for one in measured),
        p95=median(one.p95 for one in measured),
        p99=median(one.p99 for one in measured),
        longest=max(one.longest for one in measured),
        refused=sum(one.refused for one in measured),
        lost=sum(one.lost for one in measured),
        cpu={name: median(run.cpu[name] for run in runs) for name in runs[0].cpu},
        foreign=max(run.foreign for run in runs),
    )

"""The table of a rush in Markdown, and the plot of its line."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.plot import Axis, draw_lines
from rush.clients import Gathered
from rush.findings import Facts, fair_share, rank_correlation
from rush.people import Kind
from rush.watch import Sample

_BUSIEST = 10  # seconds
LOT_SECONDS = 60  # within which everybody loads the page for their number (static_frontend/src/booking/line.ts)
_TICKS = (1, 2, 5)


@dataclass(frozen=True)
class Log:
    """nginx's access log: how many answers had which status, and how those to the line's state were made."""

    statuses: Counter[int]
    states: Counter[str]  # by nginx's cache status

    @classmethod
    def read(cls, log: Path) -> "Log":
        """Count the lines of a log."""
        statuses: Counter[int] = Counter()
        states: Counter[str] = Counter()
        with log.open(encoding="utf-8") as lines:
            for line in lines:
                request: dict[str, Any] = json.loads(line)
                statuses[request["status"]] += 1
                if request["path"].endswith("/state"):
                    states[request["cache"]] += 1
        return cls(statuses, states)

    @property
    def failed(self) -> int:
        """Answers with 5xx."""
        return sum(count for status, count in self.statuses.items() if status >= 500)

    @property
    def kept_states(self) -> int:
        """Answers about the line that nginx made without the application."""
        return sum(self.states[each] for each in ("HIT", "STALE", "UPDATING"))


@dataclass(frozen=True)
class Run:
    """A rush as it was measured. `opens` is of the samples' clock; `sold_out` is None when it never was."""

    facts: Facts
    gathered: Gathered
    samples: Sequence[Sample]
    log: Log
    opens: float
    sold_out: float | None
    cores: int

    def cpu(self, name: str, start: float, end: float) -> float | None:
        """A program's share of all cores between two moments; None when there are no two looks between them."""
        return cpu_share(self.samples, name, start, end, self.cores)

    def busiest(self, name: str) -> float:
        """A program's largest share of all cores in ten seconds after the opening."""
        starts = [each.at for each in self.samples if each.at >= self.opens]
        shares = (self.cpu(name, start, start + _BUSIEST) for start in starts)
        return max((share for share in shares if share is not None), default=0.0)


def cpu_share(
    samples: Sequence[Sample], name: str, start: float, end: float, cores: int
) -> float | None:
    """A program's share of so many cores between two moments; None when fewer than two samples are between them."""
    between = [sample for sample in samples if start <= sample.at <= end]
    if len(between) < 2:
        return None
    seconds = between[-1].at - between[0].at
    return (between[-1].cpu[name] - between[0].cpu[name]) / seconds / cores


def write_rows(run: Run) -> Iterator[tuple[str, str]]:
    """What was measured, and its figure."""
    facts, gathered = run.facts, run.gathered
    kinds = Counter(story.person.kind for story in facts.stories)
    lot = sorted((p for p in facts.places if p.by_lot), key=lambda place: place.joined_at)
    end = run.sold_out or run.samples[-1].at
    yield "visitors", ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
    yield "places in line; of these by lot", f"{len(facts.places):,}; {len(lot):,}"
    yield "let in", f"{sum(p.let_in_at is not None for p in facts.places):,}"  # fmt: skip
    correlation = rank_correlation([place.number for place in lot])
    yield "rank correlation of arrival and number in the lot", f"{correlation:+.3f}"
    yield "visitors who saw position or minutes grow", f"{sum(bool(s.said.grew) for s in facts.stories)}"  # fmt: skip
    yield "seats confirmed or held; of", f"{facts.taken}; {facts.seats}"
    yield "from the opening to the last seat", _minutes(run.sold_out - run.opens) if run.sold_out else "not reached"  # fmt: skip
    yield "scripts' share of the places", _percent(_of_scripts(run), len(facts.places))
    fair, deviation = fair_share(facts)
    yield (
        "scripts' share of the seats; what their places in the lot and the seats of a booking explain",
        f"{facts.share:.0%}; {fair:.0%} (± {deviation:.0%} by the lot's chance)",
    )
    waits = [s.let_in_at - max(s.joined_at, run.opens) for s in facts.stories if s.let_in_at and s.joined_at]  # fmt: skip
    yield "wait of those let in, after the opening: median, p95", _spread(waits, _minutes)
    for name in run.samples[0].cpu:
        drawn = run.opens + LOT_SECONDS
        shares = (
            run.cpu(name, run.samples[0].at, run.opens),
            run.cpu(name, run.opens, drawn),
            run.cpu(name, drawn, end),
        )
        told = [_percent_of(share) for share in (*shares, run.busiest(name))]
        what = (
            f"CPU of {name}, of all cores: before the opening; the minute of the lot, in which everybody loads the page;"
            " while people waited, from then on to the last seat; busiest ten seconds"
        )
        yield what, "; ".join(told)
    yield "requests; answered with 5xx, or not at all", f"{run.log.statuses.total():,}; {facts.failed}"  # fmt: skip
    yield "answered with 429", f"{run.log.statuses[429]:,}"
    yield (
        "asked how far the line is; answered from nginx's cache",
        f"{run.log.states.total():,}; {_percent(run.log.kept_states, run.log.states.total())}",
    )
    for what, seconds in sorted(gathered.seconds.items()):
        yield f"answers ({what}): median, p95", _spread(seconds, _milliseconds)
    ends = Counter(story.end for story in facts.stories)
    yield "what became of them", "; ".join(f"{end}: {count:,}" for end, count in ends.most_common())


def draw_run(run: Run) -> str:
    """The line over time: who joined, who was let in, and the seats."""
    shown = [sample for sample in run.samples if sample.at <= (run.sold_out or math.inf) + 60]
    at = [(sample.at - run.opens) / 60 for sample in shown]
    lines = {
        "places given": [float(sample.joined) for sample in shown],
        "waiting": [float(sample.joined - sample.let_in) for sample in shown],
        "let in": [float(sample.let_in) for sample in shown],
        "seats taken": [float(sample.taken) for sample in shown],
    }
    top = max(max(values) for values in lines.values())
    x_step, y_step = _step(at[-1] - at[0]), _step(top)
    first = math.ceil(at[0] / x_step)
    return draw_lines(
        "The line during the sale, by minutes from the opening",
        {name: list(zip(at, values, strict=True)) for name, values in lines.items()},
        Axis(
            at[0],
            at[-1],
            [(n * x_step, f"{n * x_step:g}") for n in range(first, math.floor(at[-1] / x_step) + 1)],
            "minutes from the opening",
        ),
        Axis(0, top, [(n * y_step, f"{n * y_step:,.0f}") for n in range(math.floor(top / y_step) + 1)]),
    )  # fmt: skip


def _step(length: float) -> float:
    """A round distance of which four to ten fit into a length."""
    power = 10.0 ** math.floor(math.log10(length / 5))
    return power * max(tick for tick in _TICKS if power * tick <= length / 4)


def _of_scripts(run: Run) -> int:
    return sum(s.person.kind is Kind.SCRIPT and s.joined_at is not None for s in run.facts.stories)


def _spread(values: list[float], write: Any) -> str:
    if not values:
        return "none"
    ordered = sorted(values)
    return f"{write(median(ordered))}, {write(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))])}"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def _percent_of(share: float | None) -> str:
    return "none" if share is None else f"{share:.0%}"


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "none"

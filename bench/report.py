"""The text of `make bench` for docs/performance.md: tables, and which goals are reached."""

import datetime
import json
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.cost import WRITTEN
from bench.crowd import SEATS, TRIES, Stampede
from bench.delivery import Mails
from bench.floors import CLIENTS, Floor
from bench.load import CONNECTIONS
from bench.turns import Row

WEB, POSTGRESQL, NGINX = "web", "PostgreSQL", "nginx"
_COLUMNS = (
    "scenario", "a second", "of its floor", "spread", "p50 ms", "p95 ms", "p99 ms",
    "CPU ms: web", "PostgreSQL", "SQL statements", "others %", "refused", "lost",
)  # fmt: skip
# Scenarios that bench/cost.json counts under another name.
_COUNTED = {"sync, nothing new": "sync, nothing new, kept"}


@dataclass(frozen=True)
class Found:
    """All figures of one run. `door` is a paragraph on the door, `start` seconds, `memory` MB."""

    rows: list[Row]  # the hello-world first
    floors: list[Floor]
    through_nginx: tuple[Row, Row]  # the file, and the programme
    clients: dict[int, Row]
    spread: tuple[Row, Row]
    stampede: Stampede
    memory: float
    start: float
    mails: Mails
    door: str

    def named(self, name: str) -> Row:
        """A scenario's row."""
        return next(row for row in self.rows if row.name == name)


@dataclass(frozen=True)
class Goal:
    """What is to be reached, what was measured, and whether that is enough."""

    name: str
    to_reach: str
    measured: str
    reached: bool


def report(found: Found) -> str:
    """Everything in Markdown. bench/capacity.py reads its first line, the rows, the memory and the mails."""
    mails = found.mails
    parts = [
        [machine()],
        _scenarios(found),
        [
            (
                f"Memory: {found.memory:.0f} MB a worker as its share, PSS. {mails.number} mails in {mails.seconds:.0f} s"
                f" ({mails.rate:.0f} a second); the last one left {mails.last:.1f} s after the last booking."
            )
        ],
        _smallest(found),
        _many_clients(found),
        ["![Milliseconds of a booking by the number of clients at one performance](clients.svg)"],
        [
            (
                f"{TRIES:,} visitors who try at once to book one of {SEATS} seats by API, each on a connection of their"
                f" own, are answered in {found.stampede.seconds:.1f} s (the slowest run {found.stampede.slowest:.1f} s);"
                f" they hold at most {found.stampede.held} seats unconfirmed."
            )
        ],
        [found.door],
        table(("to reach", "goal", "measured", "reached"), _goal_lines(found), "lrrl"),
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def goals(found: Found) -> list[Goal]:
    """The goals of speed, on one performance with durability on."""

    def at_least(name: str, least: float, value: float) -> Goal:
        return Goal(name, f"at least {least:g}", f"{value:.3f}", value >= least)

    def at_most(name: str, most: float, value: float, unit: str) -> Goal:
        return Goal(name, f"at most {most:g}{unit}", f"{value:.1f}{unit}", value <= most)

    one, many = found.spread
    _, page = found.through_nginx
    few = found.clients[8].rate
    return [
        at_least("booking by API, of the hello-world", 0.15, found.named("booking by API").ratio),
        at_least("booking by form, of the hello-world", 0.10, found.named("booking by form").ratio),
        at_least("admission, of the hello-world", 0.25, found.named("admission").ratio),
        at_least(
            "sync with nothing new, of the hello-world",
            0.15,
            found.named("sync, nothing new").ratio,
        ),
        at_least("programme from nginx' cache, of a file", 0.8, page.ratio),
        at_most("p99 of a booking, 32 clients", 250, found.clients[32].p99, " ms"),
        *(
            at_most(f"p99 of a booking, times its p50, {clients} clients", 4, row.p99 / row.p50, "")
            for clients, row in found.clients.items()
            if clients in (64, 256)
        ),
        at_most(f"{TRIES:,} tries for {SEATS} seats", 3, found.stampede.seconds, " s"),
        at_least("rate over 100 performances, of one", 1.3, many.rate / one.rate),
        at_least("rate of 64 clients, of 8", 1.0, found.clients[64].rate / few),
        at_least("mails a second of a worker (three times 52)", 156, found.mails.rate),
        at_most("memory of a web worker", 120, found.memory, " MB"),
        at_most("a backend answers after its start", 3, found.start, " s"),
    ]


def _goal_lines(found: Found) -> Iterator[tuple[str, ...]]:
    for goal in goals(found):
        yield goal.name, goal.to_reach, goal.measured, "yes" if goal.reached else "**no**"


def machine() -> str:
    """Where and with what it was measured."""
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores,{_processor()}"
        f" {psutil.virtual_memory().total / 2**30:.0f} GiB, Linux {platform.release().split('-')[0]},"
        f" Python {platform.python_version()}, gunicorn 2 workers x 4 threads, {CONNECTIONS}"
        " connections, PostgreSQL 18 with durability on, all on one machine."
    )


def _processor() -> str:
    """The processor's name, where Linux knows it."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return f" {value.strip()},"
    return ""


def _scenarios(found: Found) -> list[str]:
    counted = json.loads(WRITTEN.read_text(encoding="utf-8"))["actions"]
    lines = []
    for row in [*found.rows, *found.through_nginx]:
        statements = counted.get(_COUNTED.get(row.name, row.name), {}).get("statements", "")
        cpu = [f"{row.cpu[name]:.2f}" if name in row.cpu else "" for name in (WEB, POSTGRESQL)]
        lines.append(
            (
                row.name, f"{row.rate:.0f}", f"{row.ratio:.3f}", f"{row.spread:.0%}", f"{row.p50:.1f}",
                f"{row.p95:.1f}", f"{row.p99:.1f}", *cpu, str(statements), f"{row.foreign:.0%}",
                str(row.refused), str(row.lost),
            )
        )  # fmt: skip
    return table(_COLUMNS, lines, "l" + "r" * (len(_COLUMNS) - 1))


def _smallest(found: Found) -> list[str]:
    api = found.named("booking by API").rate
    lines = [
        (
            f"over {floor.performances}" if floor.performances > 1 else "of one performance",
            f"{floor.rate:.0f}", f"{floor.spread:.0%}", f"{floor.p50:.1f}", f"{floor.p95:.1f}", f"{floor.p99:.1f}",
            f"{api / floor.rate:.3f}",
        )
        for floor in found.floors
    ]  # fmt: skip
    head = (
        f"the smallest booking, {CLIENTS} connections", "a second", "spread", "p50 ms", "p95 ms", "p99 ms",
        "booking by API is, of it",
    )  # fmt: skip
    return table(head, lines, "lrrrrrr")


def _many_clients(found: Found) -> list[str]:
    lines = [
        (
            name, f"{row.rate:.0f}", f"{row.spread:.0%}", f"{row.p50:.0f}", f"{row.p95:.0f}", f"{row.p99:.0f}",
            f"{row.longest:.0f}", str(row.lost),
        )
        for name, row in [
            *((f"{clients} clients", row) for clients, row in found.clients.items()),
            *((f"32 clients, {row.name}", row) for row in found.spread),
        ]
    ]  # fmt: skip
    head = (
        "booking by API",
        "a second",
        "spread",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "longest ms",
        "lost",
    )
    return table(head, lines, "l" + "r" * 7)


def table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]], align: str) -> list[str]:
    """A table's lines in Markdown; `align` has an "l" or an "r" for each column."""
    rule = "|".join("--:" if one == "r" else "---" for one in align)
    return [f"| {' | '.join(head)} |", f"|{rule}|", *(f"| {' | '.join(line)} |" for line in lines)]

"""Capacity of one machine and of several, computed from a report of the bench, for docs/scaling.md."""

import re
from dataclasses import dataclass

_PROCESSES = 2  # that the bench runs
_ROWS = {
    "programme page": "programme page, kept for a second",
    "programme page, rendered for each request": "a page rendered for each request",
    "booking by form": "booking by form",
    "booking by API": "booking by API",
    "admission": "admission",
}
_PAGES, _POSTS = 3, 2  # the form, the mail's link and the ticket; the booking and its confirmation
_MAILS = 2
_THREADS, _OVERFLOW = 4, 2  # of each web process; connections that are opened in a rush


@dataclass(frozen=True)
class _Report:
    where: str
    cores: int
    rates: dict[str, float]
    memory: str
    mails: float

    def milliseconds(self, scenario: str) -> float:
        """Time of the whole machine per request."""
        return 1000 / self.rates[scenario]


def capacity(report: str) -> str:
    """Compute the Markdown of docs/scaling.md from that of docs/performance.md.

    Raises ValueError when the report lacks a figure.
    """
    read = _read(report)
    return f"{_one_machine(read)}\n\n{_many_times(read)}"


def _read(report: str) -> _Report:
    rates = {
        name: float(rate)
        for name, rate in re.findall(r"^\| ([^|]+?) \| (\d+) \| \d\.\d+ \|", report, re.M)
    }
    memory = re.search(r"^Memory: (\d+) MB a worker", report, re.M)
    mails = re.search(r"mails in \d+ s \((\d+) a second\)", report)
    cores = re.search(r"\b(\d+) cores,", report.partition("\n")[0])
    if not (cores and memory and mails and _ROWS.keys() <= rates.keys()):
        raise ValueError("the report lacks the cores, a scenario, the memory or the mails")
    return _Report(report.partition("\n")[0], int(cores[1]), rates, memory[1], float(mails[1]))


def _visitor(read: _Report) -> float:
    """Milliseconds of the machine per visitor who books, without mails."""
    return (
        read.milliseconds("programme page")
        + _PAGES * read.milliseconds("programme page, rendered for each request")
        + _POSTS * read.milliseconds("booking by form")
    )


def _one_machine(read: _Report) -> str:
    kept = read.milliseconds("programme page")
    page = read.milliseconds("programme page, rendered for each request")
    form, mail = read.milliseconds("booking by form"), 1000 / read.mails
    visitor = _visitor(read)
    at_once = 1000 / (visitor + _MAILS * mail)
    rows = "\n".join(
        f"| {told} | {read.rates[name]:.0f} | {read.milliseconds(name):.1f} ms |"
        for name, told in _ROWS.items()
    )
    return f"""Measured on {read.where}

| | a second | one costs, of the machine |
|---|--:|--:|
{rows}
| mail delivered | {read.mails:.0f} | {mail:.1f} ms |

A visitor who books costs {kept:.1f} + {_PAGES} x {page:.1f} + {_POSTS} x {form:.1f}, about {visitor:.1f} ms, and two
mails, {_MAILS * mail:.1f} ms, which may wait: **{1000 / visitor:.0f} visitors a second** while the mails queue,
{at_once:.0f} when their mails leave in the same second, {round(at_once * 3600, -3):,.0f} an hour. Memory:
{_PROCESSES} web processes of {read.memory} MB, and a worker of about that."""


def _many_times(read: _Report) -> str:
    visitors, core = 1000 / _visitor(read), read.cores * _visitor(read)
    mails, core_of_mail = _MAILS * visitors, read.cores * 1000 / read.mails
    lines = {
        "visitors who book, a second": visitors,
        f"cores for the web processes ({core:.0f} ms of a core a visitor)": read.cores,
        "mails a second, in the end": mails,
        f"cores for the workers ({core_of_mail:.0f} ms of a core a mail), if mail must keep up": (
            mails * core_of_mail / 1000
        ),
        f"web processes, one a core, {_THREADS} threads each": read.cores,
        f"database connections they may open (DATABASE_POOL_SIZE + {_OVERFLOW} each)": (
            read.cores * (_THREADS + _OVERFLOW)
        ),
        "database transactions that write, a second, and as many as mails": _POSTS * visitors,
    }
    table = [
        f"| {told} | " + " | ".join(f"{round(number) * times:,}" for times in (1, 10, 100)) + " |"
        for told, number in lines.items()
    ]
    return "\n".join(["| | one machine | 10 times | 100 times |", "|---|--:|--:|--:|", *table])

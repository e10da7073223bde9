"""What pages, searches, exports and actions take when a theatre keeps its years: from 1,000 to 1,000,000 reservations.

    python -m bench.growth [--write] [--most 100000]

Each size has ten times the reservations and the performances of the one before, a hundred parties an evening, and what
follows from them (bench/season.py): mails, scans, the log. Up to 300 performances are still to come. Requests are
answered in this process, without a server, so a figure is Python's time and PostgreSQL's together, the lowest of some
tries: other programs only ever add to it. A few milliseconds are not growth, so a step below _GRAIN is not counted.
Then the database is backed up and restored as docker/backup does it.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bare_machine.postgres_programs import programs
from bench.cost import Meter, Request, answer, as_proxied, meter
from bench.figures import write
from bench.pages import measure_files, measure_pages
from bench.season import Layout, fill
from bench.servers import ROOT, SECRET_KEY, flask, postgres, site_settings

COMMAND = "python -m bench.growth"
PAGE = ROOT / "docs" / "performance.md"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
MOST_GROWTH = 1.5  # times the smallest
_GRAIN = 3.0  # ms
_A_EVENING = 100  # parties
_COMING = 300
_WARM_UP, _TRIES = 8, 25
_VISITED = ("/it/", "/it/shows/show-1", "/it/season.ics", "/it/?view=calendar")
_LISTED = 12  # pages of the back office in the table


@dataclass(frozen=True)
class Size:
    """What was measured of a size: milliseconds by page or action; a database and its backup, in MB and seconds."""

    milliseconds: dict[str, float]
    megabytes: float
    dump_seconds: float
    dump_megabytes: float
    restore_seconds: float


def main() -> None:
    """Measure, print the table, and with --write put it into docs/performance.md."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--write", action="store_true", help="write the table into docs/")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="the largest size to measure")
    options = parser.parse_args()
    sizes = [size for size in SIZES if size <= options.most]
    measured = [_measure(size) for size in sizes]
    table = (
        f"{_report(sizes, [one.milliseconds for one in measured])}\n\n{_backups(sizes, measured)}"
    )
    print(table)
    if options.write:
        write(PAGE, table, COMMAND)


def _measure(reservations: int) -> Size:
    performances = reservations // _A_EVENING
    layout = Layout(
        f"{reservations:,}", days_before=max(30, performances), days_after=150,
        coming=min(performances // 2, _COMING), performances=performances,
        reservations=reservations, tonight=_A_EVENING,
    )  # fmt: skip
    begin = time.monotonic()

    def tell(what: str) -> None:
        took = time.monotonic() - begin
        print(
            f"{reservations:,} reservations: {what} after {took:.0f} s", file=sys.stderr, flush=True
        )

    with postgres() as (url, folder):
        settings = site_settings(url, 25)
        flask(settings, "db", "upgrade")
        with psycopg.connect(url, autocommit=True) as database:
            fill(database, layout)
            tell("filled")
            with meter(database, settings) as made:
                found = dict(_requests(made))
            tell("actions measured")
            # As bench.pages: an admin's browser, which speaks plain HTTP to this process.
            office = {"DATABASE_URL": url, "FLASK_DEBUG": "true", "SECRET_KEY": SECRET_KEY}
            found |= {name: page.fastest for name, page in measure_pages(office)}
            found |= dict(measure_files(office))
            tell("pages and exports measured")
            size = database.execute("SELECT pg_database_size(current_database())").fetchone()
            assert size
            database.execute("CREATE DATABASE restored")
            backup = _back_up(url, folder.with_suffix(".dump"))
            tell("backed up and restored")
        return Size(found, size[0] / 1e6, *backup)


def _back_up(url: str, file: Path) -> tuple[float, float, float]:
    """Seconds of a backup, its MB, and seconds of restoring it into an empty database."""
    # Not a package of this tree: it is installed with the backups' container.
    sys.path.insert(0, str(ROOT / "docker" / "backup"))
    from azionelab_backup.postgres import Database  # noqa: PLC0415

    os.environ["PATH"] = f"{programs()}:{os.environ['PATH']}"
    try:
        begin = time.monotonic()
        Database(url).dump(file, lambda _database: None)
        dumped = time.monotonic()
        empty = Database(urlsplit(url)._replace(path="/restored").geturl())
        empty.restore(file, replace=True, row_restored=lambda: None)
        return dumped - begin, file.stat().st_size / 1e6, time.monotonic() - dumped
    finally:
        file.unlink(missing_ok=True)


def _requests(made: Meter) -> Iterator[tuple[str, float]]:
    for name, requests in made.actions().items():
        for request in islice(requests, _WARM_UP):
            answer(*request)
        yield name, min(_milliseconds(request) for request in islice(requests, _TRIES))
    for path in _VISITED:
        request = made.uncached, as_proxied(path, "GET"), 200
        yield (
            f"`{path}`",
            min(_milliseconds((request[0], request[1].copy(), 200)) for _ in range(_TRIES)),
        )


def _milliseconds(request: Request) -> float:
    begin = time.perf_counter()
    answer(*request)
    return 1_000 * (time.perf_counter() - begin)


def _growth(times: list[float]) -> float:
    """The largest size's time as a multiple of the smallest one's."""
    return 1.0 if times[-1] - times[0] < _GRAIN else times[-1] / times[0]


def _report(sizes: list[int], measured: list[dict[str, float]]) -> str:
    rows = {
        name: [of_size[name] for of_size in measured]
        for name in measured[0]
        if all(name in of_size for of_size in measured)
    }
    grown = [name for name, times in rows.items() if _growth(times) > MOST_GROWTH]
    office = [name for name in rows if name.startswith("/admin/")]
    shown = [name for name in rows if name not in office]
    shown += sorted(office, key=lambda name: -_growth(rows[name]))[: max(_LISTED, len(grown))]
    where = (
        f"Milliseconds; {os.cpu_count()} CPUs, Python {platform.python_version()}. Of {len(rows)} pages, searches,"
        f" exports and actions {len(rows) - len(grown)} stay within {MOST_GROWTH} times from {sizes[0]:,} reservations to"
        f" {sizes[-1]:,}. Of the back office those that grow most are listed."
    )
    lines = [
        where,
        "",
        f"| | {' | '.join(f'{size:,}' for size in sizes)} | times |",
        f"|---|{'--:|' * (len(sizes) + 1)}",
    ]
    for name in shown:
        cell = f"`{name}`" if name in office else name
        times = " | ".join(f"{one:.1f}" for one in rows[name])
        lines.append(f"| {cell} | {times} | {_growth(rows[name]):.1f} |")
    return "\n".join(lines)


def _backups(sizes: list[int], measured: list[Size]) -> str:
    lines = [
        "| reservations | database, MB | backup, s | its file, MB | restored, s |",
        "|--:|--:|--:|--:|--:|",
    ]
    for size, one in zip(sizes, measured, strict=True):
        lines.append(
            f"| {size:,} | {one.megabytes:.0f} | {one.dump_seconds:.1f} | {one.dump_megabytes:.0f}"
            f" | {one.restore_seconds:.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()

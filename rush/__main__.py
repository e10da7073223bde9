"""Let thousands of visitors come to one sale with a queue; with --write put table and plot into docs/queue.md.

Everything runs on this machine, the visitors too. Exit status 1, with a sentence each, when a promise was not kept.
"""

import argparse
import datetime
import os
import platform
import time
from typing import Any

import psutil
import psycopg

from bench.figures import write
from bench.servers import ROOT
from rush.clients import Clients
from rush.findings import Facts, Place, problems
from rush.people import Kind, draw_people
from rush.site import APPLICATION, Site, open_sale, running_site
from rush.table import LOT_SECONDS, Log, Run, cpu_share, draw_run, write_rows
from rush.visit import Sale
from rush.watch import Watch

COMMAND = "make rush"
PAGE, PLOT = ROOT / "docs" / "queue.md", ROOT / "docs" / "queue-rush.svg"
_JOIN_A_SECOND, _LEAST_BEFORE = 20, 20  # visitors; seconds
_LATECOMERS = 0.3  # of the time before the opening, in which those come who come after it
_CORES = os.cpu_count() or 1
_START = 5  # seconds that the client processes need at most
_SEATS = """
    SELECT split_part(email, '-', 1), sum(seats) FROM reservation
    WHERE performance_id = %s AND holds_seats AND (state = 'confirmed' OR state = 'pending' AND hold_expires_at > now())
    GROUP BY 1
"""


def main() -> None:
    """Run a rush, print what was found, and end with status 1 when a promise was not kept."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--visitors", type=int, default=10_000, help="scripts among them (10,000)")
    parser.add_argument("--seats", type=int, default=500, help="of the performance (500)")
    parser.add_argument("--minutes", type=float, default=15, help="after the opening at most (15)")
    parser.add_argument("--clients", type=int, default=2, help="processes of visitors (2)")
    parser.add_argument("--seed", type=int, default=1, help="of the visitors (1)")
    parser.add_argument("--write", action="store_true", help="write table and plot into docs/")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with running_site() as site:
        run = _rush(site, options)
    rows = [f"| {what} | {figure} |" for what, figure in write_rows(run)]
    table = "\n".join([_where(load), "", "| what | figure |", "|---|---|", *rows])
    print(table)
    found = list(problems(run.facts))
    print("", *found or ["Every promise was kept."], sep="\n")
    if options.write:
        verdict = " ".join(found) or "Every promise was kept."
        picture = f"![The line during the sale]({PLOT.name})"
        write(PAGE, f"{picture}\n\n{table}\n\n{verdict}", COMMAND)
        PLOT.write_text(draw_run(run), encoding="utf-8")
    raise SystemExit(bool(found))


def _rush(site: Site, options: argparse.Namespace) -> Run:
    before = max(_LEAST_BEFORE, options.visitors / _JOIN_A_SECOND)
    people = draw_people(options.visitors, before, before * _LATECOMERS, options.seed)
    opens = time.monotonic() + before + _START
    opens_at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=before + _START)
    with psycopg.connect(site.database_url, autocommit=True) as database:
        performance, line = open_sale(database, options.seats, opens_at)
        sale = Sale(
            site.nginx.http_port,
            performance,
            site.database_url,
            opens,
            opens + 60 * options.minutes,
        )
        clients = Clients(people, sale, options.clients)
        programs = {name: [process] for name, process in site.programs.items()}
        programs["the visitors"] = [psutil.Process(pid) for pid in clients.pids]
        watch = Watch(database, performance, line, programs)
        while not clients.are_done():
            watch.look()
            time.sleep(1)
        last = watch.look()
        gathered = clients.gather()
        sold_out = next((each.at for each in watch.samples if each.taken >= options.seats), None)
        log = Log.read(site.nginx.folder / "access.log")
        booked = _booked(database, performance)
        facts = Facts(
            gathered.stories,
            _places(database, line, opens_at),
            options.seats,
            taken=last.taken,
            most_taken=max(each.taken for each in watch.samples),
            failed=log.failed + gathered.statuses[0],
            cpu=_cpu(watch, opens, sold_out),
            share=booked[Kind.SCRIPT] / max(1, sum(booked.values())),
            errors=gathered.errors,
        )
        return Run(
            facts,
            gathered,
            watch.samples,
            log,
            opens,
            sold_out,
            _CORES,
        )


def _cpu(watch: Watch, opens: float, sold_out: float | None) -> float | None:
    """While people waited: the minute after the lot, in which everybody loads the page, is reported apart."""
    if sold_out is None:
        return None
    return cpu_share(watch.samples, APPLICATION, opens + LOT_SECONDS, sold_out, _CORES)


def _places(
    database: "psycopg.Connection[Any]", line: int, opens_at: datetime.datetime
) -> list[Place]:
    rows = database.execute(
        "SELECT number, joined_at, let_in_at FROM queue_place WHERE line_id = %s", [line]
    )
    return [
        Place(
            number,
            joined_at < opens_at,
            joined_at.timestamp(),
            let_in_at.timestamp() if let_in_at else None,
        )
        for number, joined_at, let_in_at in rows
    ]


def _booked(database: "psycopg.Connection[Any]", performance: int) -> dict[Kind, int]:
    found = {name: int(seats) for name, seats in database.execute(_SEATS, [performance])}
    return {kind: found.get(kind.name.lower(), 0) for kind in Kind}


def _where(load: float) -> str:
    today = datetime.datetime.now(datetime.UTC)
    return (
        f"{today:%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}, PostgreSQL 18 with durability"
        f" on, nginx, two processes of gunicorn and the visitors on one machine; load before: {load:.1f}."
    )


if __name__ == "__main__":
    main()

"""The same site on other Python versions, and under granian in place of gunicorn, in one run.

    python -m bench.runtimes [--python 3.14=/path/to/python] [--granian] [--write]

A Python is named with the path of an interpreter that has what requirements.txt asks for. granian is tried with this
Python, as WSGI with as many processes and threads; it is no requirement of the site (`pip install granian`). All
variants serve one database, one after the other in each turn, and the first line is what production runs.
"""

import argparse
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

import psutil
import psycopg

from bench import crowd
from bench.cost import PAGE
from bench.data import make_performance
from bench.figures import write
from bench.load import Measured, put_load
from bench.report import WEB, machine, table
from bench.servers import Server, flask, free_ports, gunicorn, postgres, serve, site_settings
from bench.usage import Usage

COMMAND = "python -m bench.runtimes"
_HELLO, _SITE = "bench.hello:app", "wsgi:app"


@dataclass(frozen=True)
class Runtime:
    """A way to serve an application."""

    name: str
    python: str = sys.executable
    granian: bool = False

    @contextmanager
    def serve(self, application: str, port: int, settings: Mapping[str, str]) -> Iterator[Server]:
        """Serve it with two processes of four threads."""
        if not self.granian:
            with gunicorn(application, port, settings, python=self.python) as server:
                yield server
            return
        command = ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
        command += [
            "--workers",
            "2",
            "--blocking-threads",
            "4",
            "--backlog",
            "2048",
            "--no-access-log",
        ]
        with serve([*command, application], port, settings, python=self.python) as server:
            yield server


@dataclass(frozen=True)
class Served:
    """One variant's servers."""

    hello: Server
    site: Server


class Tried:
    """What a variant reached: rates of each turn, and milliseconds of CPU of its processes a booking."""

    def __init__(self) -> None:
        self.hello: list[Measured] = []
        self.page: list[Measured] = []
        self.booking: list[Measured] = []
        self.cpu: list[float] = []
        self.memory = 0.0


def main() -> None:
    """Measure, print the table, and with --write put it into docs/performance.md."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--granian", action="store_true")
    parser.add_argument("--seconds", type=int, default=4, help="of each run (4)")
    parser.add_argument("--runs", type=int, default=5, help="of each variant (5)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/")
    options = parser.parse_args()
    version = ".".join(map(str, sys.version_info[:3]))
    runtimes = [Runtime(f"gunicorn, Python {version}")]
    if options.granian:
        if not importlib.util.find_spec("granian"):
            raise SystemExit("runtimes: granian is not installed (pip install granian)")
        runtimes.append(Runtime(f"granian, Python {version}", granian=True))
    for given in options.python:
        name, _, path = given.partition("=")
        runtimes.append(Runtime(f"gunicorn, Python {name}", path))
    text = "\n".join([machine(), "", *_report(_measure(runtimes, options.seconds, options.runs))])
    print(text)
    if options.write:
        write(PAGE, text, COMMAND)


def _measure(runtimes: list[Runtime], seconds: int, runs: int) -> dict[str, Tried]:
    with postgres() as (url, _folder), ExitStack() as stack:
        settings = site_settings(url, 25) | {"PAGE_CACHE_SECONDS": "0"}
        flask(settings, "db", "upgrade")
        database = stack.enter_context(psycopg.connect(url, autocommit=True))
        for _ in range(8):
            make_performance(database)
        hot = crowd.booking_path(make_performance(database))
        ports = iter(free_ports(2 * len(runtimes)))
        served = {
            runtime.name: Served(
                stack.enter_context(runtime.serve(_HELLO, next(ports), settings)),
                stack.enter_context(runtime.serve(_SITE, next(ports), settings)),
            )
            for runtime in runtimes
        }
        tried = {runtime.name: Tried() for runtime in runtimes}
        for servers in served.values():
            crowd.settle(servers.site)
            put_load(servers.site.url + hot, 2, "api")
        for _ in range(runs):
            for name, servers in served.items():
                _run(servers, tried[name], hot, seconds)
                print(f"{name}: {tried[name].booking[-1].rate:.0f} bookings a second", flush=True)
        for name, servers in served.items():
            tried[name].memory = servers.site.megabytes_per_worker()
        return tried


def _run(servers: Served, tried: Tried, hot: str, seconds: int) -> None:
    tried.hello.append(put_load(servers.hello.url, max(1, seconds // 2), "get"))
    tried.page.append(put_load(f"{servers.site.url}/it/", seconds, "get"))
    used = Usage({WEB: psutil.Process(servers.site.pid)})
    tried.booking.append(put_load(servers.site.url + hot, seconds, "api"))
    tried.cpu.append(1000 * used.so_far().seconds[WEB] / tried.booking[-1].answered)


def _report(found: dict[str, Tried]) -> list[str]:
    first = next(iter(found.values()))
    rows = []
    for name, tried in found.items():
        cells = [name]
        for of, mine in (
            (first.hello, tried.hello), (first.page, tried.page), (first.booking, tried.booking),
        ):  # fmt: skip
            rate = median(one.rate for one in mine)
            times = median(b.rate / a.rate for a, b in zip(of, mine, strict=True))
            cells += [f"{rate:.0f}", f"{times:.2f}"]
        cells += [f"{median(one.p99 for one in tried.booking):.0f}", f"{median(tried.cpu):.2f}"]
        rows.append((*cells, f"{tried.memory:.0f}"))
    head = (
        "served by", "hello-world a second", "of the first", "rendered page", "of the first", "booking by API",
        "of the first", "its p99 ms", "its CPU ms", "MB a worker",
    )  # fmt: skip
    return table(head, rows, "l" + "r" * 9)


if __name__ == "__main__":
    main()

"""What single optimizations give: the same requests with and without each.

    python -m bench.ablation [--only NAME] [--write]

Two sites run on one database, one of them without the optimization (without.py).

- CPU time per request (web processes and PostgreSQL): both sites get single requests in turn. The lower quartile
  counts, since other programs of the machine only ever add to it.
- Requests per second: both sites get wrk's load in alternating turns. It depends on the machine's other load.

The row "nothing" compares two equal sites.
"""

import argparse
import datetime
import http.client
import json
import os
import platform
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil
import psycopg

from bench.data import make_devices, make_performance, make_tickets
from bench.figures import write
from bench.load import put_load
from bench.servers import HOST, ROOT, Server, flask, free_ports, gunicorn, postgres, site_settings
from bench.without import REPLACED

COMMAND = "python -m bench.ablation"
PAGE = ROOT / "docs" / "performance.md"
_SETTLED = 0.003  # seconds after an answer, in which the processes finish its request
_WARM_UP = 30  # requests
Database = psycopg.Connection[Any]


@dataclass(frozen=True)
class Request:
    """A request as Python sends it."""

    path: str
    headers: dict[str, str]
    body: str | None = None


@dataclass(frozen=True)
class Load:
    """A path, and load.lua's arguments for it."""

    path: str
    arguments: tuple[str, ...]


class Booking:
    """Bookings by API, all of one performance."""

    name = "booking by API"
    kind = "api"

    def __init__(self, database: Database, _folder: Path) -> None:
        self.path = f"/api/v1/performances/{make_performance(database)}/reservations"

    def requests(self) -> Iterator[Request]:
        """Each from a network and a mailbox of its own."""
        while True:
            address = ".".join(str(secrets.randbelow(254) + 1) for _ in range(3))
            headers = {
                "Content-Type": "application/json",
                "Idempotency-Key": str(uuid.uuid4()),
                "Accept-Language": "it",
                "X-Forwarded-For": f"10.{address}",
            }
            yield Request(self.path, headers, self.body())

    def body(self) -> str:
        """A valid one."""
        email = f"bench-{secrets.token_hex(8)}@example.org"
        facts = {"name": "Bench", "seats": 1, "consent": True, "locale": "en", "email": email}
        return json.dumps(facts)

    def load(self, _seconds: int) -> Load:
        """Load for so many seconds."""
        return Load(self.path, (self.kind,))


class RefusedBooking(Booking):
    """Bookings by API that are refused (422) for their fields."""

    name = "refused booking by API"
    kind = "invalid"

    def body(self) -> str:
        """One with an error in every field."""
        return json.dumps({"name": 1, "seats": 0, "consent": False, "places": 1})


class Admission:
    """Scans of tickets."""

    name = "admission"

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder

    def requests(self) -> Iterator[Request]:
        """Each ticket once."""
        path, codes, (token, *_) = self._stage(4_000)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        for code in codes:
            yield Request(path, headers, json.dumps({"scan_id": str(uuid.uuid4()), "code": code}))

    def load(self, seconds: int) -> Load:
        """Load for so many seconds: every tenth ticket is scanned twice."""
        path, codes, devices = self._stage(1_500 * seconds)
        files = self.folder / "tokens", self.folder / "codes"
        for file, lines in zip(files, (devices, codes), strict=True):
            file.write_text("\n".join(lines), encoding="ascii")
        return Load(path, ("scan", *map(str, files)))

    def _stage(self, tickets: int) -> tuple[str, list[str], list[str]]:
        performance = make_performance(self.database)
        codes = make_tickets(self.database, performance, tickets)
        devices = make_devices(self.database, performance, 200)
        return f"/api/v1/checkin/performances/{performance}/scans", codes, devices


Scenario = Booking | Admission
SCENARIOS: dict[str, list[Callable[[Database, Path], Scenario]]] = {
    "nothing": [Admission, Booking],
    "EXPECTED_PARTY": [Admission],
    "execute_autocommit": [Admission, Booking],
    "insert_with_commit": [Booking],
    "messages": [RefusedBooking],
}


def main() -> None:
    """Measure, print the table, and with --write put it into docs/performance.md."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--only", choices=REPLACED, help="measure this one alone")
    parser.add_argument("--requests", type=int, default=400, help="single ones, of each site (400)")
    parser.add_argument("--turns", type=int, default=6, help="of load, of each site (6)")
    parser.add_argument("--seconds", type=int, default=2, help="per turn (2)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/")
    options = parser.parse_args()
    with postgres() as (url, folder):
        rows = list(_rows(url, folder, options))
    table = "\n".join([_where(options), "", *_HEAD, *rows])
    print(table)
    if options.write:
        write(PAGE, table, COMMAND)


_HEAD = [
    "| without | scenario | ms of CPU, with | without | gain | a second, with | without | gain |",
    "|---|---|--:|--:|--:|--:|--:|--:|",
]


def _rows(database_url: str, folder: Path, options: argparse.Namespace) -> Iterator[str]:
    ports = free_ports(3)
    settings = site_settings(database_url, ports[2])
    flask(settings, "db", "upgrade")
    with (
        psycopg.connect(database_url, autocommit=True) as database,
        gunicorn("wsgi:app", ports[0], settings) as site,
    ):
        for name in [options.only] if options.only else SCENARIOS:
            with gunicorn("bench.without:app", ports[1], settings | {"WITHOUT": name}) as other:
                for make in SCENARIOS[name]:
                    scenario = make(database, folder)
                    times = _cpu_times((site, other), database, scenario, options.requests)
                    rates = _rates((site, other), scenario, options.turns, options.seconds)
                    yield (
                        f"| {name} | {scenario.name} | {times[0]:.2f} | {times[1]:.2f} |"
                        f" {times[1] / times[0] - 1:+.0%} | {rates[0]:.0f} | {rates[1]:.0f} |"
                        f" {rates[0] / rates[1] - 1:+.0%} |"
                    )


def _cpu_times(
    sites: tuple[Server, Server], database: Database, scenario: Scenario, number: int
) -> tuple[float, float]:
    """The lower quartiles of both sites' CPU time per request, in milliseconds."""
    clients = [http.client.HTTPConnection(site.url.removeprefix("http://")) for site in sites]
    masters = [(site.pid, _postmaster(database)) for site in sites]
    used: tuple[list[int], list[int]] = ([], [])
    requests = scenario.requests()
    for turn in range(number + _WARM_UP):
        for which in (0, 1) if turn % 2 else (1, 0):
            before = _cpu_nanoseconds(masters[which])
            _send(clients[which], next(requests))
            if turn >= _WARM_UP:
                used[which].append(_cpu_nanoseconds(masters[which]) - before)
    first, second = (quantiles(times, n=4)[0] / 1e6 for times in used)
    return first, second


def _send(client: http.client.HTTPConnection, request: Request) -> None:
    method = "POST" if request.body else "GET"
    client.request(method, request.path, request.body, {"Host": HOST, **request.headers})
    client.getresponse().read()
    time.sleep(_SETTLED)


def _postmaster(database: Database) -> int:
    parent = psutil.Process(database.info.backend_pid).parent()
    assert parent is not None
    return int(parent.pid)


def _cpu_nanoseconds(masters: Iterable[int]) -> int:
    """CPU time of all threads of these programs' child processes until now (Linux: schedstat)."""
    used = 0
    for master in masters:
        for child in Path(f"/proc/{master}/task/{master}/children").read_text().split():
            with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                for thread in Path(f"/proc/{child}/task").iterdir():
                    used += int((thread / "schedstat").read_text().split()[0])
    return used


def _rates(
    sites: tuple[Server, Server], scenario: Scenario, turns: int, seconds: int
) -> tuple[float, float]:
    """The medians of both sites' requests per second."""
    rates: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns + 1):
        for which in (0, 1) if turn % 2 else (1, 0):
            load = scenario.load(seconds)
            result = put_load(sites[which].url + load.path, seconds, *load.arguments)
            if turn:  # the first turn is the warm-up
                rates[which].append(result.answered / seconds)
    return median(rates[0]), median(rates[1])


def _where(options: argparse.Namespace) -> str:
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores,"
        f" Python {platform.python_version()}; {options.requests} single requests,"
        f" {options.turns} turns of {options.seconds} s."
    )


if __name__ == "__main__":
    main()

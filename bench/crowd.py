"""Bookings of a rush: more and more clients at one performance, 100 performances against one, more tries than seats."""

import asyncio
import time
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bench.data import make_performance
from bench.load import Measured
from bench.plot import Axis, draw_lines
from bench.servers import HOST, Server
from bench.turns import Row, Run, Scenario, summary

CLIENTS = (8, 32, 64, 256)
_SPREAD_OVER = 100  # performances
_SPREAD_CLIENTS = 32
TRIES, SEATS = 1_000, 200
_PATIENCE = 60  # seconds
_AT_REST = 0.2  # seconds: a page takes less while nobody else asks
Database = psycopg.Connection[Any]


def booking_path(performance: int) -> str:
    """Where the API takes bookings."""
    return f"/api/v1/performances/{performance}/reservations"


def by_clients(site: Server, database: Database, seconds: int, runs: int) -> dict[int, Row]:
    """Bookings of one performance by so many clients at once, in turns."""
    hot = Scenario("", site.url + booking_path(make_performance(database)), ("api",))
    measured: dict[int, list[Measured]] = {clients: [] for clients in CLIENTS}
    for number in range(runs):
        for clients in CLIENTS:
            measured[clients].append(hot.run(number, seconds, clients))
            settle(site)
    return {clients: _row(f"{clients} clients", made) for clients, made in measured.items()}


def spread(
    site: Server, database: Database, folder: Path, seconds: int, runs: int
) -> tuple[Row, Row]:
    """Bookings of one performance, and of 100, by as many clients, in turns."""
    paths = folder / "paths"
    made = [booking_path(make_performance(database)) for _ in range(_SPREAD_OVER)]
    paths.write_text("\n".join(made), encoding="ascii")
    one = Scenario("one performance", site.url + made[0], ("api",))
    many = Scenario(f"{_SPREAD_OVER} performances", site.url, ("spread", str(paths)))
    measured: tuple[list[Measured], list[Measured]] = [], []
    for number in range(runs):
        for scenario, of in zip((one, many), measured, strict=True):
            of.append(scenario.run(number, seconds, _SPREAD_CLIENTS))
            settle(site)
    return _row(one.name, measured[0]), _row(many.name, measured[1])


def settle(site: Server) -> None:
    """Wait until the site has done what clients that are gone have asked for."""
    took, until = _AT_REST, time.monotonic() + _PATIENCE
    while took >= _AT_REST and time.monotonic() < until:
        start = time.perf_counter()
        asked = urllib.request.Request(f"{site.url}/it/", headers={"Host": HOST})
        with urllib.request.urlopen(asked, timeout=_PATIENCE):
            took = time.perf_counter() - start


# Seats that are held: of other bookings the seats are taken when they are confirmed, as long as there are some.
_HELD = "SELECT coalesce(sum(seats), 0) FROM reservation WHERE performance_id = %s AND holds_seats"


@dataclass(frozen=True)
class Stampede:
    """Seconds until all tries are answered, the median and the slowest run; and the most seats that they hold."""

    seconds: float
    slowest: float
    held: int


def stampede(site: Server, database: Database, runs: int) -> Stampede:
    """1,000 visitors try at once to book one of 200 seats, each on a connection of their own.

    Raises SystemExit when a try is answered with an error, or more seats are held than there are.
    """
    took, held = [], []
    for _ in range(runs):
        performance = make_performance(database, SEATS)
        start = time.perf_counter()
        answers = asyncio.run(_try_all(site.url, booking_path(performance)))
        took.append(time.perf_counter() - start)
        held.append((database.execute(_HELD, [performance]).fetchone() or (0,))[0])
        if set(answers) != {202} or held[-1] > SEATS:
            raise SystemExit(f"bench: {TRIES} tries for {SEATS} seats: {set(answers)}, {held} held")
    return Stampede(median(took), max(took), max(held))


async def _try_all(url: str, path: str) -> list[int]:
    async with asyncio.timeout(_PATIENCE):
        return list(await asyncio.gather(*(_try(url, path, number) for number in range(TRIES))))


async def _try(url: str, path: str, number: int) -> int:
    """Try to book, and return the status."""
    where = urlsplit(url)
    body = f'{{"name":"Bench","seats":1,"consent":true,"locale":"en","email":"{uuid.uuid4()}@example.org"}}'
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nIdempotency-Key: {uuid.uuid4()}\r\n"
        f"X-Forwarded-For: 10.1.{number // 250}.{number % 250}\r\nConnection: close\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write((head + body).encode())
    status = int((await reader.read()).split(b" ", 2)[1])
    writer.close()
    return status


def _row(name: str, runs: list[Measured]) -> Row:
    row = summary(name, [Run(measured, measured.rate, {}, 0.0) for measured in runs])
    print(f"{name}: {row.rate:.0f} a second, p50 {row.p50:.0f}, p99 {row.p99:.0f} ms", flush=True)
    return row


def plot(rows: dict[int, Row]) -> str:
    """p50, p95 and p99 by number of clients, as SVG."""
    most = max(row.p99 for row in rows.values())
    step = next(step for step in (50, 100, 250, 500, 1000, 2500, 5000, 10000) if 6 * step >= most)
    ends = [(float(at), str(clients)) for at, clients in enumerate(rows)]
    lines = {
        name: [(float(at), getattr(row, name)) for at, row in enumerate(rows.values())]
        for name in ("p50", "p95", "p99")
    }
    return draw_lines(
        "Milliseconds of a booking by the number of clients at one performance",
        lines,
        Axis(0, len(rows) - 1, ends, "clients at once"),
        Axis(0, 6 * step, [(n * step, f"{n * step} ms") for n in range(7)]),
    )

"""Measure all scenarios, print the table, and with --write put it into docs/performance.md and docs/scaling.md.

Everything runs on this machine's loopback and ends by itself: each scenario is bounded by --seconds.
"""

import argparse
import asyncio
import datetime
import gzip
import json
import os
import platform
import re
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from aiosmtpd.controller import Controller

from azionelab.checkin.devices.invitations import make_invitation
from bench import camera
from bench.capacity import capacity
from bench.data import make_devices, make_performance, make_tickets, signing
from bench.door import DoorApp
from bench.door import measure as measure_app
from bench.figures import write
from bench.load import CONNECTIONS, Measured, put_load
from bench.servers import (
    HOST,
    ROOT,
    Server,
    flask,
    free_ports,
    gunicorn,
    postgres,
    program,
    site_settings,
)

SCANS = 20_000  # parties prepared for the door
REACH = {"programme": 0.25, "api": 0.08, "admission": 0.15}  # of the hello-world
DEVICES = 20  # phones at the doors of one performance
CROWD = 200  # devices that scan: no one of them tries more in a minute than a phone may
ASKS_EVERY = 1.5  # seconds between two syncs of a device
HOUSE_LIST = 2_000  # parties
APP_SCANS = 40  # of the door's app in a browser, with a network and as many without
MAX_MEGABYTES = 120  # of each web worker, as its share (PSS)
PAGE = ROOT / "docs" / "performance.md"
SCALING = ROOT / "docs" / "scaling.md"


class Bench:
    """Runs scenarios, each between two measurements of the hello-world, since a machine's speed drifts."""

    def __init__(self, hello: Server, seconds: int) -> None:
        self.seconds = seconds
        self.rows: list[Measured] = []
        self._hello = hello
        put_load(hello.url, "warm-up", 2, "get")
        self.hellos = [self._floor()]

    def run(
        self, address: str, name: str, *arguments: str, until: Callable[[], object] | None = None
    ) -> Measured:
        """Measure one scenario, wait `until` its work is done, and measure the hello-world again."""
        measured = put_load(address, name, self.seconds, *arguments)
        if until:
            until()
        self.hellos.append(self._floor())
        before, after = self.hellos[-2:]
        measured = replace(measured, floor=(before.rate + after.rate) / 2)
        self.rows.append(measured)
        return measured

    def _floor(self) -> Measured:
        return put_load(self._hello.url, "bare Flask hello-world", max(1, self.seconds // 2), "get")


def main() -> None:
    """Run all scenarios."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="per scenario (10)")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("bench: wrk is needed (Debian: apt-get install wrk)")
    with postgres() as (url, folder):
        report = measure(url, folder, options.seconds)
    print(report)
    seen = camera.measure()
    print(seen)
    if options.write:
        write(PAGE, report)
        write(PAGE, seen, camera.COMMAND)
        write(SCALING, capacity(report))


def measure(database_url: str, folder: Path, seconds: int) -> str:
    """Measure everything against `database_url` and return the report in Markdown."""
    ports = free_ports(3)
    settings = site_settings(database_url, ports[2])
    flask(settings, "db", "upgrade")
    with (
        psycopg.connect(database_url, autocommit=True) as database,
        gunicorn("bench.hello:app", ports[0], settings) as hello,
    ):
        bench = Bench(hello, seconds)
        with gunicorn("wsgi:app", ports[1], settings | {"PAGE_CACHE_SECONDS": "0"}) as site:
            for _ in range(8):
                make_performance(database)
            put_load(f"{site.url}/it/", "warm-up", 2, "get")
            bench.run(f"{site.url}/it/", "programme page, rendered for each request", "get")
        with gunicorn("wsgi:app", ports[1], settings) as site:
            _paused(bench, site, database)
            door = _door(bench, site, database, folder)
            delivered = _delivering(bench, site, database, settings, folder / "worker.log")
            memory = site.megabytes_per_worker()
        app = _app(database, settings, ports[1], folder)
    return _report(bench, memory, delivered, f"{door}.\n\n{app}")


def _app(
    database: psycopg.Connection[Any], settings: Mapping[str, str], port: int, folder: Path
) -> DoorApp:
    """Measure the door app in a browser, which opens sites without TLS on its own machine only."""
    address = f"http://127.0.0.1:{port}"
    near = {"FLASK_DEBUG": "true", "SITE_BASE_URL": address, "ALLOWED_HOSTS": "127.0.0.1"}
    near |= {"CSRF_TRUSTED_ORIGINS": address}
    evening = make_performance(database)
    tickets = make_tickets(database, evening, HOUSE_LIST)[: 2 * APP_SCANS]
    with signing():
        invitation = make_invitation(evening)
    with gunicorn("wsgi:app", port, {**settings, **near}):
        codes = [f"{address}/T/{ticket}" for ticket in tickets]
        return measure_app(f"{address}/checkin/app#join={invitation}", codes, folder)


def _paused(bench: Bench, site: Server, database: psycopg.Connection[Any]) -> None:
    """Scenarios without a mail worker: mails stay in the outbox."""
    put_load(f"{site.url}/it/", "warm-up", 2, "get")
    bench.run(f"{site.url}/it/", "programme page", "get")
    form = f"{site.url}/it/performances/{make_performance(database)}/book"
    bench.run(form, "booking by form", "form", *_open_form(form))
    bench.run(_booking_api(site, make_performance(database)), "booking by API", "api")
    # Which nothing limits and counts: what is left is the limits' cost.
    desk = "booking by API, from the box office"
    bench.run(_booking_api(site, make_performance(database)), desk, "box office")


def _door(bench: Bench, site: Server, database: psycopg.Connection[Any], folder: Path) -> str:
    """Many devices at one performance: scans, syncs, the house list. Returns a paragraph for the report."""
    evening = make_performance(database)
    codes, tokens = folder / "codes", folder / "tokens"
    codes.write_text("\n".join(make_tickets(database, evening, SCANS)), encoding="ascii")
    devices = make_devices(database, evening, CROWD)
    tokens.write_text("\n".join(devices), encoding="ascii")
    door = f"{site.url}/api/v1/checkin/performances/{evening}"
    bench.run(f"{door}/scans", "admission", "scan", str(tokens), str(codes))
    wrong = database.execute(_WRONG_VERDICTS).fetchone()
    if wrong != (0, True):
        raise SystemExit(f"bench: verdicts were wrong, or nobody was let in ({wrong})")

    make_tickets(database, small := make_performance(database), HOUSE_LIST)
    (device, *_) = make_devices(database, small)
    door = f"{site.url}/api/v1/checkin/performances/{small}"
    took, size, packed, news = _sync(door, device)
    tokens.write_text(device, encoding="ascii")
    polls = bench.run(f"{door}/sync", "sync, nothing new", "sync", str(tokens), str(news["cursor"]))
    share = DEVICES / ASKS_EVERY / polls.rate
    return (
        f"No verdict of {CROWD} devices was wrong. A house list of {len(news['parties'])} parties:"
        f" {took * 1000:.0f} ms, {size / 1000:.0f} kB, {packed / 1000:.0f} kB compressed."
        f" {DEVICES} phones that ask every {ASKS_EVERY} s take {share:.1%} of what the site can answer"
    )


# Each party was admitted by exactly one scan, all other scans found it already in, and there were scans.
_WRONG_VERDICTS = """
    SELECT count(*) FILTER (WHERE admitted <> 1 OR others <> 0), count(*) > 0 FROM (
        SELECT count(*) FILTER (WHERE verdict = 'admitted') AS admitted,
               count(*) FILTER (WHERE verdict NOT IN ('admitted', 'already_in')) AS others
        FROM scan WHERE reservation_id IS NOT NULL GROUP BY reservation_id
    ) AS party
"""


def _sync(door: str, token: str) -> tuple[float, int, int, Any]:
    """A device's first sync: seconds, bytes, compressed bytes, and the response."""
    body = b'{"version": 1, "cursor": null, "actions": []}'
    headers = {
        "Host": HOST, "Authorization": f"Bearer {token}", "Content-Type": "application/json",
    }  # fmt: skip
    start = time.perf_counter()
    with urllib.request.urlopen(
        urllib.request.Request(f"{door}/sync", body, headers), timeout=30
    ) as answer:
        told = answer.read()
    return time.perf_counter() - start, len(told), len(gzip.compress(told, 6)), json.loads(told)


def _delivering(
    bench: Bench,
    site: Server,
    database: psycopg.Connection[Any],
    settings: Mapping[str, str],
    log: Path,
) -> str:
    """Bookings while the worker delivers mail. Returns a sentence about the mails."""
    worker = program(["flask", "--app", "wsgi", "worker"], settings, log)
    with _sink(int(settings["MAIL_PORT"])), worker:
        _drained(database)
        evening = make_performance(database)
        bench.run(
            _booking_api(site, evening),
            "booking by API, mail delivered meanwhile",
            "api",
            until=lambda: _drained(database),
        )
    row = database.execute(
        """
        SELECT count(*), extract(epoch FROM max(sent_at) - min(reservation.created_at)),
               extract(epoch FROM max(sent_at) - max(reservation.created_at))
        FROM mail JOIN reservation ON reservation.id = mail.reservation_id
        WHERE performance_id = %s
        """,
        [evening],
    ).fetchone()
    assert row is not None
    mails, took, last = row
    return (
        f"{mails} mails in {took:.0f} s ({float(mails / took):.0f} a second); the last one left"
        f" {last:.1f} s after the last booking"
    )


def _booking_api(site: Server, evening: int) -> str:
    return f"{site.url}/api/v1/performances/{evening}/reservations"


def _open_form(address: str) -> tuple[str, str]:
    asked = urllib.request.Request(address, headers={"Host": HOST})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        page = answer.read().decode()
        cookie = answer.headers["Set-Cookie"].split(";")[0]
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    if not found:
        raise SystemExit(f"bench: {address} shows no form")
    return found[1], cookie


@contextmanager
def _sink(port: int) -> Iterator[None]:
    """A mail server that accepts and discards everything."""

    class Sink:
        async def handle_DATA(self, *_: Any) -> str:  # noqa: N802 (aiosmtpd's name)
            await asyncio.sleep(0)
            return "250 OK"

    controller = Controller(Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    yield
    controller.stop()


def _drained(database: psycopg.Connection[Any]) -> None:
    """Wait until the mail queue is empty."""
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline:
        if not database.execute("SELECT 1 FROM mail WHERE delivery = 'queued' LIMIT 1").fetchone():
            return
        time.sleep(0.1)
    raise SystemExit("bench: mails are still queued after 15 minutes")


def _report(bench: Bench, memory: float, delivered: str, door: str) -> str:
    where = (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores,"
        f" Python {platform.python_version()}, gunicorn 2 workers x 4 threads, {CONNECTIONS}"
        " connections, PostgreSQL 18 with durability on, all on one machine."
    )
    lines = [
        where,
        "",
        "| scenario | a second | of hello-world | to reach | p50 ms | p95 ms | refused | lost |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    reach = {"programme page": "programme", "booking by API": "api", "admission": "admission"}
    for row in [_typical(bench.hellos), *bench.rows]:
        goal = REACH.get(reach.get(row.name, ""))
        lines.append(
            f"| {row.name} | {row.rate:.0f} | {row.rate / row.floor:.3f} |"
            f" {f'{goal:.2f}' if goal else ''} | {row.p50:.1f} | {row.p95:.1f} |"
            f" {row.refused} | {row.lost} |"
        )
    lines += [
        "",
        f"Memory: {memory:.0f} MB a worker as its share, PSS (at most {MAX_MEGABYTES}). {delivered}.",
    ]
    lines += ["", f"{door}."]
    return "\n".join(lines)


def _typical(hellos: list[Measured]) -> Measured:
    """The hello-world's median measurement, by rate."""
    middle = sorted(hellos, key=lambda measured: measured.rate)[len(hellos) // 2]
    return replace(middle, floor=middle.rate)


if __name__ == "__main__":
    main()

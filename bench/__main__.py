"""Measure, print the table, and with --write put it into docs/performance.md and docs/scaling.md.

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
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from aiosmtpd.controller import Controller
from flask import Flask

from azionelab.bookings.tickets.signing import sign_ticket
from azionelab.checkin.devices.invitations import make_invitation
from azionelab.staff.tokens import digest
from bare_machine import embedded_postgres
from bench import camera
from bench.capacity import capacity
from bench.door import DoorApp
from bench.door import measure as measure_app
from bench.figures import write
from bench.servers import ROOT, Server, gunicorn, program

CONNECTIONS = 20  # as many as there are phones at the doors
HOST = "tickets.azionelab.it"  # a name such as production takes; the load goes to this machine
SECRET_KEY = secrets.token_urlsafe(48)
SCANS = 20_000  # parties prepared for the door
REACH = {"programme": 0.25, "api": 0.08, "admission": 0.15}  # of the hello-world
DEVICES = 20  # phones at the doors of one performance
CROWD = 200  # devices that scan: no one of them tries more in a minute than a phone may
ASKS_EVERY = 1.5  # seconds between two syncs of a device
HOUSE_LIST = 2_000  # parties
APP_SCANS = 40  # of the door's app in a browser, with a network and as many without
MAX_MEGABYTES = 150
PAGE = ROOT / "docs" / "performance.md"
SCALING = ROOT / "docs" / "scaling.md"


@dataclass(frozen=True)
class Measured:
    """One scenario: accepted requests a second, and times in milliseconds.

    `floor` is the hello-world's rate just before and just after, the mean of both.
    """

    name: str
    rate: float
    p50: float
    p95: float
    refused: int
    lost: int
    floor: float = 0


class Bench:
    """Scenarios, each between two measurements of the hello-world: a machine's speed drifts."""

    def __init__(self, hello: Server, seconds: int) -> None:
        self.seconds = seconds
        self.rows: list[Measured] = []
        self._hello = hello
        _load(hello.url, "warm-up", 2, "get")
        self.hellos = [self._floor()]

    def run(
        self, address: str, name: str, *arguments: str, until: Callable[[], object] | None = None
    ) -> Measured:
        """Measure one scenario, wait `until` its work is done, and measure the hello-world again."""
        measured = _load(address, name, self.seconds, *arguments)
        if until:
            until()
        self.hellos.append(self._floor())
        before, after = self.hellos[-2:]
        measured = replace(measured, floor=(before.rate + after.rate) / 2)
        self.rows.append(measured)
        return measured

    def _floor(self) -> Measured:
        return _load(self._hello.url, "bare Flask hello-world", max(1, self.seconds // 2), "get")


def main() -> None:
    """Run all scenarios in one go."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="per scenario (10)")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("bench: wrk is needed (Debian: apt-get install wrk)")
    folder = Path(tempfile.mkdtemp(prefix="azionelab-bench-"))
    server = embedded_postgres.start(folder, durable=True)
    try:
        report = measure(server.url, folder, options.seconds)
    finally:
        server.stop()
        shutil.rmtree(folder)
    print(report)
    seen = camera.measure()
    print(seen)
    if options.write:
        write(PAGE, report)
        write(PAGE, seen, camera.COMMAND)
        write(SCALING, capacity(report))


def measure(database_url: str, folder: Path, seconds: int) -> str:
    """Measure everything against `database_url` and return the report in Markdown."""
    ports = _free_ports(3)
    settings = site_settings(database_url, ports[2])
    _flask(settings, "db", "upgrade")
    with (
        psycopg.connect(database_url, autocommit=True) as database,
        gunicorn("bench.hello:app", ports[0], settings) as hello,
    ):
        bench = Bench(hello, seconds)
        with gunicorn("wsgi:app", ports[1], settings | {"PAGE_CACHE_SECONDS": "0"}) as site:
            for _ in range(8):
                _performance(database)
            _load(site.url, "warm-up", 2, "get")
            bench.run(site.url, "programme page, rendered for each request", "get")
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
    """The door's app in a browser, which wants a site that it can open without TLS: on its own machine."""
    address = f"http://127.0.0.1:{port}"
    near = {"FLASK_DEBUG": "true", "SITE_BASE_URL": address, "ALLOWED_HOSTS": "127.0.0.1"}
    near |= {"CSRF_TRUSTED_ORIGINS": address}
    evening = _performance(database)
    tickets = _tickets(database, evening, HOUSE_LIST)[: 2 * APP_SCANS]
    with _signing():
        invitation = make_invitation(evening)
    with gunicorn("wsgi:app", port, {**settings, **near}):
        codes = [f"{address}/T/{ticket}" for ticket in tickets]
        return measure_app(f"{address}/checkin/app#join={invitation}", codes, folder)


def _paused(bench: Bench, site: Server, database: psycopg.Connection[Any]) -> None:
    """The scenarios without a worker: mails wait in the outbox."""
    _load(site.url, "warm-up", 2, "get")
    bench.run(site.url, "programme page", "get")
    form = f"{site.url}/performances/{_performance(database)}/book"
    bench.run(form, "booking by form", "form", *_open_form(form))
    bench.run(_booking_api(site, _performance(database)), "booking by API", "api")
    # Which nothing limits and counts: what is left is the limits' cost.
    desk = "booking by API, from the box office"
    bench.run(_booking_api(site, _performance(database)), desk, "box office")


def _door(bench: Bench, site: Server, database: psycopg.Connection[Any], folder: Path) -> str:
    """Many devices at one performance: scans, syncs, and the house list; what is said of it."""
    evening = _performance(database)
    codes, tokens = folder / "codes", folder / "tokens"
    codes.write_text("\n".join(_tickets(database, evening, SCANS)), encoding="ascii")
    devices = enrolled(database, evening, CROWD)
    tokens.write_text("\n".join(devices), encoding="ascii")
    door = f"{site.url}/api/v1/checkin/performances/{evening}"
    bench.run(f"{door}/scans", "admission", "scan", str(tokens), str(codes))
    wrong = database.execute(_WRONG_VERDICTS).fetchone()
    if wrong != (0, True):
        raise SystemExit(f"bench: verdicts were wrong, or nobody was let in ({wrong})")

    _tickets(database, small := _performance(database), HOUSE_LIST)
    (device, *_) = enrolled(database, small)
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


# Of each party one scan let it in, and every other found it in; and somebody was let in at all.
_WRONG_VERDICTS = """
    SELECT count(*) FILTER (WHERE admitted <> 1 OR others <> 0), count(*) > 0 FROM (
        SELECT count(*) FILTER (WHERE verdict = 'admitted') AS admitted,
               count(*) FILTER (WHERE verdict NOT IN ('admitted', 'already_in')) AS others
        FROM scan WHERE reservation_id IS NOT NULL GROUP BY reservation_id
    ) AS party
"""


def _sync(door: str, token: str) -> tuple[float, int, int, Any]:
    """A device's first sync: seconds, bytes, bytes compressed, and what it was told."""
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


def enrolled(database: psycopg.Connection[Any], evening: int, number: int = 1) -> list[str]:
    """The tokens of so many phones at the door of a performance."""
    tokens = [secrets.token_urlsafe(32) for _ in range(number)]
    with database.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO api_token (label, scope, digest, created_at, expires_at, performance_id)
            VALUES (%s, 'door', %s, now(), now() + interval '3 days', %s)
            """,
            # No two phones at a door have one name.
            [(f"Bench {token[:8]}", digest(token), evening) for token in tokens],
        )
    return tokens


def _delivering(
    bench: Bench,
    site: Server,
    database: psycopg.Connection[Any],
    settings: Mapping[str, str],
    log: Path,
) -> str:
    """Bookings with the worker delivering meanwhile; what became of their mails."""
    worker = program(["flask", "--app", "wsgi", "worker"], settings, log)
    with _sink(int(settings["MAIL_PORT"])), worker:
        _drained(database)
        evening = _performance(database)
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


def _load(address: str, name: str, seconds: int, *arguments: str) -> Measured:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-H", f"Host: {HOST}"]
    command += ["-s", str(ROOT / "bench" / "load.lua"), address, "--", *arguments]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result = json.loads(output.split("RESULT ")[1])
    accepted = result["requests"] - result["refused"]
    return Measured(
        name,
        accepted / result["seconds"],
        result["p50"],
        result["p95"],
        result["refused"],
        result["lost"],
    )


def site_settings(database_url: str, smtp_port: int) -> dict[str, str]:
    """Production's settings, as behind a proxy that ends TLS; the load leaves the proxy out."""
    return {
        "FLASK_DEBUG": "false",
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": database_url,
        "SITE_BASE_URL": f"https://{HOST}",
        "ALLOWED_HOSTS": HOST,
        "CSRF_TRUSTED_ORIGINS": f"https://{HOST}",
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(smtp_port),
        "MAIL_USE_TLS": "false",
        "MAIL_DEFAULT_SENDER": "bench@azionelab.it",
        # The load says itself where it comes from.
        "TRUSTED_PROXIES": "1",
        "BOX_OFFICE_NETWORKS": "192.0.2.0/24",
    }


def _flask(settings: Mapping[str, str], *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=ROOT,
        env={**os.environ, **settings, "FLASK_SKIP_DOTENV": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def _performance(database: psycopg.Connection[Any]) -> int:
    """A performance that the whole measurement fits into; its number."""
    row = database.execute(
        """
        WITH venue AS (INSERT INTO venue (name, address) VALUES (gen_random_uuid(), '') RETURNING id),
             show AS (INSERT INTO show (slug, title, summary, description, published)
                      VALUES (gen_random_uuid(), 'Bench', 'A measured evening', '', true)
                      RETURNING id)
        INSERT INTO performance (show_id, venue_id, starts_at, booking_opens_at,
                                 booking_closes_at, capacity, party_limit)
        SELECT show.id, venue.id, now() + interval '1 day', now() - interval '1 day',
               now() + interval '20 hours', 100000, 6 FROM show, venue
        RETURNING id
        """
    ).fetchone()
    return int(row[0]) if row else 0


def _tickets(database: psycopg.Connection[Any], evening: int, parties: int) -> list[str]:
    """What the QRs of confirmed parties of one say."""
    rows = database.execute(
        """
        INSERT INTO reservation (id, reference, performance_id, name, email, email_key, locale, seats,
                                 state, request_key, created_at, hold_expires_at, confirmed_at)
        SELECT gen_random_uuid(), lpad((%s * 100000 + n)::text, 8, '0'), %s,
               'Visitor ' || substr(md5(n::text), 1, 12), n || '@example.org',
               n || '@example.org', 'en', 1, 'confirmed', gen_random_uuid(), now(), now(), now()
        FROM generate_series(1, %s) n RETURNING reference
        """,
        [evening, evening, parties],
    ).fetchall()
    database.execute("VACUUM ANALYZE reservation")
    database.execute("VACUUM ANALYZE performance")
    with _signing():
        return [sign_ticket(evening, row[0]) for row in rows]


@contextmanager
def _signing() -> Iterator[None]:
    """What is signed here, the measured site honours."""
    app = Flask("bench")
    app.config.update(SECRET_KEY=SECRET_KEY, SECRET_KEY_FALLBACKS=[])
    with app.app_context():
        yield


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
    """A mail server that accepts everything and keeps nothing."""

    class Sink:
        async def handle_DATA(self, *_: Any) -> str:  # noqa: N802 (aiosmtpd's name)
            await asyncio.sleep(0)
            return "250 OK"

    controller = Controller(Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    yield
    controller.stop()


def _drained(database: psycopg.Connection[Any]) -> None:
    """Wait until no mail is queued."""
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline:
        if not database.execute("SELECT 1 FROM mail WHERE delivery = 'queued' LIMIT 1").fetchone():
            return
        time.sleep(0.1)
    raise SystemExit("bench: mails are still queued after 15 minutes")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for probe in sockets:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in sockets]
    for probe in sockets:
        probe.close()
    return ports


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
    lines += ["", f"Memory: {memory:.0f} MB a worker (at most {MAX_MEGABYTES}). {delivered}."]
    lines += ["", f"{door}."]
    return "\n".join(lines)


def _typical(hellos: list[Measured]) -> Measured:
    """The hello-world in the middle of all of its measurements, by its rate."""
    middle = sorted(hellos, key=lambda measured: measured.rate)[len(hellos) // 2]
    return replace(middle, floor=middle.rate)


if __name__ == "__main__":
    main()

"""Measure all scenarios, print the table, and with --write put it into docs/performance.md and docs/scaling.md.

Everything runs on this machine's loopback and ends by itself: each scenario is bounded by --seconds.
"""

import argparse
import gzip
import json
import re
import shutil
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg

from azionelab.checkin.devices.invitations import make_invitation
from bench import camera, crowd, floors
from bench.capacity import capacity
from bench.data import make_devices, make_performance, make_tickets, signing
from bench.delivery import Delivery, Mails, drained, sink
from bench.door import DoorApp
from bench.door import measure as measure_app
from bench.figures import write
from bench.load import put_load
from bench.report import NGINX, POSTGRESQL, WEB, Found, report
from bench.servers import (
    HOST,
    ROOT,
    Server,
    flask,
    free_ports,
    gunicorn,
    nginx,
    postgres,
    program,
    site_settings,
)
from bench.turns import Row, Scenario, Turns

SCANS = 8_000  # parties prepared for each run at the door
DEVICES = 20  # phones at the doors of one performance
CROWD = 200  # devices that scan: no one of them tries more in a minute than a phone may
ASKS_EVERY = 1.5  # seconds between two syncs of a device
HOUSE_LIST = 2_000  # parties
APP_SCANS = 40  # of the door's app in a browser, with a network and as many without
SECONDS, RUNS = 5, 5
STARTS = 5
PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "clients.svg"
SCALING = ROOT / "docs" / "scaling.md"
Database = psycopg.Connection[Any]


def main() -> None:
    """Run all scenarios."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"of each run ({SECONDS})")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"of each scenario ({RUNS})")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/")
    options = parser.parse_args()
    for name, package in (("wrk", "wrk"), ("nginx", "nginx-light")):
        if not shutil.which(name):
            raise SystemExit(f"bench: {name} is needed (Debian: apt-get install {package})")
    with postgres() as (url, folder):
        found = measure(url, folder, options.seconds, options.runs)
    text = report(found)
    print(text)
    seen = camera.measure()
    print(seen)
    if options.write:
        write(PAGE, text)
        write(PAGE, seen, camera.COMMAND)
        write(SCALING, capacity(text))
        PLOT.write_text(crowd.plot(found.clients), encoding="utf-8")


def measure(database_url: str, folder: Path, seconds: int, runs: int) -> Found:
    """Measure everything against `database_url`."""
    ports = free_ports(3)
    settings = site_settings(database_url, ports[2])
    flask(settings, "db", "upgrade")
    server = psutil.Process(int((folder / "postmaster.pid").read_text().splitlines()[0]))
    with (
        psycopg.connect(database_url, autocommit=True) as database,
        gunicorn("bench.hello:app", ports[0], settings) as hello,
    ):
        smallest = floors.measure(database_url, seconds, runs)
        put_load(hello.url, 2, "get")
        turns = Turns(Scenario("bare Flask hello-world", hello.url, ("get",)), seconds, runs)
        bench = Bench(turns, database, server, folder)
        with gunicorn("wsgi:app", ports[1], settings | {"PAGE_CACHE_SECONDS": "0"}) as site:
            for _ in range(8):
                make_performance(database)
            put_load(f"{site.url}/it/", 2, "get")
            bench.run(
                site,
                Scenario("programme page, rendered for each request", f"{site.url}/it/", ("get",)),
            )
        with gunicorn("wsgi:app", ports[1], settings) as site:
            mails = _delivering(bench, site, settings)  # before others leave mails behind
            _paused(bench, site)
            kept = _through_nginx(bench, site)
            clients = crowd.by_clients(site, database, seconds, runs)
            spread = crowd.spread(site, database, folder, seconds, runs)
            stampede = crowd.stampede(site, database, runs)
            door = _door(bench, site)
            memory = site.megabytes_per_worker()
        starts = [_start(ports[1], settings, folder / "start.log") for _ in range(STARTS)]
        app = _app(database, settings, ports[1], folder)
    return Found(
        [turns.floor(), *bench.rows], smallest, kept, clients, spread, stampede,
        memory, median(starts), mails, f"{door}.\n\n{app}.",
    )  # fmt: skip


class Bench:
    """The rows of one run."""

    def __init__(
        self, turns: Turns, database: Database, postmaster: psutil.Process, folder: Path
    ) -> None:
        self.rows: list[Row] = []
        self.database, self.folder = database, folder
        self.turns = turns
        self._postmaster = postmaster

    def run(self, site: Server, scenario: Scenario) -> Row:
        """Measure one scenario between runs of the hello-world."""
        self.rows.append(self.turns.run(scenario, self.programs(site)))
        return self.rows[-1]

    def programs(self, site: Server) -> dict[str, psutil.Process]:
        """Whose CPU time is told apart."""
        return {WEB: psutil.Process(site.pid), POSTGRESQL: self._postmaster}


def _start(port: int, settings: Mapping[str, str], log: Path) -> float:
    """Seconds until the container's command answers."""
    start = time.perf_counter()
    with gunicorn("wsgi:checked()", port, settings, log):
        return time.perf_counter() - start


def _through_nginx(bench: Bench, site: Server) -> tuple[Row, Row]:
    """The programme from nginx' cache between runs of its floor, a file with the same bytes."""
    folder = bench.folder.with_name(f"{bench.folder.name}-nginx")
    folder.mkdir()
    try:
        with nginx(folder, urlsplit(site.url).port or 0) as front:
            with urllib.request.urlopen(
                urllib.request.Request(f"{front.url}/it/", headers={"Host": HOST}), timeout=10
            ) as answer:
                (front.files / "programme.html").write_bytes(answer.read())
            file = Scenario("nginx, a file", f"{front.url}/static/programme.html", ("visit",))
            file.run(0, 1)
            turns = Turns(file, bench.turns.seconds, bench.turns.runs)
            programs = bench.programs(site) | {NGINX: front.process}
            page = turns.run(
                Scenario("programme page, by nginx", f"{front.url}/it/", ("visit",)), programs
            )
            return turns.floor(), page
    finally:
        shutil.rmtree(folder)


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


def _paused(bench: Bench, site: Server) -> None:
    """Scenarios without a mail worker: mails stay in the outbox."""
    put_load(f"{site.url}/it/", 2, "get")
    bench.run(site, Scenario("programme page", f"{site.url}/it/", ("get",)))
    form = f"{site.url}/it/performances/{make_performance(bench.database)}/book"
    bench.run(site, Scenario("booking by form", form, ("form", *_open_form(form))))
    bench.run(site, Scenario("booking by API", _hot(bench, site), ("api",)))
    # Which nothing limits and counts: what is left is the limits' cost.
    desk = "booking by API, from the box office"
    bench.run(site, Scenario(desk, _hot(bench, site), ("box office",)))


def _hot(bench: Bench, site: Server) -> str:
    """The API's address for bookings of a new performance."""
    return site.url + crowd.booking_path(make_performance(bench.database))


def _door(bench: Bench, site: Server) -> str:
    """Many devices at one performance: scans, syncs, the house list. Returns a paragraph for the report."""
    database, tokens = bench.database, bench.folder / "tokens"
    evening = make_performance(database)
    tickets = make_tickets(database, evening, SCANS * bench.turns.runs)
    devices = make_devices(database, evening, CROWD)
    tokens.write_text("\n".join(devices), encoding="ascii")

    def shown(number: int) -> tuple[str, ...]:
        codes = bench.folder / "codes"
        codes.write_text(
            "\n".join(tickets[number * SCANS : (number + 1) * SCANS]), encoding="ascii"
        )
        return "scan", str(tokens), str(codes)

    door = f"{site.url}/api/v1/checkin/performances/{evening}"
    bench.run(site, Scenario("admission", f"{door}/scans", shown))
    wrong = database.execute(_WRONG_VERDICTS).fetchone()
    if wrong != (0, True):
        raise SystemExit(f"bench: verdicts were wrong, or nobody was let in ({wrong})")

    make_tickets(database, small := make_performance(database), HOUSE_LIST)
    (device, *_) = make_devices(database, small)
    door = f"{site.url}/api/v1/checkin/performances/{small}"
    took, size, packed, news = _sync(door, device)
    tokens.write_text(device, encoding="ascii")
    asked = ("sync", str(tokens), str(news["cursor"]))
    polls = bench.run(site, Scenario("sync, nothing new", f"{door}/sync", asked))
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


def _delivering(bench: Bench, site: Server, settings: Mapping[str, str]) -> Mails:
    """Bookings while the worker delivers mail."""
    delivery = Delivery(bench.database, make_performance(bench.database))
    worker = program(["flask", "--app", "wsgi", "worker"], settings, bench.folder / "worker.log")
    with sink(int(settings["MAIL_PORT"])), worker:
        drained(bench.database)
        address = site.url + crowd.booking_path(delivery.performance)
        name = "booking by API, mail delivered meanwhile"
        bench.run(site, Scenario(name, address, ("api",), until=delivery.catch_up))
    return delivery.mails()


def _open_form(address: str) -> tuple[str, str]:
    asked = urllib.request.Request(address, headers={"Host": HOST})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        page = answer.read().decode()
        cookie = answer.headers["Set-Cookie"].split(";")[0]
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    if not found:
        raise SystemExit(f"bench: {address} shows no form")
    return found[1], cookie


if __name__ == "__main__":
    main()

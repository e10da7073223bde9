"""What a request of each main action costs in one process, compared with what bench/cost.json says.

    python -m bench.cost [--write]

The site and a bare Flask hello-world answer in turn, by WSGI, without a server. tests/test_cost.py measures the same
and fails when an action costs more than is written. `--write` writes the figures, also into docs/performance.md.

- Statements and round trips: what libpq sends to PostgreSQL, BEGIN and COMMIT included.
- Calls: how many functions Python calls for a request, C functions included. Unlike time it does not depend on the
  machine or on what else that does, so it finds a tenth more for certain.
- CPU time of the thread that answers, without PostgreSQL's, as a multiple of the hello-world's. It also sees what no
  call shows, such as hashing. While four test processes shared two cores it was up to 0.15 higher for minutes: a large
  program loses more of a shared cache than a small one. So only much more is too much, and it is measured again.
"""

import argparse
import json
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from statistics import median_low, quantiles
from typing import IO, Any

import psycopg
from flask import Flask
from sqlalchemy import event
from werkzeug.test import EnvironBuilder, run_wsgi_app

from azionelab.app import create_app
from azionelab.bookings import rules
from azionelab.bookings.visitor_links import make_link_token
from azionelab.database import db
from azionelab.settings.loading import load_config
from bench import hello
from bench.data import make_devices, make_performance, make_tickets
from bench.figures import write
from bench.servers import HOST, ROOT, flask, postgres, site_settings

COMMAND = "python -m bench.cost"
WRITTEN = ROOT / "bench" / "cost.json"
PAGE = ROOT / "docs" / "performance.md"
TOLERANCE = {
    "statements": 1.0,
    "round_trips": 1.0,
    "calls": 1.1,
    "cpu": 1.3,
}  # times the written figure
_OF_PYTHON = ("calls", "cpu")  # differ between its versions
_WARM_UP = 12  # requests: psycopg prepares a statement when it sees it for the sixth time
_COUNTED = 5  # requests, for statements and calls
_TIMED = 40  # requests, for CPU time
_AGAIN = 3  # times
_NEEDED = _WARM_UP + _COUNTED + (1 + _AGAIN) * _TIMED
_PERFORMANCES = 8
_PARTIES = 200  # of a house that a device knows
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
Environ = dict[str, Any]
Request = tuple[Flask, Environ, int]  # and the status of its answer


@dataclass(frozen=True)
class Cost:
    """One action's cost a request; `cpu` as a multiple of the hello-world's."""

    statements: int
    round_trips: int
    calls: int
    cpu: float


class Meter:
    """Answers requests of the actions and measures them."""

    def __init__(
        self, database: psycopg.Connection[Any], settings: dict[str, str], trace: IO[bytes]
    ) -> None:
        self._database, self._trace = database, trace
        self.site = self._application(settings)
        self.uncached = self._application(settings | {"PAGE_CACHE_SECONDS": "0"})
        for _ in range(_PERFORMANCES):
            make_performance(database)
        self._csrf = self._open_form(make_performance(database))

    def close(self) -> None:
        """Close the connections."""
        for app in (self.site, self.uncached):
            with app.app_context():
                db.engine.dispose()

    def actions(self) -> dict[str, Iterator[Request]]:
        """Each action's requests."""
        return {
            "booking by API": self._bookings_by_api(),
            "booking by form": self._bookings_by_form(),
            "confirmation": self._confirmations(),
            "admission": self._admissions(),
            "sync, nothing new, kept": self._syncs(),
            "sync, nothing new, after a write of others": self._syncs(after_writes=True),
            "programme page, rendered for each request": self._pages(),
        }

    def measure(self, most: dict[str, Cost]) -> dict[str, Cost]:
        """Measure each action; CPU time above `most` is measured again, since it may be by chance."""
        costs = {}
        for name, requests in self.actions().items():
            cost = self._cost(requests)
            for _ in range(_AGAIN):
                if name in most and cost.cpu > most[name].cpu * TOLERANCE["cpu"]:
                    cost = replace(cost, cpu=min(cost.cpu, self._cpu(requests)))
            costs[name] = cost
        return costs

    def _cost(self, requests: Iterator[Request]) -> Cost:
        for _ in range(_WARM_UP):
            answer(*next(requests))
        counted = [self._count(*next(requests)) for _ in range(_COUNTED)]
        statements, round_trips, calls = (
            median_low(figures) for figures in zip(*counted, strict=True)
        )
        return Cost(statements, round_trips, calls, self._cpu(requests))

    def _cpu(self, requests: Iterator[Request]) -> float:
        """CPU time of requests, each between two of the hello-world, as a multiple of those: the lower quartile."""
        ratios = []
        for _ in range(_TIMED):
            request = next(requests)
            before, took, after = _time(*_hello()), _time(*request), _time(*_hello())
            ratios.append(2 * took / (before + after))
        return round(quantiles(ratios, n=4)[0], 1)

    def _count(self, app: Flask, environ: Environ, expected: int) -> tuple[int, int, int]:
        self._trace.seek(0)
        self._trace.truncate()
        calls = 0

        def note(_frame: object, happened: str, _about: object) -> None:
            nonlocal calls
            calls += happened in ("call", "c_call")

        sys.setprofile(note)
        try:
            answer(app, environ, expected)
        finally:
            sys.setprofile(None)
        self._trace.seek(0)
        sent = self._trace.read().decode()
        statements = len(re.findall(r"^F\t\d+\t(?:Query|Execute)\t", sent, re.MULTILINE))
        return statements, len(re.findall(r"^B\t\d+\tReadyForQuery\t", sent, re.MULTILINE)), calls

    def _application(self, settings: dict[str, str]) -> Flask:
        app = create_app(load_config(settings))

        def trace(connection: psycopg.Connection[Any], _record: object) -> None:
            # PostgreSQL's library writes each message of the protocol there.
            connection.pgconn.trace(self._trace.fileno())
            connection.pgconn.set_trace_flags(psycopg.pq.Trace.SUPPRESS_TIMESTAMPS)

        with app.app_context():
            event.listen(db.engine, "connect", trace)
        return app

    def _open_form(self, performance: int) -> tuple[str, str]:
        """The token and the cookie of a form."""
        client = self.site.test_client(use_cookies=False)
        answer = client.open(as_proxied(f"/it/performances/{performance}/book", "GET"))
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text)
        assert found, "the page shows no form"
        return found[1], answer.headers["Set-Cookie"].split(";")[0]

    def _bookings_by_api(self) -> Iterator[Request]:
        address = f"/api/v1/performances/{make_performance(self._database)}/reservations"
        while True:
            key = {"Idempotency-Key": str(uuid.uuid4())}
            yield (
                self.site,
                as_proxied(address, json=_visitor() | {"consent": True}, headers=key),
                202,
            )

    def _bookings_by_form(self) -> Iterator[Request]:
        address = f"/it/performances/{make_performance(self._database)}/book"
        while True:
            entries = _visitor() | {"consent": "y", "request_key": str(uuid.uuid4())}
            yield self.site, self._form(address, entries), 303

    def _confirmations(self) -> Iterator[Request]:
        performance = make_performance(self._database)
        while True:
            with self.site.app_context():
                visitor = rules.Visitor(_visitor()["name"], _visitor()["email"], "it")
                token = make_link_token(rules.reserve(performance, visitor, 1))
            yield self.site, self._form(f"/it/bookings/confirm/{token}", {"coming": "y"}), 303

    def _form(self, address: str, entries: dict[str, Any]) -> Environ:
        token, cookie = self._csrf
        return as_proxied(address, data=entries | {"csrf_token": token}, headers={"Cookie": cookie})

    def _admissions(self) -> Iterator[Request]:
        evening = make_performance(self._database)
        codes = make_tickets(self._database, evening, _NEEDED)
        device, *_ = make_devices(self._database, evening, 1)
        address = f"/api/v1/checkin/performances/{evening}/scans"
        for code in codes:
            scan = {"scan_id": str(uuid.uuid4()), "code": code}
            yield self.site, as_proxied(address, json=scan, headers=_bearer(device)), 200

    def _syncs(self, *, after_writes: bool = False) -> Iterator[Request]:
        evening = make_performance(self._database)
        make_tickets(self._database, evening, _PARTIES)
        device, *_ = make_devices(self._database, evening, 1)
        address = f"/api/v1/checkin/performances/{evening}/sync"
        asked: dict[str, Any] = {"version": 1, "cursor": None, "actions": []}
        first = self.site.test_client().open(
            as_proxied(address, json=asked, headers=_bearer(device))
        )
        asked["cursor"] = first.get_json()["cursor"]
        while True:
            if after_writes:
                self._database.execute("SELECT pg_current_xact_id()")
            yield self.site, as_proxied(address, json=asked, headers=_bearer(device)), 200

    def _pages(self) -> Iterator[Request]:
        while True:
            yield self.uncached, as_proxied("/it/", "GET"), 200


@contextmanager
def meter(database: psycopg.Connection[Any], settings: dict[str, str]) -> Iterator[Meter]:
    """A meter on a migrated database; `settings` are those of `site_settings`."""
    with tempfile.TemporaryFile() as trace:
        made = Meter(database, settings, trace)
        yield made
        made.close()


def too_costly(found: dict[str, Cost], written: dict[str, Cost], python: str) -> list[str]:
    """What costs more than is written; calls and CPU time are compared only if they are of this version of `python`."""
    return [
        f"{name}: {figure} {now} instead of {before}"
        for name, cost in found.items()
        for figure, times in TOLERANCE.items()
        if (now := getattr(cost, figure)) > (before := getattr(written[name], figure)) * times
        and (python == PYTHON or figure not in _OF_PYTHON)
    ]


def read_written() -> tuple[dict[str, Cost], str]:
    """The written costs, and the version of Python that they are of."""
    written = json.loads(WRITTEN.read_text(encoding="utf-8"))
    return {name: Cost(**cost) for name, cost in written["actions"].items()}, written["python"]


def table(costs: dict[str, Cost]) -> str:
    """The costs in Markdown."""
    return "\n".join(
        [
            "| action | statements | round trips | calls | CPU, times a hello-world |",
            "|---|--:|--:|--:|--:|",
            *(
                f"| {name} | {cost.statements} | {cost.round_trips} | {cost.calls:,} | {cost.cpu:.1f} |"
                for name, cost in costs.items()
            ),
        ]
    )


def _visitor() -> dict[str, Any]:
    return {"name": "Bench", "email": f"bench-{uuid.uuid4().hex}@example.org", "seats": 1}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def as_proxied(path: str, method: str = "POST", **options: Any) -> Environ:
    """A request as the proxy passes it on, each from a network of its own."""
    number = uuid.uuid4().int
    address = ".".join(str(number >> shift & 255) for shift in (0, 8, 16))
    headers = {"X-Forwarded-For": f"10.{address}", "X-Forwarded-Proto": "https", "Host": HOST}
    headers |= options.pop("headers", {})
    return EnvironBuilder(
        path, method=method, headers=list(headers.items()), **options
    ).get_environ()


def _hello() -> Request:
    return hello.app, _HELLO.copy(), 200


_HELLO = EnvironBuilder("/").get_environ()


def answer(app: Flask, environ: Environ, expected: int) -> None:
    """Answer a request to the end; stops the bench if the status is not the expected one."""
    answer, status, _headers = run_wsgi_app(app, environ)
    for _ in answer:
        pass
    answer.close()  # type: ignore[attr-defined]
    if not status.startswith(str(expected)):
        raise SystemExit(f"bench: {environ['PATH_INFO']} answered {status}")


def _time(app: Flask, environ: Environ, expected: int) -> int:
    start = time.thread_time_ns()
    answer(app, environ, expected)
    return time.thread_time_ns() - start


def main() -> None:
    """Measure, print the table, and with --write put the figures into the data file and docs/performance.md."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--write", action="store_true", help="write the figures")
    options = parser.parse_args()
    with postgres() as (url, _folder):
        settings = site_settings(url, 25)
        flask(settings, "db", "upgrade")
        with psycopg.connect(url, autocommit=True) as database, meter(database, settings) as made:
            costs = made.measure({})
    print(table(costs))
    if options.write:
        written = {
            "python": PYTHON,
            "actions": {name: asdict(cost) for name, cost in costs.items()},
        }
        WRITTEN.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
        write(PAGE, table(costs), COMMAND)


if __name__ == "__main__":
    main()

"""The server time of every page of the back office among 100,000 reservations of 600 performances.

    python -m bench.pages [--write] [--only TEXT]

Twice: with all performances in one season, and with nearly all in the past. An evening has 600 parties, and the log,
the mails, scans and webhooks are what so many bookings leave behind (bench/season.py). The pages are made in this
process, without a server, as an admin sees them. Where an address shows one of several things, the slowest counts.
"""

import argparse
import gzip
import os
import platform
import re
import secrets
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import urljoin
from uuid import UUID

import psycopg
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from bench.figures import write
from bench.season import MOSTLY_PAST, ONE_SEASON, PERFORMANCES, RESERVATIONS, Layout, fill
from bench.servers import ROOT, SECRET_KEY, flask, postgres
from bench.walk import addresses

COMMAND = "python -m bench.pages"
PAGE = ROOT / "docs" / "performance.md"
MAX_MS, MAX_STATEMENTS, MAX_KB = 200, 12, 250
_TRIES = 7
_IDENTITIES = ("1", str(UUID(int=1)))
_LAST = RESERVATIONS // 50 - 1
# Beside the addresses themselves: what lists are asked for.
_ASKED = (
    f"/admin/reservations/?page={_LAST}",
    "/admin/reservations/?sort=1",
    "/admin/mails/?page=3000",
    "/admin/scans/?page=1000",
    "/admin/performances/?page=1",
    "/admin/evenings/1?show=all",
    "/admin/log/?before=5000",
    "/admin/log/?type=mail",
    "/admin/log/?who=account-3",
    "/admin/log/?who=door",
    "/admin/log/?performance=1",
    f"/admin/log/?type=reservation&object={_IDENTITIES[1]}",
    "/admin/log/?until=2020-01-01",
)
# Searches, by the list's endpoint.
_SEARCHED = (
    ("admin_people", "/admin/people/", "rossi"),
    ("admin_people", "/admin/people/", "elena de lucca"),
    ("admin_log", "/admin/log/", "rossi"),
    ("admin_log", "/admin/log/", "matteo sgro"),
    ("admin_log", "/admin/log/", "zzzzqq"),
    ("admin_evening", "/admin/evenings/1", "rossi"),
    ("admin_reservations", "/admin/reservations/", "rossi"),
    ("admin_reservations", "/admin/reservations/", "zzzzqq"),
    ("admin_mails", "/admin/mails/", "rossi"),
    ("admin_mails", "/admin/mails/", "zzzzqq"),
    ("admin_scans", "/admin/scans/", "rossi"),
    ("admin_scans", "/admin/scans/", "zzzzqq"),
    ("admin_performances", "/admin/performances/", "play"),
)
# Exports of one evening. Those of a whole list take as long as it has rows.
_FILES = (
    "/admin/evenings/1/parties.csv",
    "/admin/evenings/1/parties.xlsx",
    "/admin/evenings/1/scans.csv",
    "/admin/evenings/1/door-list.pdf",
    "/admin/reservations/export/csv/?flt1_1=1",
)


@dataclass(frozen=True)
class Measured:
    """A page: server time in milliseconds (lowest, median, 95th percentile), statements, kB that its first load takes."""

    fastest: float
    median: float
    slow: float
    statements: int
    kilobytes: float

    def is_within(self) -> bool:
        """Whether it reaches what docs/performance.md names."""
        return (
            self.median <= MAX_MS and self.statements <= MAX_STATEMENTS and self.kilobytes <= MAX_KB
        )


def main() -> None:
    """Measure, print the table, and with --write put it into docs/performance.md."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--write", action="store_true", help="write the table into docs/")
    parser.add_argument("--only", default="", help="only addresses that contain this text")
    options = parser.parse_args()
    layouts = (ONE_SEASON, MOSTLY_PAST)
    table = _report([_measure(layout, options.only) for layout in layouts], layouts)
    print(table)
    if options.write:
        write(PAGE, table, COMMAND)


def _measure(layout: Layout, only: str) -> dict[str, Measured]:
    with postgres() as (url, _folder):
        settings = {"DATABASE_URL": url, "FLASK_DEBUG": "true", "SECRET_KEY": SECRET_KEY}
        flask(settings, "db", "upgrade")
        with psycopg.connect(url, autocommit=True) as database:
            fill(database, layout)
        return dict(measure_pages(settings, only))


def measure_pages(settings: dict[str, str], only: str = "") -> Iterator[tuple[str, Measured]]:
    """Each page by its address, of a site with a filled database."""
    # Imported when the database is there, so that --help needs none.
    from azionelab.app import create_app  # noqa: PLC0415
    from azionelab.settings.loading import load_config  # noqa: PLC0415

    app = create_app(load_config(settings))
    client, sent = _log_in(app), _statements(app)
    for name, choices in _pages(app):
        if only not in name:
            continue
        shown = [address for address in choices if _is_page(client, address)]
        if not shown:
            continue
        sent.clear()
        slowest = max(shown, key=lambda address: _time(client, address))
        sent.clear()
        times = [_time(client, slowest) for _ in range(_TRIES)]
        statements = len(sent) // _TRIES
        yield (
            name,
            Measured(
                min(times),
                statistics.median(times),
                statistics.quantiles(times, n=20, method="inclusive")[-1],
                statements,
                _first_load(client, slowest) / 1000,
            ),
        )


def measure_files(settings: dict[str, str]) -> Iterator[tuple[str, float]]:
    """The fewest milliseconds that each export of one evening took."""
    from azionelab.app import create_app  # noqa: PLC0415
    from azionelab.settings.loading import load_config  # noqa: PLC0415

    app = create_app(load_config(settings))
    client = _log_in(app)
    for address in _FILES:
        answer = client.get(address)
        if answer.status_code != 200 or answer.mimetype == "text/html":
            raise SystemExit(f"{address} answered {answer.status_code} with {answer.mimetype}")
        yield address, min(_time(client, address) for _ in range(_TRIES))


def _pages(app: Flask) -> Iterator[tuple[str, list[str]]]:
    """The name of each page, and the addresses that may show it."""
    for address in addresses(app, "GET"):
        yield address, [f"{address}?id={identity}" for identity in _IDENTITIES]
    for address in _ASKED:
        yield address, [address]
    for number, (_endpoint, address, text) in enumerate(_SEARCHED):
        yield f"{address} ({text})", [f"{address}?find={number}"]


def _log_in(app: Flask) -> FlaskClient:
    from azionelab.staff.accounts import create_account  # noqa: PLC0415

    with app.app_context():
        mailbox = f"{secrets.token_hex(4)}@example.org"
        account = create_account(mailbox, "admin", secrets.token_urlsafe(24))
        identity, number = account.fs_uniquifier, account.id
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = identity, True
        session["searches"] = [
            [str(place), number, endpoint, text]
            for place, (endpoint, _address, text) in enumerate(_SEARCHED)
        ]
    return client


def _statements(app: Flask) -> list[str]:
    """A list to which each statement is added that the application sends."""
    from azionelab.database import db  # noqa: PLC0415

    sent: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
    return sent


def _is_page(client: FlaskClient, address: str) -> bool:
    answer = client.get(address)
    if answer.status_code >= 500:
        raise SystemExit(f"{address} answered {answer.status_code}")
    return answer.status_code == 200 and answer.mimetype == "text/html"


def _time(client: FlaskClient, address: str) -> float:
    """How many milliseconds the server takes for a page."""
    begin = time.perf_counter()
    client.get(address)
    return 1_000 * (time.perf_counter() - begin)


def _first_load(client: FlaskClient, address: str) -> int:
    """The compressed bytes of a page with all scripts and styles that it names."""
    page = client.get(address).text

    @cache
    def size(file: str) -> int:
        # A script's imports come with it.
        answer = client.get(file)
        size_of.setdefault(file, len(gzip.compress(answer.data, 6)))
        if file.endswith(".js"):
            for other in re.findall(rb"""(?:from|import)\s*["'](\.[^"']+\.js)["']""", answer.data):
                size(urljoin(file, other.decode()))
        return size_of[file]

    size_of: dict[str, int] = {}
    for file in set(re.findall(r"""(?:src|href)="(/[^"?]+\.(?:js|css)[^"]*)\"""", page)):
        size(file.replace("&amp;", "&"))
    return len(gzip.compress(page.encode(), 6)) + sum(size_of.values())


def _report(measured: list[dict[str, Measured]], layouts: tuple[Layout, ...]) -> str:
    names = [name for name in measured[0] if name in measured[-1]]
    pages = [(name, [of_layout[name] for of_layout in measured]) for name in names]
    slow = [name for name, both in pages if not all(one.is_within() for one in both)]
    heads = " | ".join(f"{layout.name}: median, p95 ms" for layout in layouts)
    where = (
        f"{RESERVATIONS:,} reservations of {PERFORMANCES} performances; {os.cpu_count()} CPUs,"
        f" Python {platform.python_version()}. Of {len(pages)} pages {len(slow)} take more than {MAX_MS} ms"
        f" (median), {MAX_STATEMENTS} statements, or {MAX_KB} kB."
    )
    lines = [
        where,
        "",
        f"| page | {heads} | statements | kB |",
        f"|---|{'--:|' * (len(layouts) + 2)}",
    ]
    for name, both in sorted(pages, key=lambda page: -max(one.median for one in page[1])):
        times = " | ".join(f"{one.median:.0f}, {one.slow:.0f}" for one in both)
        most = max(one.statements for one in both), max(one.kilobytes for one in both)
        lines.append(f"| `{name}` | {times} | {most[0]} | {most[1]:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""150,000 scripted bookings of one performance, and what visitors get meanwhile.

    python -m bench.flood [--bookings NUMBER] [--write]

The script books by API, as fast as the site answers, each time from another network and with another mailbox. One
visitor after another books by the form, as a browser does, with the challenge's solution if the form has one, and
confirms by the mail's link.
"""

import argparse
import datetime
import json
import os
import platform
import re
import secrets
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from html import unescape
from statistics import median
from typing import Any

import altcha
import psycopg
from altcha.v2 import Payload

from azionelab.tokens import Purpose, make_token
from bench.data import make_performance, signing
from bench.figures import write
from bench.load import put_load
from bench.servers import HOST, ROOT, flask, free_ports, gunicorn, postgres, site_settings

COMMAND = "python -m bench.flood"
PAGE = ROOT / "docs" / "performance.md"
SEATS = 300  # of the performance
PARTY = 2  # seats of a visitor
_TURN = 10  # seconds of load, after which the bookings are counted
_PAUSE = 2  # seconds between two visitors
_REDIRECT = 303
_PATIENCE = 60  # seconds that a visitor waits for an answer


# The mails that the script led to, and the seats that it holds.
_SCRIPTED = """
    SELECT (SELECT count(*) FROM mail JOIN reservation ON reservation.id = reservation_id
            WHERE email LIKE 'bench-%%'),
           (SELECT coalesce(sum(seats), 0) FROM reservation
            WHERE email LIKE 'bench-%%' AND holds_seats AND state IN ('pending', 'confirmed') AND performance_id = %(performance)s)
"""


@dataclass(frozen=True)
class Visit:
    """One visitor: the answer's status, whether seats were held, then confirmed; seconds for the proof and for all."""

    status: int
    held: bool
    confirmed: bool
    proof: float
    seconds: float


class Visitors(threading.Thread):
    """Visitors who book one after another until `stop` is called."""

    def __init__(self, site: str, performance: int, database_url: str) -> None:
        super().__init__()
        self.visits: list[Visit] = []
        self._site = site
        self._path = f"{site}/en/performances/{performance}/book"
        self._database_url = database_url
        self._ended = threading.Event()

    def run(self) -> None:
        """Book, and pause."""
        with psycopg.connect(self._database_url, autocommit=True) as database:
            while not self._ended.wait(_PAUSE):
                self.visits.append(self._visit(database))

    def stop(self) -> None:
        """End after the present visitor."""
        self._ended.set()
        self.join()

    def _visit(self, database: psycopg.Connection[Any]) -> Visit:
        began = time.monotonic()
        browser = {"X-Forwarded-For": f"2001:db8:{secrets.randbelow(65536):x}::1"}
        _, headers, page = _open(self._path, browser)
        sent = hidden_fields(page)
        proof = 0.0
        if found := re.search(r'data-challenge="([^"]*)"', page):
            asked = altcha.Challenge.from_dict(json.loads(unescape(found[1])))
            solution = altcha.solve_challenge(asked)
            assert solution is not None
            sent["proof"] = Payload(asked, solution).to_base64()
            proof = time.monotonic() - began
        email = f"visitor-{secrets.token_hex(8)}@example.org"
        sent |= {"name": "Ada Lovelace", "email": email, "seats": str(PARTY), "consent": "y"}
        browser["Cookie"] = (headers["Set-Cookie"] or "").partition(";")[0]
        browser["Referer"] = f"https://{HOST}/"
        status, _, _ = _open(self._path, browser, sent)
        confirmed = False
        row = database.execute(
            "SELECT id, holds_seats FROM reservation WHERE email = %s", [email]
        ).fetchone()
        if row:
            with signing():
                link = f"{self._site}/en/bookings/confirm/{make_token(Purpose.VISITOR, row[0])}"
            _, headers, page = _open(link, browser)
            browser["Cookie"] = (headers["Set-Cookie"] or browser["Cookie"]).partition(";")[0]
            ticked = hidden_fields(page) | {"coming": "y"}
            confirmed = _open(link, browser, ticked)[0] == _REDIRECT
        seconds = time.monotonic() - began
        return Visit(status, bool(row and row[1]), confirmed, proof, seconds)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Shows a redirect in place of following it."""

    def redirect_request(self, *_facts: object) -> None:
        return None


_opener = urllib.request.build_opener(_Stay)


def _open(
    address: str, headers: dict[str, str], fields: dict[str, str] | None = None
) -> tuple[int, Message, str]:
    data = None if fields is None else urllib.parse.urlencode(fields).encode()
    headers = {"Host": HOST, "X-Forwarded-Proto": "https", **headers}
    request = urllib.request.Request(address, data, headers)
    try:
        with _opener.open(request, timeout=_PATIENCE) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read().decode()


def hidden_fields(page: str) -> dict[str, str]:
    """The hidden fields of a page's forms, with their values."""
    fields = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = (re.search(rf'\b{mark}="([^"]*)"', tag) for mark in ("name", "value"))
        if name and "hidden" in tag:
            fields[name[1]] = unescape(value[1]) if value else ""
    return fields


def main() -> None:
    """Measure, print the table, and with --write put it into docs/performance.md."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--bookings", type=int, default=150_000, help="scripted ones (150,000)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/")
    options = parser.parse_args()
    with postgres() as (url, _folder):
        table = measure(url, options.bookings)
    print(table)
    if options.write:
        write(PAGE, table, COMMAND)


def measure(database_url: str, bookings: int) -> str:
    """Flood a site with at least so many scripted bookings; the report in Markdown."""
    (port,) = free_ports(1)
    settings = site_settings(database_url, 25)
    del settings["PROOF_ABOVE_BOOKINGS"]  # as it is shipped
    flask(settings, "db", "upgrade")
    with (
        psycopg.connect(database_url, autocommit=True) as database,
        gunicorn("wsgi:app", port, settings) as site,
    ):
        performance = make_performance(database, SEATS)
        visitors = Visitors(site.url, performance, database_url)
        visitors.start()
        began, sent = time.monotonic(), 0
        path = f"{site.url}/api/v1/performances/{performance}/reservations"
        while sent < bookings:
            sent += put_load(path, _TURN, "api").answered
        minutes = (time.monotonic() - began) / 60
        visitors.stop()
        mails, seats = database.execute(_SCRIPTED, {"performance": performance}).fetchone() or (
            0,
            0,
        )
    return _report(visitors.visits, sent, minutes, mails, seats)


def _report(visits: list[Visit], sent: int, minutes: float, mails: int, seats: int) -> str:
    proofs = [visit.proof for visit in visits if visit.proof]
    rows = {
        "scripted bookings sent": f"{sent:,}, in {minutes:.1f} minutes",
        "mails that they led to": f"{mails:,}",
        f"seats that they hold at the end, of {SEATS}": f"{seats:,}",
        "visitors who tried to book": f"{len(visits):,}",
        "of whom the booking was taken": f"{sum(visit.status == _REDIRECT for visit in visits):,}",
        "of whom the seats were held unconfirmed": f"{sum(visit.held for visit in visits):,}",
        "who confirmed and have their seats": f"{sum(visit.confirmed for visit in visits):,}",
        "a visitor's proof, median (Python; a browser has its own time)": _seconds(proofs),
        "all of a visitor's booking, median": _seconds([visit.seconds for visit in visits]),
    }
    where = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}."
    return "\n".join(
        [
            where,
            "",
            "| what | figure |",
            "|---|--:|",
            *(f"| {what} | {figure} |" for what, figure in rows.items()),
        ]
    )


def _seconds(times: list[float]) -> str:
    return f"{median(times):.1f} s" if times else "none"


if __name__ == "__main__":
    main()

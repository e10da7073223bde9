"""What finding people costs among 100,000 reservations: each search by itself, and whole pages of the back office.

    python -m bench.people [--write]

The reservations are of 600 performances, with 6,000 family names and 40,000 mailboxes; one in ten has one of five
names, and one in fifty a note. The pages are made in this process, without a server. The best of some tries counts,
since other programs of the machine only ever add to it.
"""

import argparse
import itertools
import os
import platform
import random
import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psycopg

from bench.figures import write
from bench.servers import ROOT, SECRET_KEY, flask, postgres

COMMAND = "python -m bench.people"
PAGE = ROOT / "docs" / "performance.md"
RESERVATIONS = 100_000
PERFORMANCES = 600
_TRIES = 7
_SYLLABLES = [
    "ros",
    "si",
    "bian",
    "chi",
    "fer",
    "ra",
    "ri",
    "de",
    "lu",
    "ca",
    "mo",
    "ret",
    "ti",
    "gal",
    "lo",
    "con",
    "te",
    "man",
    "ci",
    "ni",
    "ven",
    "tu",
    "ba",
    "gre",
    "co",
    "sal",
    "vi",
]
_GIVEN = [
    "Anna",
    "Marco",
    "Giulia",
    "Luca",
    "Chiara",
    "Paolo",
    "Nicolò",
    "Francesca",
    "Davide",
    "Elena",
    "Sara",
    "Matteo",
    "Zoë",
]
_FREQUENT = ["Rossi", "Sgrò", "De Luca", "D'Amico", "Müller"]
_SEARCHES = (
    ("a frequent name", "rossi"),
    ("without its accent", "sgro"),
    ("given and family name", "matteo bianchi"),
    ("a typing error", "rosi"),
    ("a typing error in a frequent name", "mattteo"),
    ("two words, one with an error", "elena de lucca"),
    ("an address", "anna.rossi@example.it"),
    ("a reference", "00012345"),
    ("words of notes", "sedia rotelle"),
    ("nearly everybody", "example"),
    ("nobody", "zzzzqq"),
)
_PAGES = (
    ("the list of reservations", "/admin/reservations/"),
    ("its last page", f"/admin/reservations/?page={RESERVATIONS // 50 - 1}"),
    ("sorted by name", "/admin/reservations/?sort=1"),
    ("the list of performances", "/admin/performances/"),
    ("an evening of 170 parties", "/admin/evenings/300"),
)


def main() -> None:
    """Measure, print the table, and with --write put it into docs/performance.md."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--write", action="store_true", help="write the table into docs/")
    options = parser.parse_args()
    with postgres() as (url, _folder):
        settings = {"DATABASE_URL": url, "FLASK_DEBUG": "true", "SECRET_KEY": SECRET_KEY}
        flask(settings, "db", "upgrade")
        with psycopg.connect(url, autocommit=True) as database:
            _fill(database)
        rows = list(_measure(settings))
    head = ["| what | | ms |", "|---|---|--:|"]
    where = (
        f"{RESERVATIONS:,} reservations; {os.cpu_count()} CPUs, Python {platform.python_version()}."
    )
    table = "\n".join([where, "", *head, *rows])
    print(table)
    if options.write:
        write(PAGE, table, COMMAND)


def _fill(database: psycopg.Connection[Any]) -> None:
    draw = random.Random(14)  # noqa: S311 (the same rows each time)
    database.execute(
        """
        WITH venue AS (INSERT INTO venue (name, address) VALUES ('Sala', '') RETURNING id),
             show AS (INSERT INTO show (slug, title, summary, description, published)
                      VALUES ('bench', 'Bench', '', '', true) RETURNING id)
        INSERT INTO performance (show_id, venue_id, starts_at, booking_opens_at,
                                 booking_closes_at, capacity, party_limit)
        SELECT show.id, venue.id, now() + n * interval '1 day', now() - interval '2 years',
               now() + n * interval '1 day', 1000, 6
        FROM show, venue, generate_series(1 - %(half)s, %(half)s) n
        """,
        {"half": PERFORMANCES // 2},
    )
    family = [
        "".join(draw.choices(_SYLLABLES, k=draw.choice((2, 3, 3, 4)))).title() for _ in range(6_000)
    ]
    columns = "id, reference, performance_id, name, email, email_key, locale, seats, state"
    columns += ", request_key, created_at, hold_expires_at, confirmed_at, note"
    with database.transaction(), database.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        with cursor.copy(f"COPY reservation ({columns}) FROM STDIN") as copy:
            for number in range(RESERVATIONS):
                name = draw.choice(_FREQUENT if draw.random() < 0.1 else family)
                given = draw.choice(_GIVEN)
                address = f"{given}.{name}{number % 40_000}@example.{draw.choice(('it', 'com'))}"
                address = address.lower().replace(" ", "").replace("'", "")
                at = f"2026-01-01 {number % 24:02}:{number % 60:02}:{number % 59:02}Z"
                note = "" if number % 50 else "sedia a rotelle"
                copy.write_row(
                    (
                        uuid.uuid4(), f"{number:08}", 1 + number % PERFORMANCES, f"{given} {name}",
                        address, address, "it", 2, "confirmed", uuid.uuid4(), at, at, at, note,
                    )
                )  # fmt: skip
    database.execute("VACUUM ANALYZE")


def _measure(settings: dict[str, str]) -> Iterator[str]:
    # Imported when the database is there, so that --help needs none.
    from azionelab.admin.people.search import find_people  # noqa: PLC0415
    from azionelab.app import create_app  # noqa: PLC0415
    from azionelab.database import db  # noqa: PLC0415
    from azionelab.settings.loading import load_config  # noqa: PLC0415
    from azionelab.staff.accounts import create_account  # noqa: PLC0415

    app = create_app(load_config(settings))
    with app.app_context():
        account = create_account("bench@example.org", "admin", secrets.token_urlsafe(24))
        identity = account.fs_uniquifier
        for what, typed in _SEARCHES:

            def search(typed: str = typed) -> None:
                db.session.rollback()
                find_people(typed)

            yield f"| people: {what} | `{typed}` | {_best(search):.0f} |"
        db.session.remove()
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = identity, True
    for what, address in _PAGES:
        status = client.get(address).status_code
        if status != 200:
            raise SystemExit(f"{address} answered {status}")
        yield f"| page: {what} | `{address}` | {_best(partial(client.get, address)):.0f} |"


def _best(tried: Callable[[], object]) -> float:
    """The shortest of some tries, in milliseconds."""
    times = []
    for _ in itertools.repeat(None, _TRIES):
        begin = time.perf_counter()
        tried()
        times.append(time.perf_counter() - begin)
    return 1_000 * min(times)


if __name__ == "__main__":
    main()

"""What finding people costs among 100,000 reservations: each search by itself, without its page.

    python -m bench.people [--write]

The reservations are those of bench/season.py, with 6,000 family names and 40,000 mailboxes; one in ten has one of five
names, and one in fifty a note. The best of some tries counts, since other programs of the machine only ever add to it.
"""

import argparse
import itertools
import os
import platform
import time
from collections.abc import Callable, Iterator

import psycopg

from bench.figures import write
from bench.season import RESERVATIONS, fill
from bench.servers import ROOT, SECRET_KEY, flask, postgres

COMMAND = "python -m bench.people"
PAGE = ROOT / "docs" / "performance.md"
_TRIES = 7
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


def main() -> None:
    """Measure, print the table, and with --write put it into docs/performance.md."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--write", action="store_true", help="write the table into docs/")
    options = parser.parse_args()
    with postgres() as (url, _folder):
        settings = {"DATABASE_URL": url, "FLASK_DEBUG": "true", "SECRET_KEY": SECRET_KEY}
        flask(settings, "db", "upgrade")
        with psycopg.connect(url, autocommit=True) as database:
            fill(database)
        rows = list(_measure(settings))
    head = ["| what | | ms |", "|---|---|--:|"]
    where = (
        f"{RESERVATIONS:,} reservations; {os.cpu_count()} CPUs, Python {platform.python_version()}."
    )
    table = "\n".join([where, "", *head, *rows])
    print(table)
    if options.write:
        write(PAGE, table, COMMAND)


def _measure(settings: dict[str, str]) -> Iterator[str]:
    # Imported when the database is there, so that --help needs none.
    from azionelab.admin.people.search import find_people  # noqa: PLC0415
    from azionelab.app import create_app  # noqa: PLC0415
    from azionelab.database import db  # noqa: PLC0415
    from azionelab.settings.loading import load_config  # noqa: PLC0415

    app = create_app(load_config(settings))
    with app.app_context():
        for what, typed in _SEARCHES:

            def search(typed: str = typed) -> None:
                db.session.rollback()
                find_people(typed)

            yield f"| people: {what} | `{typed}` | {_best(search):.0f} |"
        db.session.remove()


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

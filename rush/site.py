"""The whole site of a rush: PostgreSQL, gunicorn, and nginx with the container's templates behind another proxy."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psutil
import psycopg

from azionelab.queue.lines import INSIDE, MOST_SEATS, PER_MINUTE, STAY_MINUTES
from bare_machine.embedded_postgres import as_application
from bench.data import make_performance
from bench.servers import flask, free_ports, gunicorn, nginx, postgres, site_settings
from tests.support.nginx import Nginx

APPLICATION = "the application"  # the name of gunicorn among the programs
_MAIL_PORT = 25  # nobody listens: mails wait, as without the worker


@dataclass(frozen=True)
class Site:
    """A running site: `programs` are the first processes of its parts, by name."""

    nginx: Nginx
    database_url: str
    programs: dict[str, psutil.Process]


@contextmanager
def running_site() -> Iterator[Site]:
    """Start everything on an empty durable database, as shipped: limits, proofs and times of forms too."""
    with postgres() as (url, folder):
        (port,) = free_ports(1)
        settings = site_settings(as_application(url), _MAIL_PORT)
        for name in ("PROOF_ABOVE_BOOKINGS", "FORM_MIN_SECONDS"):
            del settings[name]
        flask(settings | {"MIGRATION_DATABASE_URL": url}, "db", "upgrade")
        front = folder.with_name(f"{folder.name}-nginx")
        front.mkdir()
        try:
            with (
                gunicorn("wsgi:app", port, settings) as server,
                nginx(front, port) as proxy,
            ):
                postmaster = (folder / "postmaster.pid").read_text().splitlines()[0]
                pids = {
                    APPLICATION: server.pid,
                    "nginx": proxy.process.pid,
                    "PostgreSQL": int(postmaster),
                }
                programs = {name: psutil.Process(pid) for name, pid in pids.items()}
                yield Site(proxy.nginx, url, programs)
        finally:
            shutil.rmtree(front)


def open_sale(
    database: "psycopg.Connection[Any]", seats: int, opens_at: datetime
) -> tuple[int, int]:
    """Make a show whose booking opens then, with a line before it; the ids of performance and line."""
    performance = make_performance(database, seats)
    database.execute(
        "UPDATE performance SET booking_opens_at = %s WHERE id = %s", [opens_at, performance]
    )
    row = database.execute(
        """
        INSERT INTO queue_line (show_id, origin, opens_at, moved_at, per_minute, inside_limit, stay_minutes,
            most_seats)
        SELECT show_id, 'staff', %(opens)s, %(opens)s, %(rate)s, %(inside)s, %(stay)s, %(most)s
        FROM performance WHERE id = %(performance)s RETURNING id
        """,
        {
            "opens": opens_at,
            "performance": performance,
            "rate": PER_MINUTE,
            "inside": INSIDE,
            "stay": STAY_MINUTES,
            "most": MOST_SEATS,
        },
    ).fetchone()
    assert row
    return performance, int(row[0])

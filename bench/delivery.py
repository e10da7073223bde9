"""How fast the worker delivers the mails of bookings, to a mail server that takes everything."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import psycopg
from aiosmtpd.controller import Controller

_PATIENCE = 900  # seconds
# Of the bookings since the last look: their mails, the seconds from the first booking and from the last one to the last
# mail, and when the last one was made.
_DELIVERED = """
    SELECT count(*), extract(epoch FROM max(sent_at) - min(reservation.created_at))::float,
           extract(epoch FROM max(sent_at) - max(reservation.created_at))::float, max(reservation.created_at)
    FROM mail JOIN reservation ON reservation.id = mail.reservation_id
    WHERE performance_id = %s AND reservation.created_at > %s
"""


@dataclass(frozen=True)
class Mails:
    """Mails of all runs, the seconds that they took, and the median of the wait after a run's last booking."""

    number: int
    seconds: float
    last: float

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.number / self.seconds


class Delivery:
    """Waits for the mails of a performance's bookings, run after run."""

    def __init__(self, database: psycopg.Connection[Any], performance: int) -> None:
        self.performance = performance
        self._database = database
        self._runs: list[tuple[int, float, float]] = []
        self._seen = "-infinity"

    def catch_up(self) -> None:
        """Wait until all are delivered, and note how long it took."""
        drained(self._database)
        row = self._database.execute(_DELIVERED, [self.performance, self._seen]).fetchone()
        assert row
        mails, took, last, self._seen = row
        self._runs.append((mails, took, last))

    def mails(self) -> Mails:
        """All runs together."""
        numbers, seconds, last = zip(*self._runs, strict=True)
        return Mails(sum(numbers), sum(seconds), median(last))


@contextmanager
def sink(port: int) -> Iterator[None]:
    """A mail server that accepts and discards everything."""

    class Sink:
        async def handle_DATA(self, *_: Any) -> str:  # noqa: N802 (aiosmtpd's name)
            await asyncio.sleep(0)
            return "250 OK"

    controller = Controller(Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    yield
    controller.stop()


def drained(database: psycopg.Connection[Any]) -> None:
    """Wait until the mail queue is empty."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if not database.execute("SELECT 1 FROM mail WHERE delivery = 'queued' LIMIT 1").fetchone():
            return
        time.sleep(0.1)
    raise SystemExit("bench: mails are still queued after 15 minutes")

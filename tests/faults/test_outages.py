"""The server ends all connections under clients, again and again."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from flask import Flask

from azionelab.database import db
from tests.api.expect import BOOKING
from tests.factories import a_performance, seats_held
from tests.support.processes import eventually

CLIENTS = 8
KNOWN = {202, 503}


class Crowd:
    """Clients that book one seat after the other, and send each again until it is acknowledged."""

    def __init__(self, app: Flask, performance_id: int) -> None:
        self._app = app
        self._address = f"/api/v1/performances/{performance_id}/reservations"
        self._enough = threading.Event()
        self.answers: Counter[int] = Counter()
        self.booked = 0

    def run(self, disturb: Callable[["Crowd"], None]) -> None:
        """Let them book while `disturb` does what it does, and then until each is answered."""
        with ThreadPoolExecutor(CLIENTS) as clients:
            working = [clients.submit(self._work, number) for number in range(CLIENTS)]
            try:
                disturb(self)
            finally:
                self._enough.set()
            self.booked = sum(one.result() for one in working)

    def _work(self, client: int) -> int:
        booked = 0
        while not self._enough.is_set():
            body = BOOKING | {"seats": 1, "email": f"visitor-{client}-{booked}@example.org"}
            eventually(lambda body=body: self._press(body) == 202, "the booking")
            booked += 1
        return booked

    def _press(self, body: dict[str, Any]) -> int:
        status = self._app.test_client().post(self._address, json=body).status_code
        self.answers[status] += 1
        return status

    def wait_for(self, status: int) -> None:
        """Until the crowd got that answer some times more."""
        enough = self.answers[status] + CLIENTS
        eventually(lambda: self.answers[status] >= enough, f"answers of {status}")


def test_connections_that_the_server_ends_are_busy_and_lose_nothing(
    make_app: Callable[..., Flask], in_app: Flask, database: psycopg.Connection[Any]
) -> None:
    performance = a_performance(capacity=100_000).id

    def end_connections(crowd: Crowd) -> None:
        for _ in range(5):
            crowd.wait_for(202)
            database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    crowd = Crowd(make_app(), performance)
    crowd.run(end_connections)
    db.engine.dispose()
    assert set(crowd.answers) <= KNOWN, crowd.answers
    assert seats_held(performance) == (crowd.booked, crowd.booked)

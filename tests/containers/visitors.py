"""A steady trickle of visitors and a phone at the door, who note each answer that they did not want."""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import urllib3

from tests.containers.conftest import Evening, Stack

PAUSE = 0.15  # seconds between two requests of one of them
# A door's device is limited in codes that nobody has.
SLOW = {"scan": 10 * PAUSE}
NEW_TOKEN = """
from wsgi import app
from azionelab.staff.tokens import Scope, issue_token
with app.app_context():
    print(issue_token("phone", Scope.DOOR, hours=2)[1])
"""
_ASSET = re.compile(r'"(/static/assets/[^"]+)"')


class Visitors:
    """Until the block ends: the programme and its files, the form, bookings by API, and scans."""

    def __init__(self, stack: Stack, evening: Evening) -> None:
        self.stack = stack
        self.evening = evening
        self.failed: list[str] = []
        self.asked: Counter[str] = Counter()
        self.booked = 0
        self._over = threading.Event()
        self._token = stack.execute("backend", "python", "-c", NEW_TOKEN).stdout.split()[-1]
        self._threads = [
            threading.Thread(target=self._keep_on, args=[name, step])
            for name, step in (
                ("programme", self._look),
                ("form", self._open_form),
                ("booking", self._book),
                ("scan", self._scan),
            )
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _keep_on(self, name: str, step: Callable[[], None]) -> None:
        while not self._over.wait(SLOW.get(name, PAUSE)):
            at = datetime.now(UTC)
            try:
                step()
            except (AssertionError, urllib3.exceptions.HTTPError) as fault:
                self.failed.append(f"{at:%H:%M:%S}, {name}: {fault}"[:300])
            self.asked[name] += 1

    def _ask(self, wanted: int, path: str, method: str = "GET", **how: Any) -> bytes:
        answer = self.stack.request(path, method, **how)
        if answer.status != wanted:
            raise AssertionError(f"{path} answers {answer.status} {answer.data[:150]!r}")
        return answer.data

    def _look(self) -> None:
        page = self._ask(200, "/en/").decode()
        self._ask(200, _ASSET.findall(page)[0])

    def _open_form(self) -> None:
        self._ask(200, f"/en/performances/{self.evening.performance_id}/book")

    def _book(self) -> None:
        visitor = uuid4()
        self._post(
            202,
            f"/api/v1/performances/{self.evening.performance_id}/reservations",
            {
                "name": "Ada Rossi",
                "email": f"{visitor.hex}@azionelab.org",
                "seats": 1,
                "consent": True,
            },
            {"Idempotency-Key": str(visitor)},
        )
        self.booked += 1

    def _scan(self) -> None:
        self._post(
            200,
            f"/api/v1/checkin/performances/{self.evening.performance_id}/scans",
            {"scan_id": str(uuid4()), "code": "AAAA-AAAA", "door": "main"},
            {"Authorization": f"Bearer {self._token}"},
        )

    def _post(self, wanted: int, path: str, body: dict[str, Any], headers: dict[str, str]) -> None:
        headers = {"Content-Type": "application/json"} | headers
        self._ask(wanted, path, "POST", body=json.dumps(body).encode(), headers=headers)

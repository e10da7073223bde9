"""The on-sale rush over HTTP: real gunicorn, real connections, one small house."""

import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from uuid import uuid4

import pytest

from tests.conftest import Site
from tests.factories import a_performance, seats_held
from tests.support.processes import PATIENCE, PYTHON, ROOT, clean_environment

pytestmark = pytest.mark.usefixtures("in_app")

CLIENTS = 32
ATTEMPTS = 1_000


class Browser:
    """A visitor with a cookie jar, who opened the form once and books with it."""

    def __init__(self, form_address: str) -> None:
        self._address = form_address
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()), _StayHere()
        )
        page = self._opener.open(form_address, timeout=PATIENCE).read().decode()
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token
        self._token = token[1]

    def book(self, number: int) -> int:
        """Try to book one seat with an address of its own; the status of the answer."""
        form = {
            "csrf_token": self._token,
            "request_key": str(uuid4()),
            "name": "Visitor",
            "email": f"storm-{number}@example.org",
            "seats": "1",
            "consent": "y",
        }
        try:
            with self._opener.open(
                self._address, urllib.parse.urlencode(form).encode(), timeout=PATIENCE
            ) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def test_a_thousand_attempts_for_two_hundred_seats(
    live_site: Site, settings: dict[str, str]
) -> None:
    performance = a_performance(capacity=200)
    address = f"{live_site.url}/it/performances/{performance.id}/book"

    def client(number: int) -> list[int]:
        browser = Browser(address)
        return [browser.book(attempt) for attempt in range(number, ATTEMPTS, CLIENTS)]

    with ThreadPoolExecutor(CLIENTS) as crowd:
        answers = Counter(
            status for statuses in crowd.map(client, range(CLIENTS)) for status in statuses
        )

    assert answers == {303: 200, 409: 800}
    assert seats_held(performance.id) == (200, 200)
    doctor = subprocess.run(
        [PYTHON, "-m", "flask", "--app", "wsgi", "doctor"],
        cwd=ROOT,
        env=clean_environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr

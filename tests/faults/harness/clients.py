"""People at their phones: each books, opens the mail, confirms, cancels or comes, and presses again until answered."""

import json
import random
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from tests.bookings.test_pages import fields
from tests.faults.harness.log import Deed, Entry, Log, Outcome, Tally
from tests.faults.harness.site import Answer, Lost, Site
from tests.support.processes import PATIENCE

_BETWEEN = 0.05  # seconds between two presses of one client
_WAITING = 4  # parties of one client, then it books seldom
_AGAIN = 0.2  # seconds before the same is pressed again
_ANSWERED = {202, 303, 200}
_SOLD_OUT = 409
_TURNED_AWAY = 403
_TRY_AGAIN = {502, 503, 504}
_STALE_FORM = {400, 422}


@dataclass
class Party:
    """A booking of a client's, as far as it has been answered."""

    email: str
    performance: int
    confirmed: bool = False


@dataclass(frozen=True)
class House:
    """Where they book: `full` has few seats, which are always taken and given back; in `tonight` parties are let in."""

    full: int
    tonight: int
    device: str  # the token of a phone at the door of `tonight`


class Client(threading.Thread):
    """One of the people. Runs until `enough` is set, and then until the last press is answered."""

    def __init__(
        self,
        number: int,
        stack: Site,
        house: House,
        *,
        log: Log,
        tally: Tally,
        enough: threading.Event,
    ) -> None:
        super().__init__(daemon=True)
        self._number, self._stack, self._house = number, stack, house
        self._log, self._tally, self._enough = log, tally, enough
        self._random = random.Random(number)
        self._parties: list[Party] = []
        self._cookie = self._csrf = ""
        self.port = 0  # another than gunicorn's
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._enough.wait(_BETWEEN):
                self._step()
        except BaseException as fault:  # noqa: BLE001 (told by whoever joins)
            self.fault = fault
        finally:
            self._log.close()

    def _step(self) -> None:
        """Go on with a party whose mail has come, or book: seldom while many of one's own wait for their mails."""
        for party in self._parties:
            if not party.confirmed and self._stack.mailbox.link(party.email):
                party.confirmed = self._confirm(party)
                if not party.confirmed:
                    self._parties.remove(party)
                return
        confirmed = [party for party in self._parties if party.confirmed]
        if confirmed and self._random.random() < 0.7:
            party = self._random.choice(confirmed)
            self._parties.remove(party)
            if party.performance == self._house.full:
                self._cancel(party)
            else:
                self._come(party)
        elif len(self._parties) < _WAITING or self._random.random() < 0.05:
            self._book(self._random.choice([self._house.full, self._house.tonight]))

    def _book(self, performance: int) -> None:
        email = f"client-{self._number}-{uuid4().hex[:12]}@example.org"
        body = {"name": "Ada Rossi", "email": email, "seats": 1, "consent": True, "locale": "en"}
        key = str(uuid4())

        def press() -> Answer:
            return self._ask(
                "POST", f"/api/v1/performances/{performance}/reservations", json.dumps(body).encode(),
                Content_Type="application/json", Idempotency_Key=key,
            )  # fmt: skip

        if self._press(Deed.BOOK, email, performance, press, key):
            self._parties.append(Party(email, performance))

    def _confirm(self, party: Party) -> bool:
        path = f"/en/bookings/confirm/{self._stack.mailbox.link(party.email)}"
        return self._press(
            Deed.CONFIRM, party.email, party.performance, lambda: self._send(path, coming="y")
        )

    def _cancel(self, party: Party) -> None:
        path = f"/en/bookings/{self._stack.mailbox.link(party.email)}/cancel"
        self._press(Deed.CANCEL, party.email, party.performance, lambda: self._send(path, sure="y"))

    def _come(self, party: Party) -> None:
        scan = str(uuid4())
        body = {"scan_id": scan, "code": self._stack.mailbox.reference(party.email)}

        def press() -> Answer:
            answer = self._ask(
                "POST", f"/api/v1/checkin/performances/{party.performance}/scans",
                json.dumps(body).encode(), Content_Type="application/json",
                Authorization=f"Bearer {self._house.device}",
            )  # fmt: skip
            if answer.status == 200 and json.loads(answer.text)["verdict"] != "admitted":
                answer.status = _TURNED_AWAY
            return answer

        self._press(Deed.ADMIT, party.email, party.performance, press, scan)

    def _press(
        self, deed: Deed, email: str, performance: int, press: Callable[[], Answer], key: str = ""
    ) -> bool:
        """Press until it is answered; whether it was taken."""
        began = time.monotonic()
        while True:
            sent_at = time.monotonic()

            def note(outcome: Outcome, sent_at: float = sent_at) -> None:
                self._log.write(
                    Entry(deed, outcome, email, performance, key, sent_at, time.monotonic())
                )

            note(Outcome.SENT)
            try:
                answer = press()
            except Lost:
                self._tally.count(0)
            else:
                self._tally.count(answer.status)
                if answer.status in _ANSWERED:
                    note(Outcome.ACKNOWLEDGED)
                    self._tally.note(deed, sent_at)
                    return True
                if answer.status in _STALE_FORM:
                    self._csrf = ""
                elif answer.status not in _TRY_AGAIN:
                    # The house is full; or the site knows nothing of what it acknowledged, which the audit tells.
                    note(Outcome.REFUSED)
                    assert answer.status == _SOLD_OUT or deed is not Deed.BOOK, answer.text[:2000]
                    return False
            assert time.monotonic() - began < PATIENCE, f"{deed} was not answered"
            time.sleep(_AGAIN)

    def _send(self, path: str, **typed: str) -> Answer:
        """Send a form, with a token that any form of the site gave before."""
        if not self._csrf:
            page = self._ask("GET", path)
            if page.status != 200:
                return page
            self._cookie = (page.headers["Set-Cookie"] or self._cookie).partition(";")[0]
            self._csrf = fields(page.text)["csrf_token"]
        form = urllib.parse.urlencode({"csrf_token": self._csrf} | typed).encode()
        return self._ask(
            "POST", path, form, Cookie=self._cookie, Referer=self._stack.settings["SITE_BASE_URL"] + "/",
            Content_Type="application/x-www-form-urlencoded",
        )  # fmt: skip

    def _ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        network = ".".join(str(self._random.randrange(256)) for _ in range(3))
        return self._stack.ask(
            method, path, body, port=self.port, X_Forwarded_For=f"10.{network}", **headers
        )

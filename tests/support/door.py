"""A phone at the door: the app's page in a real browser, and its local databases."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self

from playwright.sync_api import BrowserContext, CDPSession, Locator, Page, Route, expect

from azionelab.bookings.models import Reservation
from azionelab.checkin.devices.invitations import make_invitation
from azionelab.database import now
from azionelab.shows.models import Performance
from tests.conftest import Site
from tests.factories import a_party, a_performance
from tests.support.processes import PATIENCE

_KEY_SECONDS = 0.005  # between two keys of a hand scanner
_KEPT = """
async () => {
  const kept = {};
  for (const { name } of await indexedDB.databases()) {
    const opened = indexedDB.open(name);
    // Opening a database that was just deleted would create it again.
    opened.onupgradeneeded = () => opened.transaction.abort();
    const isThere = await new Promise((done) => {
      opened.onsuccess = () => done(true);
      opened.onerror = () => done(false);
    });
    if (!isThere) continue;
    const database = opened.result;
    for (const store of database.objectStoreNames) {
      const asked = database.transaction(store).objectStore(store).getAll();
      await new Promise((done) => { asked.onsuccess = done; });
      kept[store] = asked.result;
    }
    database.close();
  }
  return kept;
}
"""
_READER = """
async () => {
  const opened = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
  const kept = await Promise.all(opened.map((cache) => cache.keys()));
  return kept.flat().some(({ url }) => url.endsWith(".wasm"));
}
"""
_WATCH = """
() => {
  window.verdicts = [];
  const container = document.querySelector("#verdict");
  new MutationObserver(() => {
    const verdict = container.querySelector("[data-verdict]")?.dataset.verdict;
    if (verdict && verdict !== "checking") window.verdicts.push(verdict);
  }).observe(container, { childList: true });
}
"""
_PICTURES = """
async (count) => {
  const picture = document.querySelector("[data-camera-picture]");
  for (let n = 0; n < count; n += 1) {
    await new Promise((next) => picture.requestVideoFrameCallback(next));
  }
}
"""
# Waits for pending promises, database requests and drawing.
_SETTLED = """
async () => {
  for (let n = 0; n < 3; n += 1) {
    await indexedDB.databases();
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
}
"""
_TIME_OF_EVENT = "Object.getOwnPropertyDescriptor(Event.prototype, 'timeStamp')"
_SEEN = """
(state) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => state === "hidden" });
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
  document.dispatchEvent(new Event("visibilitychange"));
}
"""


def tonight(**facts: Any) -> Performance:
    """A bookable performance with open doors, whose no-shows can be released."""
    curtain = now() + timedelta(minutes=25)
    return a_performance(starts_at=curtain, booking_closes_at=curtain, **facts)


def invitation(site: Site, performance: Performance) -> str:
    """The URL in the QR code that staff show."""
    return f"{site.url}/checkin/app#join={make_invitation(performance.id)}"


class Phone:
    """The door app on one phone."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site
        self._keys: CDPSession | None = None
        self.verdict: Locator = page.locator("#verdict")
        self.state: Locator = page.locator("[data-state]")
        self.notices: Locator = page.locator("[data-notices]")

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def join(self, performance: Performance, name: str = "Door A") -> Self:
        """Enrol at this performance, and load its list."""
        self.page.goto(invitation(self.site, performance))
        label = self.page.get_by_label("Name of this door")
        label.fill(name)
        self.press("Yes, open the door")
        # A phone that was enrolled before still has its old state behind this screen.
        expect(label).to_be_hidden()
        self.wait_until_synced()
        return self

    def install_clock(self, **settings: Any) -> None:
        """Let the test set the clock. Key events keep real times, which identify hand scanners."""
        self.context.add_init_script(f"window.times = {_TIME_OF_EVENT}")
        self.page.clock.install(**settings)
        self.page.add_init_script("Object.defineProperty(Event.prototype, 'timeStamp', times)")

    def wait_for_every_answer(self) -> Self:
        """Disable timeouts from now on: by default the app goes on offline after a moment.

        For tests in which answers are held back: a busy machine may take longer than that moment.
        """
        self.page.add_init_script("AbortController.prototype.abort = () => {}")
        return self

    def open(self) -> Self:
        """Open the app again, with or without a network."""
        self.page.goto(f"{self.site.url}/checkin/app")
        return self

    def press(self, name: str) -> None:
        """Press a button; in the open dialog, if there is one."""
        cover = self.page.locator("dialog[open], #verdict:has(.verdict)")
        top = cover if cover.count() else self.page
        top.get_by_role("button", name=name, exact=True).click()

    def scan(self, code: str) -> None:
        """Scan with a hand scanner: fast keys, whatever has the focus, then Enter.

        The keys' own times are a scanner's, however busy this machine is.
        """
        self._keys = self._keys or self.context.new_cdp_session(self.page)
        keys = [*((key, key) for key in code), ("Enter", "\r")]
        began = time.time() - len(keys) * _KEY_SECONDS
        for n, (key, text) in enumerate(keys):
            for what in ({"type": "keyDown", "text": text}, {"type": "keyUp"}):
                event = what | {"key": key, "timestamp": began + n * _KEY_SECONDS}
                self._keys.send("Input.dispatchKeyEvent", event)

    def type(self, code: str) -> None:
        """Type a code into the field; dismisses the current verdict first."""
        if self.page.locator("#verdict .verdict").count():
            self.press("Next")
        if not self.page.locator("#query").is_visible():
            self.press("Type or find")
        self.page.locator("#query").fill(code)
        self.page.locator("#query").press("Enter")

    def expect_verdict(self, *words: str) -> None:
        """Wait for a verdict that contains all of these."""
        for said in words:
            expect(self.verdict).to_contain_text(said)

    def expect_text(self, *words: str) -> None:
        """Wait until the page shows these texts, on any screen."""
        for said in words:
            expect(self.page.get_by_text(said).locator("visible=true").first).to_be_visible()

    def count(self, name: str) -> Locator:
        """A number at the top: expected, inside, to_come or free."""
        return self.page.locator(f'[data-count="{name}"]')

    def go_offline(self) -> None:
        """Lose the network."""
        self.context.set_offline(True)

    def go_online(self) -> None:
        """Get a network, and wait until everything is sent."""
        self.context.set_offline(False)
        self.wait_until_synced()

    def wait_until_synced(self) -> None:
        """Wait until everything is sent to the server."""
        expect(self.state).to_have_text("Online")

    def read_databases(self) -> dict[str, list[Any]]:
        """The rows of the browser's databases, by store."""
        kept: dict[str, list[Any]] = self.page.evaluate(_KEPT)
        return kept

    def expect_empty_databases(self) -> None:
        """Wait until the browser's databases are empty."""
        until(
            self.page, lambda: not any(self.read_databases().values()), "everything to be forgotten"
        )

    def wait_until_settled(self) -> None:
        """Wait until the page has handled the last response."""
        self.page.evaluate(_SETTLED)

    def wait_until_installed(self) -> None:
        """Wait until the app is cached, so that it starts without a network."""
        self.page.evaluate("async () => { await navigator.serviceWorker.ready; }")

    def wait_until_reader_cached(self) -> None:
        """Wait until the code reader is cached too, a little later."""
        until(self.page, lambda: bool(self.page.evaluate(_READER)), "the reader of codes")

    def release_seats(self) -> None:
        """Release the seats of no-shows, including the confirmation."""
        self.press("More")
        self.press("Release seats")
        self.press("Release seats")
        expect(self.page.locator("[data-release-words]")).to_contain_text("Seats were released at")

    def record_verdicts(self) -> Callable[[], list[str]]:
        """Record all verdicts from now on; returns a function that reads them."""
        self.page.evaluate(_WATCH)

        def noted() -> list[str]:
            return list(self.page.evaluate("window.verdicts"))

        return noted

    def start_camera(self) -> None:
        """Start scanning with the camera."""
        self.press("Scan with the camera")

    def wait_for_frames(self, count: int) -> None:
        """Wait for `count` more frames of the camera."""
        self.page.evaluate(_PICTURES, count)

    def hide(self) -> None:
        """Make the page hidden, as when the phone is locked."""
        self.page.evaluate(_SEEN, "hidden")

    def show(self) -> None:
        """Make the page visible again."""
        self.page.evaluate(_SEEN, "visible")


class HeldRequests:
    """Holds requests to a URL until the test releases them."""

    def __init__(self, page: Page, address: str) -> None:
        self.routes: list[Route] = []
        self._is_over = False
        self._page = page
        page.route(address, self._hold)

    def _hold(self, route: Route) -> None:
        if self._is_over:
            route.continue_()
        else:
            self.routes.append(route)

    def wait(self) -> None:
        """Wait for a held request."""
        until(self._page, lambda: bool(self.routes), "a request")

    def release(self) -> None:
        """Let held and later requests pass."""
        self._is_over = True
        for route in self.routes:
            route.continue_()


def until(page: Page, ask: Callable[[], bool], what: str) -> None:
    """Poll until `ask` is true, while the page goes on; fails with `what`."""
    deadline = time.monotonic() + PATIENCE
    while not ask():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        page.wait_for_timeout(20)


def has_a_scan_to_send(phone: Phone) -> Reservation:
    """Let a party in while the phone is offline; returns the party."""
    performance = tonight()
    party = a_party(performance, 2)
    phone.join(performance)
    phone.wait_until_installed()
    phone.go_offline()
    phone.scan(party.reference)
    phone.expect_verdict("Let 2 in")
    return party

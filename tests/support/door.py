"""A phone at the door: its page in a real browser, and what it keeps."""

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

_KEY = 0.005  # seconds between two keys of a hand scanner
_KEPT = """
async () => {
  const kept = {};
  for (const { name } of await indexedDB.databases()) {
    const opened = indexedDB.open(name);
    // One that was deleted just now must not be made again by whoever looks.
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
  const place = document.querySelector("#verdict");
  new MutationObserver(() => {
    const told = place.querySelector("[data-verdict]")?.dataset.verdict;
    if (told && told !== "checking") window.verdicts.push(told);
  }).observe(place, { childList: true });
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
# What stands in its queue before this is done by then: promises, its databases' answers, and drawing.
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
    """A performance whose doors are open, whose no-shows could be released, and that is bookable."""
    curtain = now() + timedelta(minutes=25)
    return a_performance(starts_at=curtain, booking_closes_at=curtain, **facts)


def invitation(site: Site, performance: Performance) -> str:
    """The address in the QR that staff show."""
    return f"{site.url}/checkin/app#join={make_invitation(performance.id)}"


class Phone:
    """The door app as somebody holds it."""

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
        """Become a door of this performance, and know its list."""
        self.page.goto(invitation(self.site, performance))
        label = self.page.get_by_label("Name of this door")
        label.fill(name)
        self.press("Yes, open the door")
        # A phone that was a door before still has its state of then behind this screen.
        expect(label).to_be_hidden()
        self.wait_until_synced()
        return self

    def install_clock(self, **settings: Any) -> None:
        """Let the test move its clock. Keys keep their own times, by which hand scanners are known."""
        self.context.add_init_script(f"window.times = {_TIME_OF_EVENT}")
        self.page.clock.install(**settings)
        self.page.add_init_script("Object.defineProperty(Event.prototype, 'timeStamp', times)")

    def wait_for_every_answer(self) -> Self:
        """Wait for every answer from now on, where a phone goes on by itself after a moment.

        For tests in which answers are held back: a busy machine may take longer than that moment.
        """
        self.page.add_init_script("AbortController.prototype.abort = () => {}")
        return self

    def open(self) -> Self:
        """Open the app once more, with or without a network."""
        self.page.goto(f"{self.site.url}/checkin/app")
        return self

    def press(self, name: str) -> None:
        """Press the button of that name, on what covers the rest of the page if something does."""
        cover = self.page.locator("dialog[open], #verdict:has(.verdict)")
        top = cover if cover.count() else self.page
        top.get_by_role("button", name=name, exact=True).click()

    def scan(self, code: str) -> None:
        """With a hand scanner: fast, wherever the focus is, with Enter at the end.

        The keys' own times are a scanner's, however busy this machine is.
        """
        self._keys = self._keys or self.context.new_cdp_session(self.page)
        keys = [*((key, key) for key in code), ("Enter", "\r")]
        began = time.time() - len(keys) * _KEY
        for n, (key, text) in enumerate(keys):
            for what in ({"type": "keyDown", "text": text}, {"type": "keyUp"}):
                event = what | {"key": key, "timestamp": began + n * _KEY}
                self._keys.send("Input.dispatchKeyEvent", event)

    def type(self, code: str) -> None:
        """By hand, into the field; the verdict before is put away first."""
        if self.page.locator("#verdict .verdict").count():
            self.press("Next")
        if not self.page.locator("#query").is_visible():
            self.press("Type or find")
        self.page.locator("#query").fill(code)
        self.page.locator("#query").press("Enter")

    def expect_verdict(self, *words: str) -> None:
        """Wait for a verdict that says all of these."""
        for said in words:
            expect(self.verdict).to_contain_text(said)

    def expect_text(self, *words: str) -> None:
        """Wait until the page shows these, whatever the screen."""
        for said in words:
            expect(self.page.get_by_text(said).locator("visible=true").first).to_be_visible()

    def count(self, name: str) -> Locator:
        """One of the numbers at the top: expected, inside, to_come, free."""
        return self.page.locator(f'[data-count="{name}"]')

    def go_offline(self) -> None:
        """Be somewhere without a network from now on."""
        self.context.set_offline(True)

    def go_online(self) -> None:
        """Have a network again, and wait until everything is told that waited for it."""
        self.context.set_offline(False)
        self.wait_until_synced()

    def wait_until_synced(self) -> None:
        """Wait until the server knows all that was done here."""
        expect(self.state).to_have_text("Online")

    def read_databases(self) -> dict[str, list[Any]]:
        """All that is in the browser's databases, by the name of the store."""
        kept: dict[str, list[Any]] = self.page.evaluate(_KEPT)
        return kept

    def expect_empty_databases(self) -> None:
        """Wait until there is nothing in any of them."""
        until(
            self.page, lambda: not any(self.read_databases().values()), "everything to be forgotten"
        )

    def wait_until_settled(self) -> None:
        """Wait until the page has done what it does about an answer that has come."""
        self.page.evaluate(_SETTLED)

    def wait_until_installed(self) -> None:
        """Wait until the app is kept here, and would start without a network."""
        self.page.evaluate("async () => { await navigator.serviceWorker.ready; }")

    def wait_until_reader_cached(self) -> None:
        """Wait until what reads codes is kept here as well, which is a little later."""
        until(self.page, lambda: bool(self.page.evaluate(_READER)), "the reader of codes")

    def release_seats(self) -> None:
        """Release the places of who did not come, with the second thought that this takes."""
        self.press("More")
        self.press("Release seats")
        self.press("Release seats")
        expect(self.page.locator("[data-release-words]")).to_contain_text("Seats were released at")

    def record_verdicts(self) -> Callable[[], list[str]]:
        """Note every verdict that is shown from now on; what was noted."""
        self.page.evaluate(_WATCH)

        def noted() -> list[str]:
            return list(self.page.evaluate("window.verdicts"))

        return noted

    def start_camera(self) -> None:
        """Start scanning, as far as there is a camera."""
        self.press("Scan with the camera")

    def wait_for_frames(self, count: int) -> None:
        """Wait until the camera has shown so many more pictures."""
        self.page.evaluate(_PICTURES, count)

    def hide(self) -> None:
        """Be told what a browser tells a page that nobody sees."""
        self.page.evaluate(_SEEN, "hidden")

    def show(self) -> None:
        """Be seen again."""
        self.page.evaluate(_SEEN, "visible")


class Held:
    """Requests to an address are held back until somebody decides what becomes of them."""

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
        """Wait until there is one."""
        until(self._page, lambda: bool(self.routes), "a request")

    def release(self) -> None:
        """Let these pass, and all that come."""
        self._is_over = True
        for route in self.routes:
            route.continue_()


def until(page: Page, ask: Callable[[], bool], what: str) -> None:
    """Ask until it is so, while the page and what was routed go on; fail, saying `what` was awaited."""
    deadline = time.monotonic() + PATIENCE
    while not ask():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        page.wait_for_timeout(20)


def has_a_scan_to_send(phone: Phone) -> Reservation:
    """Let a party in without a network, at the door of some evening; that party."""
    performance = tonight()
    party = a_party(performance, 2)
    phone.join(performance)
    phone.wait_until_installed()
    phone.go_offline()
    phone.scan(party.reference)
    phone.expect_verdict("Let 2 in")
    return party

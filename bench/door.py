"""The door app in a real browser: time from a ticket in view to its verdict, and bytes loaded."""

import gzip
import io
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

import qrcode
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

GOAL_ONLINE, GOAL_OFFLINE = 300, 100  # milliseconds, p95
GOAL_LOAD = 200  # kB, compressed, without the WebAssembly
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE = 60_000  # milliseconds
_EACH_SECOND = 30  # pictures: Chromium's pace for motion JPEG
_SIZE, _MARK, _SIDE = (1280, 720), 24, 320  # pixels
# Between two tickets the table is seen, for longer than a good verdict keeps the next one waiting.
_TABLE, _TICKET = 54, 24  # pictures

# Each picture with a ticket has a coloured mark in its corner. The page is asked, before anything of
# the app sees the picture, what is in that corner; and it is told of the verdict by a MutationObserver.
_MEASURE = """
() => {
  const picture = document.querySelector("[data-camera-picture]");
  const corner = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const place = document.querySelector("#verdict");
  let mark = "", shownAt;
  window.took = [];
  const look = () => {
    corner.drawImage(picture, 4, 4, 1, 1, 0, 0, 1, 1);
    const [red, green] = corner.getImageData(0, 0, 1, 1).data;
    const seen = red > 150 ? "red" : green > 150 ? "green" : "";
    if (seen !== mark) shownAt = seen ? performance.now() : undefined;
    mark = seen;
    picture.requestVideoFrameCallback(look);
  };
  picture.requestVideoFrameCallback(look);
  new MutationObserver(() => {
    const told = place.querySelector("[data-verdict]")?.dataset.verdict;
    if (!told || told === "checking" || shownAt === undefined) return;
    window.took.push([told, performance.now() - shownAt]);
    shownAt = undefined;
  }).observe(place, { childList: true });
}
"""


@dataclass(frozen=True)
class Timed:
    """Milliseconds from a ticket in view to its verdict."""

    scans: int
    p50: float
    p95: float


@dataclass(frozen=True)
class DoorApp:
    """The measurements. `load` is in kB, compressed, without the WebAssembly, whose size is `reader`."""

    online: Timed
    offline: Timed
    load: float
    reader: float

    def __str__(self) -> str:
        def said(timed: Timed) -> str:
            return f"p50 {timed.p50:.0f} ms, p95 {timed.p95:.0f} ms ({timed.scans} scans)"

        return (
            f"The door app, from a ticket in view to its verdict: online {said(self.online)}, to reach"
            f" {GOAL_ONLINE} ms; without a network {said(self.offline)}, to reach {GOAL_OFFLINE} ms."
            f" Its first load is {self.load:.0f} kB compressed, to reach {GOAL_LOAD} kB, and"
            f" {self.reader:.0f} kB of WebAssembly where the browser reads no codes itself"
        )


def measure(invitation: str, codes: list[str], folder: Path) -> DoorApp:
    """Scan the first half of `codes` online and the rest without a network, with one phone.

    `codes` are what the tickets' QRs say; `invitation` is the address that makes the phone a door.

    A time begins when the browser hands the page the first picture that shows a ticket, and ends when
    the verdict's card is in the DOM. What the camera itself takes before, and the screen after, is not
    in it; the wait for the detector's next look, reading the code with WebAssembly (Linux' Chromium
    has no detector of its own), the request and, without a network, the write to the disk are. Each
    ticket is of another party, all are let in, and none is seen twice; a verdict that is missing or
    another one ends the measurement. Browser, server and database share this machine.
    """
    half = len(codes) // 2
    _film(folder / "camera.mjpeg", codes)
    with _phone(folder / "camera.mjpeg") as context:
        page = context.new_page()
        loaded: dict[str, int] = {}
        page.on("requestfinished", lambda request: loaded.update(_size(request)))
        page.goto(invitation)
        page.get_by_role("button", name="Yes, open the door").click()
        expect(page.locator("[data-state]")).to_have_text("Online", timeout=_PATIENCE)
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        load = sum(size for path, size in loaded.items() if not path.endswith(".wasm"))
        page.get_by_role("button", name="Scan with the camera").click()
        page.evaluate(_MEASURE)
        online = _timed(page, half)
        context.set_offline(True)
        offline = _timed(page, len(codes) - half)
        reader = sum(size for path, size in loaded.items() if path.endswith(".wasm"))
        return DoorApp(online, offline, load / 1000, reader / 1000)


@contextmanager
def _phone(film: Path) -> Iterator[BrowserContext]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit("bench: Chromium is needed (Debian: apt-get install chromium)")
    flags = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream"]
    flags.append(f"--use-file-for-fake-video-capture={film}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser.new_context(
            viewport={"width": 390, "height": 844}, locale="en-GB", permissions=["camera"]
        )
        browser.close()


def _film(path: Path, codes: list[str]) -> None:
    """A film of the tickets, with the empty table between them."""
    with path.open("wb") as written:
        for n, code in enumerate(codes):
            written.write(_picture() * _TABLE)
            written.write(_picture(code, (255, 0, 0) if n % 2 else (0, 255, 0)) * _TICKET)
        # What was shown comes again after that; by then everything is measured.
        written.write(_picture() * _TABLE * 20)


def _picture(code: str = "", mark: tuple[int, int, int] = (0, 0, 0)) -> bytes:
    table = Image.new("RGB", _SIZE, (150, 140, 130))
    table.paste(Image.new("RGB", (_MARK, _MARK), mark), (0, 0))
    if code:
        qr = qrcode.QRCode(border=4, box_size=8)
        qr.add_data(code)
        ticket = qr.make_image().get_image().convert("RGB").resize((_SIDE, _SIDE))
        table.paste(ticket, ((_SIZE[0] - _SIDE) // 2, (_SIZE[1] - _SIDE) // 2))
    frame = io.BytesIO()
    table.save(frame, "JPEG", quality=90)
    return frame.getvalue()


def _timed(page: Page, scans: int) -> Timed:
    """Wait for so many verdicts and return their times."""
    page.evaluate("window.took.length = 0")
    page.wait_for_function(
        "(count) => window.took.length >= count",
        arg=scans,
        timeout=scans * (_TABLE + _TICKET) / _EACH_SECOND * 1000 + _PATIENCE,
    )
    took: list[tuple[str, float]] = page.evaluate("window.took")
    wrong = {verdict for verdict, _ in took[:scans]} - {"admitted"}
    if wrong:
        raise SystemExit(f"bench: the door app said {wrong}")
    times = [milliseconds for _, milliseconds in took[:scans]]
    return Timed(scans, median(times), quantiles(times, n=20)[-1])


def _size(request: Any) -> Mapping[str, int]:
    """The size of a response's body, compressed if a proxy would compress it."""
    address = urlsplit(request.url)
    if address.path.startswith("/api/"):
        return {}
    body = request.response().body()
    kind = request.response().headers.get("content-type", "")
    packs = kind.startswith(("text/", "application/json", "application/manifest", "image/svg"))
    packs = packs or kind.startswith("application/wasm")
    return {address.path: len(gzip.compress(body, 6)) if packs else len(body)}

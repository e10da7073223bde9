"""What a visitor's phone loads for the programme and a show's page, and when it has painted them.

    python -m bench.paint [--write]

The demonstration season with its posters, from the built front end, behind compression as nginx does it. Chromium is
a phone on a slow line (PHONE); its protocol tells what was transferred. Each page is loaded several times by a browser
that has nothing of it yet; the median counts.
"""

import argparse
import gzip
import http.client
import http.server
import re
import shutil
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

from bench.door import BROWSERS
from bench.figures import write
from bench.servers import ROOT, SECRET_KEY, flask, free_ports, gunicorn, postgres

COMMAND = "python -m bench.paint"
PAGE = ROOT / "docs" / "performance.md"
MAX_KB, MAX_SECONDS = 80, 1.2  # of the programme's page
WIDTH = 412  # pixels
PHONE: dict[str, Any] = {
    "viewport": {"width": WIDTH, "height": 823},
    "device_scale_factor": 2,
    "is_mobile": True,
}
BITS_A_SECOND, ROUND_TRIP, SLOWER = 1_600_000, 150, 4  # the line, milliseconds, the processor
_TRIES = 7
# What counts as the page itself; pictures are counted apart.
_KINDS = {"Document": "HTML", "Stylesheet": "CSS", "Script": "JS", "Font": "fonts"}
_OBSERVE = """
window.painted = { largest: 0, element: "", shift: 0 };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    window.painted.largest = entry.startTime;
    window.painted.element = entry.element?.tagName.toLowerCase() ?? "";
  }
}).observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.painted.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@dataclass(frozen=True)
class Load:
    """One load of a page: bytes by kind, requests to others, layout shift, seconds to the largest paint, and of what."""

    sizes: dict[str, int]
    foreign: int
    shift: float
    largest: float
    element: str

    @property
    def kilobytes(self) -> float:
        """HTML, CSS, JS and fonts, compressed."""
        return sum(size for kind, size in self.sizes.items() if kind != "pictures") / 1000


def main() -> None:
    """Measure, print the table, and with --write put it into docs/performance.md."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--write", action="store_true", help="write the table into docs/")
    options = parser.parse_args()
    with _site() as site:
        slug = re.findall(r'href="/it/shows/([a-z0-9-]+)"', _text(f"{site}/it/"))[0]
        pages = {"programme": f"{site}/it/", "a show": f"{site}/it/shows/{slug}"}
        measured = {name: _measure(address) for name, address in pages.items()}
    figures = _report(measured)
    print(figures)
    if options.write:
        write(PAGE, figures, COMMAND)
    programme = measured["programme"]
    late = median(load.largest for load in programme) > MAX_SECONDS
    if late or any(load.kilobytes > MAX_KB or load.foreign or load.shift for load in programme):
        raise SystemExit("bench: the programme's page is beyond its budget")


@contextmanager
def _site() -> Iterator[str]:
    """The address of the site with the demonstration season, behind the compression."""
    behind, front = free_ports(2)
    address = f"http://127.0.0.1:{front}"
    with postgres() as (url, _folder), tempfile.TemporaryDirectory() as media:
        settings = {
            "FLASK_DEBUG": "true",
            "SECRET_KEY": SECRET_KEY,
            "DATABASE_URL": url,
            "MEDIA_DIR": media,
            "SITE_BASE_URL": address,
        }
        flask(settings, "db", "upgrade")
        flask(settings, "demo-season")
        with gunicorn("wsgi:app", behind, settings), _compressed(front, behind):
            yield address


@contextmanager
def _compressed(port: int, behind: int) -> Iterator[None]:
    """Pass requests on and compress as nginx does: pages at gzip's level 1, built files once at level 9."""

    class Compress(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", behind)
            connection.request("GET", self.path, headers={"Host": self.headers["Host"]})
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "connection", "date", "server"):
                    self.send_header(name, value)
            built = self.path.startswith("/static/")
            if built or answer.headers.get_content_type() == "text/html":
                body = _squeeze(body, 9 if built else 1)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Compress)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@cache
def _squeeze(body: bytes, level: int) -> bytes:
    return gzip.compress(body, level)


def _text(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return gzip.decompress(answer.read()).decode()


def _measure(address: str) -> list[Load]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit("bench: Chromium is needed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        _load(browser, address)  # the site's templates are compiled, and the page is cached
        loads = [_load(browser, address) for _ in range(_TRIES)]
        browser.close()
    return loads


def _load(browser: Browser, address: str) -> Load:
    """Load a page with an empty cache on the slow phone."""
    context = browser.new_context(**PHONE)
    page = context.new_page()
    protocol = context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    sizes: dict[str, int] = {}
    foreign: set[str] = set()

    def sent(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = _KINDS.get(event["type"], "pictures")
        asked = urlsplit(event["request"]["url"])
        if asked.scheme != "data" and asked.netloc != urlsplit(address).netloc:
            foreign.add(asked.netloc)

    def finished(event: dict[str, Any]) -> None:
        kind = kinds[event["requestId"]]
        sizes[kind] = sizes.get(kind, 0) + int(event["encodedDataLength"])

    protocol.on("Network.requestWillBeSent", sent)
    protocol.on("Network.loadingFinished", finished)
    protocol.send("Network.enable")
    line = BITS_A_SECOND / 8
    protocol.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": ROUND_TRIP,
            "downloadThroughput": line,
            "uploadThroughput": line / 2,
        },
    )
    protocol.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.add_init_script(_OBSERVE)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(1000)  # fonts that were asked for late, and what they shift
    painted = page.evaluate("painted")
    context.close()
    return Load(
        sizes,
        len(foreign),
        round(painted["shift"], 4),
        painted["largest"] / 1000,
        painted["element"],
    )


def _report(measured: dict[str, list[Load]]) -> str:
    kinds = (*_KINDS.values(), "pictures")
    explained = (
        f"The median of {_TRIES} loads; {BITS_A_SECOND / 1e6} Mbit/s, {ROUND_TRIP} ms a round trip, a processor"
        f" {SLOWER} times slower, {WIDTH} pixels wide. To reach for the programme: {MAX_KB} kB without pictures,"
        f" nothing from others, no layout shift, {MAX_SECONDS} s."
    )
    heads = " | ".join(
        [*(f"{kind} kB" for kind in kinds), "without pictures kB", "from others", "layout shift"]
    )
    lines = [
        explained,
        "",
        f"| page | {heads} | largest paint s | of |",
        f"|---|{'--:|' * (len(kinds) + 4)}---|",
    ]
    for name, loads in measured.items():
        sizes = " | ".join(
            f"{median(load.sizes.get(kind, 0) for load in loads) / 1000:.1f}" for kind in kinds
        )
        lines.append(
            f"| {name} | {sizes} | {median(load.kilobytes for load in loads):.1f} |"
            f" {max(load.foreign for load in loads)} | {max(load.shift for load in loads):g} |"
            f" {median(load.largest for load in loads):.2f} | `{loads[0].element}` |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()

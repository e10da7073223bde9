"""How many hard pictures of tickets the door app reads, with its plain reader and with all of its tries.

    python -m bench.camera --write

runs this part of the bench alone; `make bench` runs it with the rest. The built app's own reader and worker
run in Chromium.
"""

import argparse
import base64
import functools
import http.server
import io
import json
import random
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.door import BROWSERS
from bench.figures import write
from bench.hard_frames import Frame, frames
from bench.servers import ROOT

PAGE = ROOT / "docs" / "performance.md"
COMMAND = "python -m bench.camera"
_DIST = ROOT / "static_frontend" / "dist"
_EACH = 5  # pictures of a kind

_START_READERS = """
async ({ reader, wasm, worker }) => {
  const file = await fetch(wasm);
  const module = await WebAssembly.compile(await file.arrayBuffer());
  const { BarcodeDetector, prepareZXingModule } = await import(reader);
  const instantiateWasm = (imports, done) => {
    WebAssembly.instantiate(module, imports).then(done);
    return {};
  };
  await prepareZXingModule({ overrides: { instantiateWasm }, fireImmediately: true });
  window.detector = new BarcodeDetector({ formats: ["qr_code"] });
  window.worker = new Worker(worker);
  window.worker.postMessage({ module });
}
"""
# As a camera that goes on showing it: one way a picture, until one reads it or all had their turn.
_READ = """
async ({ frame, ways }) => {
  const loaded = await createImageBitmap(await (await fetch(frame)).blob());
  const pixels = () => {
    const drawn = new OffscreenCanvas(loaded.width, loaded.height).getContext("2d");
    drawn.drawImage(loaded, 0, 0);
    return drawn.getImageData(0, 0, loaded.width, loaded.height);
  };
  let began = performance.now();
  const plain = (await window.detector.detect(pixels())).length > 0;
  const look = performance.now() - began;
  const tries = [];
  let way = "";
  for (let n = 0; n < ways && !plain && !way; n += 1) {
    const picture = pixels();
    began = performance.now();
    const answered = new Promise((done) => { window.worker.onmessage = done; });
    window.worker.postMessage({ picture }, [picture.data.buffer]);
    const { data } = await answered;
    tries.push(performance.now() - began);
    if (data.seen.length > 0) way = data.tried;
  }
  return { plain, look, tries, way };
}
"""
_WAYS = 4


def measure() -> str:
    """The table, in Markdown."""
    rows = ["| picture | read before | read now | by |", "|---|--:|--:|---|"]
    looks: list[float] = []
    tries: list[float] = []
    with _readers() as page:
        for name, frame in frames().items():
            found = [_read(page, frame, f"{name} {n}") for n in range(_EACH)]
            looks += [one["look"] for one in found]
            tries += [took for one in found for took in one["tries"]]
            before = sum(one["plain"] for one in found)
            ways = Counter(one["way"] for one in found if one["way"])
            by = ", ".join(f"{way} ({count})" for way, count in ways.items())
            rows.append(f"| {name} | {before} | {before + ways.total()} | {by} |")
    rows += [
        "",
        f"Of {_EACH} pictures each. A look takes {median(looks):.0f} ms, a try {median(tries):.0f} ms.",
    ]
    return "\n".join(rows)


def _read(page: Page, frame: Frame, seed: str) -> dict[str, Any]:
    picture = io.BytesIO()
    frame(random.Random(seed)).save(picture, "PNG", compress_level=1)  # noqa: S311 (no secret)
    address = f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}"
    found: dict[str, Any] = page.evaluate(_READ, {"frame": address, "ways": _WAYS})
    return found


@contextmanager
def _readers() -> Iterator[Page]:
    """A page with the app's two readers."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit("bench: Chromium is needed (Debian: apt-get install chromium)")
    with _files() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto(f"{url}/assets/")
        page.evaluate(_START_READERS, {name: f"/{file}" for name, file in _built().items()})
        yield page
        browser.close()


def _built() -> dict[str, str]:
    manifest = json.loads((_DIST / ".vite" / "manifest.json").read_text())
    return {
        "reader": manifest["node_modules/barcode-detector/dist/es/ponyfill.js"]["file"],
        "wasm": manifest["src/door/camera/reader-file.ts"]["assets"][0],
        "worker": manifest["src/door/main.ts"]["assets"][0],
    }


@contextmanager
def _files() -> Iterator[str]:
    """Serve the built front end on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(_DIST))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def main() -> None:
    """Measure and print; with --write put the table into the docs."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/")
    options = parser.parse_args()
    table = measure()
    print(table)
    if options.write:
        write(PAGE, table, COMMAND)


if __name__ == "__main__":
    main()

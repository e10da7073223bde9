"""Memory that tickets as PDF take in a web process: `python -m bench.memory`.

It needs no database: it makes sheets with the ticket's fonts, as `ticket_pdf` does.
"""

import gc
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import psutil
from flask import Flask
from flask_babel import Babel

from azionelab.bookings.tickets.pdf import Sheet
from azionelab.settings.loading import load_config
from bench.servers import site_settings

THREADS = 4  # WEB_THREADS
SHEETS = 16

_app = Flask(__name__)
_app.config["AZIONELAB"] = load_config(site_settings("postgresql://bench@127.0.0.1:1/bench", 25))
_one = Lock()


def make_sheet(_number: int) -> None:
    """Make a sheet with a line in each of the ticket's two fonts."""
    with _app.test_request_context("/"):
        sheet = Sheet("A4", "La locandiera")
        sheet.add_page()
        for bold in (False, True):
            sheet.use(12, bold=bold)
            sheet.write_lines("La locandiera", 8)
        sheet.content()


def make_sheet_alone(number: int) -> None:
    """The same, in one thread at a time."""
    with _one:
        make_sheet(number)


def main() -> None:
    """Print the process's private memory (USS) after each step."""
    Babel(_app)
    _tell("before")
    make_sheet(0)
    _tell("the first sheet")
    for name, make in (("one at a time", make_sheet_alone), ("at once", make_sheet)):
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(make, range(SHEETS)))
        _tell(f"{SHEETS} sheets by {THREADS} threads, {name}")
    gc.collect()
    tracemalloc.start()
    make_sheet(0)
    gc.collect()
    kept, most = tracemalloc.get_traced_memory()
    print(f"one sheet takes {most / 1e6:.1f} MB and leaves {kept / 1e6:.1f} MB behind")


def _tell(step: str) -> None:
    print(f"{step}: {psutil.Process().memory_full_info().uss / 1e6:.0f} MB")


if __name__ == "__main__":
    main()

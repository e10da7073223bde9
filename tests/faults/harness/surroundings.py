"""What is around the site: clocks that jump, and nginx."""

import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path

from bench.servers import HOST
from tests.faults.harness.disks import CAN_MOUNT, small_disk
from tests.faults.harness.stack import Stack
from tests.faults.harness.storm import Fault, Storm
from tests.support.nginx import Nginx, lay_out_front_end

CAN_TURN_CLOCKS = shutil.which("cc") is not None


def clock_settings(folder: Path) -> dict[str, str]:
    """What makes the clock of the site's processes, not PostgreSQL's, one that `_turn_clock` turns."""
    library = folder / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    _set_clock(folder, 0)
    return {"LD_PRELOAD": str(library), "CLOCK_OFFSET_FILE": str(folder / "clock")}


def _set_clock(folder: Path, seconds: int) -> None:
    with (folder / "clock").open("r+b" if (folder / "clock").exists() else "wb") as file:
        file.write(struct.pack("q", seconds))


def _turn_clock(minutes: int) -> Callable[[Storm], None]:
    def strike(storm: Storm) -> None:
        for offset in (minutes, 0):
            _set_clock(storm.stack.folder, 60 * offset)
            date = storm.stack.ask("GET", "/api/health").headers["Date"]
            told = parsedate_to_datetime(date).timestamp() - time.time()
            assert abs(told - 60 * offset) < 60, f"the clock is {told:.0f} s off"
            storm.wait_for_deeds(2)

    return strike


def _reload_nginx(storm: Storm) -> None:
    stack = storm.stack
    folder = Path(stack.folder / f"nginx-{time.monotonic_ns()}")
    folder.mkdir()
    nginx = Nginx(
        folder, lay_out_front_end(folder / "site"), SERVE="upstream", UPSTREAM_PROXY="127.0.0.1",
        ALLOWED_HOSTS=HOST, BACKEND=f"127.0.0.1:{stack.port}", MEDIA_DIR=stack.settings["MEDIA_DIR"],
        BOOKING_RATE="100000 per second", LOGIN_RATE="100000 per second", API_RATE="100000 per second",
    )  # fmt: skip
    with nginx.running():
        _go_by(storm, nginx.http_port)
        failed = storm.tally.answers(0, 502, 503, 504)
        for _ in range(10):
            storm.wait_for_bookings(2)
            reload = [
                "nginx",
                "-e",
                "stderr",
                "-c",
                nginx.config,
                "-g",
                "user root;",
                "-s",
                "reload",
            ]
            subprocess.run(reload, check=True, capture_output=True)
        storm.wait_for_deeds(2)
        assert storm.tally.answers(0, 502, 503, 504) == failed, (
            "requests failed while nginx was reloaded"
        )
        _go_by(storm, 0)
        storm.wait_for_deeds(2)  # nobody is on the way through it any more


def _go_by(storm: Storm, port: int) -> None:
    for client in storm.clients:
        client.port = port


NGINX = Fault(
    "nginx", "nginx, through which all go, reloaded ten times; no request failed", _reload_nginx
)
CLOCKS = (
    Fault(
        "clock-forward",
        "the clock of the site's processes 20 minutes ahead of the database's, and back",
        _turn_clock(20),
    ),
    Fault("clock-back", "the same clock 20 minutes behind, and right again", _turn_clock(-20)),
)


@contextmanager
def special_stack(folder: Path, *, pooled: bool) -> Iterator[Stack]:
    """A site with a small disk for PostgreSQL and a clock that can be turned, as far as they can be had."""
    clock = clock_settings(folder) if CAN_TURN_CLOCKS else {}
    with ExitStack() as started:
        disk = started.enter_context(small_disk()) if CAN_MOUNT else None
        yield started.enter_context(Stack(folder, data_disk=disk, pooled=pooled, **clock).running())

"""The programs a measurement needs: started as in production, watched, ended by their pids."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE = 30  # seconds


@dataclass(frozen=True)
class Server:
    """A gunicorn that answers at `url`."""

    url: str
    pid: int

    def megabytes_per_worker(self) -> float:
        """The largest worker's resident memory, in MB, shared pages included."""
        children = psutil.Process(self.pid).children()
        largest: int = max(child.memory_info().rss for child in children)
        return largest / 1e6


@contextmanager
def gunicorn(application: str, port: int, settings: Mapping[str, str]) -> Iterator[Server]:
    """Serve `application` with 2 workers of 4 threads, as production does."""
    command = ["gunicorn", "--log-level", "warning", "-b", f"127.0.0.1:{port}"]
    command += [
        "-k",
        "azionelab.ops.processes.gunicorn_worker.BalancedGThreadWorker",
        "-w",
        "2",
        "--threads",
        "4",
        "--preload",
    ]
    # The hello-world has no database connections that gunicorn.conf.py could renew after the fork;
    # its own file, which sets nothing, keeps gunicorn from reading that one by itself.
    command += ["-c", "bench/hello.py" if application == "bench.hello:app" else "gunicorn.conf.py"]
    with program([*command, application], settings) as process:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process)
        yield Server(url, process.pid)


@contextmanager
def program(
    command: list[str], settings: Mapping[str, str], log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of the environment's Python programs until the block ends; `log` keeps what it says."""
    output = log.open("wb") if log else None
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, **settings, "FLASK_SKIP_DOTENV": "1"},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if output:
            output.close()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"bench: {url} does not answer") from None
            time.sleep(0.05)

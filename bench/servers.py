"""Start and stop the measured programs, with production's settings."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bare_machine import embedded_postgres
from tests.support.nginx import Nginx, lay_out_front_end

ROOT = Path(__file__).resolve().parent.parent
HOST = "tickets.azionelab.it"  # a name such as production takes; the load goes to this machine
SECRET_KEY = secrets.token_urlsafe(48)
_PATIENCE = 30  # seconds


@dataclass(frozen=True)
class Server:
    """A running gunicorn."""

    url: str
    pid: int

    def megabytes_per_worker(self) -> float:
        """The largest worker's share of memory (PSS) in MB: its own pages, and its part of those that several share.

        RSS counts the master's pages, from which the workers are forked, in each of them.
        """
        children = psutil.Process(self.pid).children()
        largest: int = max(child.memory_full_info().pss for child in children)
        return largest / 1e6


@contextmanager
def postgres() -> Iterator[tuple[str, Path]]:
    """An empty durable database, and its folder, which is deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="azionelab-bench-"))
    server = embedded_postgres.start(folder, durable=True)
    try:
        yield server.url, folder
    finally:
        server.stop()
        shutil.rmtree(folder)


@contextmanager
def gunicorn(
    application: str,
    port: int,
    settings: Mapping[str, str],
    log: Path | None = None,
    python: str = sys.executable,
) -> Iterator[Server]:
    """Serve `application` with 2 workers of 4 threads, as production does; what it writes goes to `log`."""
    command = ["gunicorn", "--log-level", "warning", "-b", f"127.0.0.1:{port}"]
    command += ["-k", "azionelab.ops.processes.gunicorn_worker.BalancedGThreadWorker"]
    command += ["-w", "2", "--threads", "4", "--preload"]
    # The hello-world has no database connections that gunicorn.conf.py could renew after the fork;
    # its own file, which sets nothing, keeps gunicorn from reading that one by itself.
    command += ["-c", "bench/hello.py" if application == "bench.hello:app" else "gunicorn.conf.py"]
    with serve([*command, application], port, settings, log, python) as server:
        yield server


@contextmanager
def serve(
    command: list[str],
    port: int,
    settings: Mapping[str, str],
    log: Path | None = None,
    python: str = sys.executable,
) -> Iterator[Server]:
    """Run a Python module that serves at `port` while the block runs, from its first answer on."""
    with program(command, settings, log, python) as process:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process)
        yield Server(url, process.pid)


@dataclass(frozen=True)
class Front:
    """A running nginx: its address, its first process, and the folder of what it serves below /static/."""

    url: str
    process: psutil.Process
    files: Path
    nginx: Nginx


@contextmanager
def nginx(folder: Path, backend: int) -> Iterator[Front]:
    """nginx with the container's templates, behind another proxy, in an empty folder."""
    site = lay_out_front_end(folder / "front-end")
    server = Nginx(
        folder,
        site,
        SERVE="upstream",
        UPSTREAM_PROXY="127.0.0.1",
        ALLOWED_HOSTS=HOST,
        BACKEND=f"127.0.0.1:{backend}",
    )
    with server.running():
        pid = int((folder / "run" / "nginx.pid").read_text())
        address = f"http://127.0.0.1:{server.http_port}"
        yield Front(address, psutil.Process(pid), site / "static", server)


@contextmanager
def program(
    command: list[str],
    settings: Mapping[str, str],
    log: Path | None = None,
    python: str = sys.executable,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python module while the block runs; its output goes to `log`."""
    output = log.open("wb") if log else None
    process = subprocess.Popen(
        [python, "-m", *command],
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


def site_settings(database_url: str, smtp_port: int) -> dict[str, str]:
    """Production's settings behind a proxy that terminates TLS. The load bypasses the proxy."""
    return {
        "FLASK_DEBUG": "false",
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": database_url,
        "SITE_BASE_URL": f"https://{HOST}",
        "ALLOWED_HOSTS": HOST,
        "CSRF_TRUSTED_ORIGINS": f"https://{HOST}",
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(smtp_port),
        "MAIL_USE_TLS": "false",
        "MAIL_DEFAULT_SENDER": "bench@azionelab.it",
        # The load sets X-Forwarded-For itself.
        "TRUSTED_PROXIES": "1",
        "BOX_OFFICE_NETWORKS": "192.0.2.0/24",
        # The load has no browser and types nothing, and would be taken for a flood.
        "PROOF_ABOVE_BOOKINGS": "100000",
        "FORM_MIN_SECONDS": "0",
    }


def flask(settings: Mapping[str, str], *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=ROOT,
        env={**os.environ, **settings, "FLASK_SKIP_DOTENV": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for probe in sockets:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in sockets]
    for probe in sockets:
        probe.close()
    return ports

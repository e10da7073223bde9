"""gunicorn's configuration: `gunicorn -c gunicorn.conf.py wsgi:app`.

Settings: PORT or GUNICORN_BIND, WEB_WORKERS, WEB_THREADS, LOG_LEVEL, LOG_FORMAT (see .env.example).
"""

import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

from azionelab.logs import FORMATS, logging_settings
from azionelab.settings.environment import SettingsReader, web_processes

_settings = SettingsReader(os.environ)
_port = _settings.integer("PORT", 8000, 1, 65535)
bind = _settings.bind_addresses("GUNICORN_BIND", f"127.0.0.1:{_port}")
worker_class = "azionelab.ops.processes.gunicorn_worker.BalancedGThreadWorker"
workers, threads = web_processes(_settings)

# Wrong settings then stop the master, with one message, and the workers share its memory.
preload_app = True

timeout = 30
graceful_timeout = 20
keepalive = 5

# URLs contain visitors' tokens: the application logs requests itself, by route.
accesslog = None
logger_class = "azionelab.ops.processes.gunicorn_worker.QuietLogger"
errorlog = "-"
loglevel = _settings.choice("LOG_LEVEL", "info", ("debug", "info", "warning", "error", "critical"))
logconfig_dict = logging_settings(_settings.choice("LOG_FORMAT", "text", FORMATS))
if _settings.problems:
    raise SystemExit("\n".join(_settings.problems))

# Only TRUSTED_PROXIES decides which proxies are trusted, in azionelab.app.create_app.
forwarded_allow_ips = ""
control_socket_disable = True


_DISCARD_LIMIT = 64 * 1024  # bytes of an unread body that gunicorn discards before the next request


def pre_request(_worker: Any, request: Any) -> None:
    """Send `Connection: close` when a rejected body will end the connection.

    Otherwise gunicorn sends `keep-alive` with the 413 and then drops the next request.
    """
    headers = dict(request.headers)
    if "TRANSFER-ENCODING" in headers or int(headers.get("CONTENT-LENGTH", 0)) > _DISCARD_LIMIT:
        request.must_close = True


def _counters_folder() -> str:
    """The folder for this master's counters; a reload (HUP) keeps it."""
    prefix = f"azionelab-counts-{os.getpid()}-"
    given = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    return given if Path(given).name.startswith(prefix) else tempfile.mkdtemp(prefix=prefix)


# Before the application is loaded: counters read this variable when they are created.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _counters_folder()


def when_ready(_server: Any) -> None:
    """Load the PDF library before the workers are forked: they share its memory, and no visitor waits."""
    import azionelab.bookings.tickets.pdf  # noqa: F401, PLC0415 (as below)


def child_exit(_server: Any, worker: Any) -> None:
    """Keep the counters of an ended process."""
    from azionelab.ops.monitoring.metrics import merge_ended_process  # noqa: PLC0415 (as below)

    merge_ended_process(worker.pid)


def on_exit(_server: Any) -> None:
    """Delete the counters' folder."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def post_fork(_server: Any, worker: Any) -> None:
    """Give each worker its own database connections: forked ones would be shared."""
    from azionelab.database import db  # noqa: PLC0415 (the settings are read before the app)
    from azionelab.ops.checks.secret_keys import note_secret_key  # noqa: PLC0415

    app = worker.app.wsgi()
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose(close=False)
    if worker.age == 1:
        # In the first worker only, and in a thread: a database that is away must not delay it.
        threading.Thread(target=note_secret_key, args=[app], daemon=True).start()

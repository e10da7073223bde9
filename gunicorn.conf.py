"""How gunicorn serves the site: `gunicorn -c gunicorn.conf.py wsgi:app`.

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
bind = _settings.listening("GUNICORN_BIND", f"127.0.0.1:{_port}")
worker_class = "azionelab.ops.processes.gunicorn_worker.BalancedGThreadWorker"
workers, threads = web_processes(_settings)

# Wrong settings stop the master itself, once and in words, and the workers share its memory.
preload_app = True

timeout = 30
graceful_timeout = 20
keepalive = 5

# Addresses carry visitors' tokens: the application logs requests itself, by their route.
accesslog = None
logger_class = "azionelab.ops.processes.gunicorn_worker.QuietLogger"
errorlog = "-"
loglevel = _settings.choice("LOG_LEVEL", "info", ("debug", "info", "warning", "error", "critical"))
logconfig_dict = logging_settings(_settings.choice("LOG_FORMAT", "text", FORMATS))
if _settings.problems:
    raise SystemExit("\n".join(_settings.problems))

# Which proxies are believed is TRUSTED_PROXIES' decision, taken in azionelab.app.create_app alone.
forwarded_allow_ips = ""
control_socket_disable = True


_READ_AWAY = 64 * 1024  # bytes of a refused body that gunicorn reads before the next request


def pre_request(_worker: Any, request: Any) -> None:
    """Say `Connection: close` where a refused body ends the connection.

    gunicorn would promise `keep-alive` with the 413 and then hang up on the next request.
    """
    headers = dict(request.headers)
    if "TRANSFER-ENCODING" in headers or int(headers.get("CONTENT-LENGTH", 0)) > _READ_AWAY:
        request.must_close = True


def _counts_folder() -> str:
    """Where the processes of this start keep their counts; a reload (HUP) keeps it."""
    mine = f"azionelab-counts-{os.getpid()}-"
    given = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    return given if Path(given).name.startswith(mine) else tempfile.mkdtemp(prefix=mine)


# Before the application is loaded: what counts looks here when it is made.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _counts_folder()


def when_ready(_server: Any) -> None:
    """Load what prints tickets before the workers are forked: they share its memory, and nobody waits."""
    import azionelab.bookings.tickets.pdf  # noqa: F401, PLC0415 (as below)


def child_exit(_server: Any, worker: Any) -> None:
    """Keep what an ended process counted."""
    from azionelab.ops.monitoring.metrics import keep_counts_of_dead  # noqa: PLC0415 (as below)

    keep_counts_of_dead(worker.pid)


def on_exit(_server: Any) -> None:
    """Leave nothing behind."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def post_fork(_server: Any, worker: Any) -> None:
    """Give each worker database connections of its own: a forked one would be shared."""
    from azionelab.database import db  # noqa: PLC0415 (the settings are read before the app)
    from azionelab.ops.checks.secret_keys import look_at_key  # noqa: PLC0415

    app = worker.app.wsgi()
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose(close=False)
    if worker.age == 1:
        # The first one alone, and beside its work: a database that is away delays nothing.
        threading.Thread(target=look_at_key, args=[app], daemon=True).start()

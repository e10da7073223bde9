"""How gunicorn serves the site: `gunicorn -c gunicorn.conf.py wsgi:app`.

Settings: PORT or GUNICORN_BIND, WEB_WORKERS, WEB_THREADS, LOG_LEVEL (see .env.example).
"""

import os
from typing import Any

from azionelab.environment import SettingsReader

_settings = SettingsReader(os.environ)
_port = _settings.integer("PORT", 8000, 1, 65535)
bind = _settings.text("GUNICORN_BIND", f"127.0.0.1:{_port}")
worker_class = "azionelab.ops.even_worker.EvenWorker"
workers = _settings.integer("WEB_WORKERS", 2, 1, 64)
threads = _settings.integer("WEB_THREADS", 4, 1, 64)

# Wrong settings stop the master itself, once and in words, and the workers share its memory.
preload_app = True

timeout = 30
graceful_timeout = 20
keepalive = 5

# Addresses carry visitors' tokens: no access log here, whoever fronts this logs what it may.
accesslog = None
errorlog = "-"
loglevel = _settings.choice("LOG_LEVEL", "info", ("debug", "info", "warning", "error", "critical"))
if _settings.problems:
    raise SystemExit("\n".join(_settings.problems))

# Which proxies are believed is TRUSTED_PROXIES' decision, taken in azionelab.create_app alone.
forwarded_allow_ips = ""
control_socket_disable = True


def post_fork(_server: Any, worker: Any) -> None:
    """Give each worker database connections of its own: a forked one would be shared."""
    from azionelab.extensions import db  # noqa: PLC0415 (the settings are read before the app)

    app = worker.app.wsgi()
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose(close=False)

"""How gunicorn serves the site: `gunicorn -c gunicorn.conf.py wsgi:app`.

Settings: PORT or GUNICORN_BIND, WEB_WORKERS, WEB_THREADS, LOG_LEVEL (see .env.example).
"""

import os
from typing import Any

bind = os.environ.get("GUNICORN_BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
worker_class = "azionelab.ops.even_worker.EvenWorker"
workers = int(os.environ.get("WEB_WORKERS") or 2)
threads = int(os.environ.get("WEB_THREADS") or 4)

# Wrong settings stop the master itself, once and in words, and the workers share its memory.
preload_app = True

timeout = 30
graceful_timeout = 20
keepalive = 5

# Addresses carry visitors' tokens: no access log here, whoever fronts this logs what it may.
accesslog = None
errorlog = "-"
loglevel = os.environ.get("LOG_LEVEL") or "info"

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

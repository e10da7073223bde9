"""Around every request: its id, how long it took, and /metrics for whoever stands inside."""

import logging
import re
import time
from collections.abc import Iterable
from typing import Any
from uuid import uuid4
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram

from azionelab.logs import request_id
from azionelab.ops.monitoring.metrics import expose

logger = logging.getLogger("azionelab.requests")

_REQUESTS = Counter(
    "azionelab_http_requests",
    "Requests answered, by the route they took: never by their address, which holds tokens.",
    ["method", "route", "status"],
)
_SECONDS = Histogram(
    "azionelab_http_request_duration_seconds",
    "How long answering took.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# As nginx makes them, and as UUIDs are written. Nobody's name fits.
_SANE_ID = re.compile(r"[0-9A-Fa-f-]{16,64}")
# What a proxy adds: who comes through one comes from outside.
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


def init_requests(app: Flask, *, log_each: bool) -> None:
    """Put the layer around the application, as the outermost; `log_each` logs a line a request."""
    app.wsgi_app = _Observed(app, app.wsgi_app, log_each=log_each)  # type: ignore[method-assign]


class _Observed:
    """A WSGI layer, and no hooks of Flask's: it also sees what Flask refuses or fails at."""

    def __init__(self, app: Flask, inner: WSGIApplication, *, log_each: bool) -> None:
        self._app = app
        self._inner = inner
        self._log_each = log_each

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        identity = given if _SANE_ID.fullmatch(given) else uuid4().hex
        began = time.perf_counter()
        status, route = "500", "none"

        def start(line: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal status, route
            status = line[:3]
            # Flask keeps its request here, with the rule that it found, until it has answered.
            if rule := getattr(environ.get("werkzeug.request"), "url_rule", None):
                route = rule.rule
            return start_response(line, [*headers, ("X-Request-ID", identity)], *error)

        token = request_id.set(identity)
        try:
            if environ.get("PATH_INFO") == "/metrics" and _is_inside(environ):
                return self._tell_metrics(environ, start)
            try:
                return self._inner(environ, start)
            finally:
                self._note(environ, route, status, time.perf_counter() - began)
        finally:
            request_id.reset(token)

    def _tell_metrics(self, environ: WSGIEnvironment, start: Any) -> Iterable[bytes]:
        body = expose(self._app)
        start("200 OK", [("Content-Type", CONTENT_TYPE_LATEST), ("Cache-Control", "no-store")])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _note(self, environ: WSGIEnvironment, route: str, status: str, seconds: float) -> None:
        method = environ["REQUEST_METHOD"]
        method = method if method in _METHODS else "other"
        _REQUESTS.labels(method, route, status).inc()
        _SECONDS.labels(method, route).observe(seconds)
        if self._log_each:
            facts = {
                "method": method,
                "route": route,
                "status": int(status),
                "milliseconds": round(seconds * 1000, 1),
            }
            logger.info("%s %s %s", method, route, status, extra={"facts": facts})


def _is_inside(environ: WSGIEnvironment) -> bool:
    asks = environ["REQUEST_METHOD"] in ("GET", "HEAD")
    return asks and not any(name in environ for name in _FORWARDED)

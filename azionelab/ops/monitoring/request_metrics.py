"""WSGI middleware: request ids, request metrics, the request log, and /metrics for the internal network."""

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
from azionelab.ops.monitoring.metrics import render_metrics

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
# The format of nginx's $request_id and of UUIDs. No personal data fits into it.
_VALID_REQUEST_ID = re.compile(r"[0-9A-Fa-f-]{16,64}")
# Headers that a proxy adds: a request with one of them comes from outside.
_PROXY_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


def observe_requests(app: Flask, *, log_each: bool) -> None:
    """Wrap the application in the middleware; `log_each` logs one line per request."""
    app.wsgi_app = _RequestMiddleware(app, app.wsgi_app, log_each=log_each)  # type: ignore[method-assign]


class _RequestMiddleware:
    """WSGI middleware rather than Flask hooks: it also sees requests that Flask rejects or fails on."""

    def __init__(self, app: Flask, inner: WSGIApplication, *, log_each: bool) -> None:
        self._app = app
        self._inner = inner
        self._log_each = log_each

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        new_id = given if _VALID_REQUEST_ID.fullmatch(given) else uuid4().hex
        started = time.perf_counter()
        status, route = "500", "none"

        def start(line: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal status, route
            status = line[:3]
            # Werkzeug keeps the request here, with its matched rule, until the response is sent.
            if rule := getattr(environ.get("werkzeug.request"), "url_rule", None):
                route = rule.rule
            return start_response(line, [*headers, ("X-Request-ID", new_id)], *error)

        token = request_id.set(new_id)
        try:
            if environ.get("PATH_INFO") == "/metrics" and _is_internal(environ):
                return self._serve_metrics(environ, start)
            try:
                return self._inner(environ, start)
            finally:
                self._record(environ, route, status, time.perf_counter() - started)
        finally:
            request_id.reset(token)

    def _serve_metrics(self, environ: WSGIEnvironment, start: Any) -> Iterable[bytes]:
        body = render_metrics(self._app)
        start("200 OK", [("Content-Type", CONTENT_TYPE_LATEST), ("Cache-Control", "no-store")])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _record(self, environ: WSGIEnvironment, route: str, status: str, seconds: float) -> None:
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


def _is_internal(environ: WSGIEnvironment) -> bool:
    reads = environ["REQUEST_METHOD"] in ("GET", "HEAD")
    return reads and not any(name in environ for name in _PROXY_HEADERS)

"""gunicorn's threaded worker, taking no more visitors than it has hands free; and its logger, kept short.

gunicorn's own takes every connection that it is first to see, even when all its threads are busy and
another worker is idle. Browsers and proxies keep connections open, so whoever took them all then
answers everything on one core while the other cores wait.
"""

import time
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

PATIENCE = 0.05  # seconds


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Tells of gunicorn itself. The application tells of requests, without what is in their addresses.

    gunicorn's own gathers all of each request's facts before it finds that nobody wants them.
    """

    def access(self, *_facts: Any) -> None:
        """Say nothing of a request."""


class EvenWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Leaves a new connection to the other workers while every thread of its own is answering.

    Not for longer than PATIENCE at a time: when all workers are busy with connections that stay open,
    nobody else would come in any more.
    """

    _closed_since: float | None = None  # the moment from which on nobody new was taken

    @property
    def worker_connections(self) -> int:
        """How many connections may be open just now: the quiet ones, and one for each thread."""
        quiet = len(self.keepalived_conns) + len(self.pending_conns)
        opened: int = self.nr_conns
        room: int = min(self._most, quiet + self.cfg.threads)
        at = time.monotonic()
        if opened < room:
            self._closed_since = None
        elif self._closed_since is None:
            self._closed_since = at
        elif at - self._closed_since >= PATIENCE:
            self._closed_since = at
            room = min(self._most, opened + 1)
        return room

    @worker_connections.setter
    def worker_connections(self, most: int) -> None:
        self._most: int = most

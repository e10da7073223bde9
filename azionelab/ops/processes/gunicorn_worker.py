"""gunicorn's threaded worker, taking no more visitors than it has hands free; and its logger, kept short.

gunicorn's own takes every connection that it is first to see, even when all its threads are busy and
another worker is idle. Browsers and proxies keep connections open, so whoever took them all then
answers everything on one core while the other cores wait.
"""

import select
import time
from multiprocessing.sharedctypes import RawValue
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

# Seconds without anybody being taken, after which a worker takes one though it is busy.
PATIENCE = 0.1
# When some worker took a connection last, by the monotonic clock. gunicorn's master makes it, and the
# workers that it forks share it.
_LAST_TAKEN = RawValue("d", 0.0)


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Tells of gunicorn itself. The application tells of requests, without what is in their addresses.

    gunicorn's own gathers all of each request's facts before it finds that nobody wants them.
    """

    def access(self, *_facts: Any) -> None:
        """Say nothing of a request."""


class BalancedGThreadWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Leaves a new connection to the other workers while every thread of its own is answering.

    When they are all busy with connections that stay open, nobody would ever come in any more. So when
    somebody waits and no worker took anybody for PATIENCE, one is taken all the same.
    """

    _waiting_since: float | None = None

    @property
    def worker_connections(self) -> int:
        """How many connections may be open just now: the quiet ones, and one for each thread."""
        quiet = len(self.keepalived_conns) + len(self.pending_conns)
        threads: int = self.cfg.threads
        return min(self._most, quiet + threads)

    @worker_connections.setter
    def worker_connections(self, most: int) -> None:
        self._most = most

    def accept(self, listener: Any) -> None:
        """Take who waits there, and let the other workers know."""
        _LAST_TAKEN.value = time.monotonic()
        super().accept(listener)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Do what comes up within `timeout` seconds, and look at who waits outside."""
        if self._accepting or not self.alive:
            self._waiting_since = None
            super().wait_for_and_dispatch_events(timeout)
            return
        super().wait_for_and_dispatch_events(min(timeout, PATIENCE))
        waiting, _, _ = select.select(self.sockets, [], [], 0)
        at = time.monotonic()
        if not waiting:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = at
        elif at - max(self._waiting_since, _LAST_TAKEN.value) >= PATIENCE:
            self._waiting_since = None
            if self.nr_conns < self._most:
                self.accept(waiting[0])

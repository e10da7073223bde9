"""gunicorn's threaded worker, changed to accept only connections that it can serve, and a quieter logger.

gunicorn's own worker accepts every connection that it sees first, even when all its threads are busy and
another worker is idle. Browsers and proxies keep connections open, so one process may end up with all of
them and serve everything on one core while the others idle.
"""

import select
import time
from multiprocessing.sharedctypes import RawValue
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

# Seconds without any accepted connection, after which a busy worker accepts one.
ACCEPT_DELAY = 0.1
# Monotonic time of the last accept in any worker. The master allocates it, the forked workers share it.
_LAST_ACCEPT = RawValue("d", 0.0)


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Logs gunicorn's own messages only. The application logs requests itself, without their URLs' tokens.

    gunicorn's logger collects each request's data before it checks whether the access log is on.
    """

    def access(self, *_facts: Any) -> None:
        """Log nothing."""


class BalancedGThreadWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Leaves new connections to other workers while all of its threads are busy.

    If all workers were busy with open connections, no new one would ever be accepted. So when a connection
    waits and no worker has accepted one for ACCEPT_DELAY seconds, this worker accepts it anyway.
    """

    _waiting_since: float | None = None

    @property
    def worker_connections(self) -> int:
        """The limit at this moment: the idle connections, plus one for each thread."""
        idle = len(self.keepalived_conns) + len(self.pending_conns)
        threads: int = self.cfg.threads
        return min(self._limit, idle + threads)

    @worker_connections.setter
    def worker_connections(self, limit: int) -> None:
        self._limit = limit

    def accept(self, listener: Any) -> None:
        """Accept a connection and share its time with the other workers."""
        _LAST_ACCEPT.value = time.monotonic()
        super().accept(listener)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Handle events for up to `timeout` seconds, then check for waiting connections."""
        if self._accepting or not self.alive:
            self._waiting_since = None
            super().wait_for_and_dispatch_events(timeout)
            return
        super().wait_for_and_dispatch_events(min(timeout, ACCEPT_DELAY))
        waiting, _, _ = select.select(self.sockets, [], [], 0)
        at = time.monotonic()
        if not waiting:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = at
        elif at - max(self._waiting_since, _LAST_ACCEPT.value) >= ACCEPT_DELAY:
            self._waiting_since = None
            if self.nr_conns < self._limit:
                self.accept(waiting[0])

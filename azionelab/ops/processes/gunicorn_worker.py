"""gunicorn's threaded worker, changed to accept only connections that it can serve, and a quieter logger.

gunicorn's own worker accepts every connection that it sees first, even when all its threads are busy and
another worker is idle. Browsers and proxies keep connections open, so one process may end up with all of
them and serve everything on one core while the others idle.

In a rush all workers are busy with connections that ask again at once. New ones must get their turn there, too: one
a request that a worker has finished, so that all workers take as many, and nobody waits for longer than the others.
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

    If all workers were busy with open connections, no new one would ever be accepted. So while connections have been
    waiting for ACCEPT_DELAY seconds, this worker accepts one if no worker has accepted any for so long; and when more
    connections ask than it has threads, one for each request that it finishes.
    """

    _waiting_since: float | None = None
    _finished = 0  # requests since it looked for waiting connections

    @property
    def worker_connections(self) -> int:
        """The limit at this moment: the idle connections, plus one for each thread."""
        threads: int = self.cfg.threads
        return min(self._limit, self._idle + threads)

    @worker_connections.setter
    def worker_connections(self, limit: int) -> None:
        self._limit = limit

    @property
    def _idle(self) -> int:
        """The open connections on which no request has come."""
        return len(self.keepalived_conns) + len(self.pending_conns)

    @property
    def _asking(self) -> int:
        """The connections whose requests are worked on, or wait for a thread."""
        return int(self.nr_conns) - self._idle

    def accept(self, listener: Any) -> None:
        """Accept a connection and share its time with the other workers."""
        _LAST_ACCEPT.value = time.monotonic()
        super().accept(listener)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Handle events for up to `timeout` seconds, then check for waiting connections."""
        if (self._accepting and self._waiting_since is None) or not self.alive:
            super().wait_for_and_dispatch_events(timeout)
            return
        self._finished = 0
        super().wait_for_and_dispatch_events(min(timeout, ACCEPT_DELAY))
        at = time.monotonic()
        if self._first_waiting() is None:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = at
        elif at - self._waiting_since >= ACCEPT_DELAY:
            turns = self._finished if self._asking > self.cfg.threads else 0
            nobody_accepts = at - _LAST_ACCEPT.value >= ACCEPT_DELAY
            for _ in range(max(turns, nobody_accepts)):
                listener = self._first_waiting()
                if listener is not None and self.nr_conns < self._limit:
                    self.accept(listener)

    def finish_request(self, conn: Any, future: Any) -> None:
        """Count the requests that are finished."""
        self._finished += 1
        super().finish_request(conn, future)

    def _first_waiting(self) -> Any:
        """A listener where a connection waits to be accepted, or None."""
        waiting, _, _ = select.select(self.sockets, [], [], 0)
        return waiting[0] if waiting else None

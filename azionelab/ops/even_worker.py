"""gunicorn's threaded worker, taking no more visitors than it has hands free.

gunicorn's own takes every connection that it is first to see, even when all its threads are busy and
another worker is idle. Browsers and proxies keep connections open, so whoever took them all then
answers everything on one core while the other cores wait.
"""

from gunicorn.workers.gthread import ThreadWorker


class EvenWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Leaves a new connection to the other workers while every thread of its own is answering."""

    @property
    def worker_connections(self) -> int:
        """How many connections may be open just now: the quiet ones, and one for each thread."""
        quiet = len(self.keepalived_conns) + len(self.pending_conns)
        threads: int = self.cfg.threads
        return min(self._most, quiet + threads)

    @worker_connections.setter
    def worker_connections(self, most: int) -> None:
        self._most = most

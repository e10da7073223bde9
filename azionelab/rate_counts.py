"""Counting requests for the rate limits, in this process's memory.

The library's own in-memory storage starts a thread for each clearing, and under load starts one twice,
which fails the request that did. This one clears when it counts. It is the second line: the proxy in
front limits for all processes together.
"""

import threading
import time
from typing import Any

from limits.storage import Storage

_CLEAR_ABOVE = 10_000  # keys


class ProcessMemory(Storage):
    """Fixed windows in a dictionary: for each key a count and when its window ends (Unix time)."""

    STORAGE_SCHEME = ["process"]

    def __init__(self, uri: str | None = None, **options: Any) -> None:
        super().__init__(uri, **options)
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, float]] = {}

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a storage can fail with; this one cannot."""
        return OSError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` more in the key's window of `expiry` seconds; the new count."""
        with self._lock:
            at = time.time()
            if len(self._windows) > _CLEAR_ABOVE:
                self._windows = {k: w for k, w in self._windows.items() if w[1] > at}
            count, end = self._windows.get(key, (0, 0.0))
            count, end = (count, end) if end > at else (0, at + expiry)
            self._windows[key] = count + amount, end
            return count + amount

    def get(self, key: str) -> int:
        """The count in the key's window."""
        count, end = self._windows.get(key, (0, 0.0))
        return count if end > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the key's window ends; now, if it has none."""
        return max(self._windows.get(key, (0, 0.0))[1], time.time())

    def check(self) -> bool:
        """Whether the storage works."""
        return True

    def reset(self) -> int:
        """Forget everything; how many keys there were."""
        with self._lock:
            forgotten, self._windows = len(self._windows), {}
            return forgotten

    def clear(self, key: str) -> None:
        """Forget one key."""
        with self._lock:
            self._windows.pop(key, None)

"""How often one address on the network may try something: the second line, behind the proxy's limits.

The `limits` library reads the settings and keeps the windows; what it counts in is this process's
memory, so each process has its own counts. Its own in-memory storage is not used: it starts a thread
for each clearing, and under load starts one twice, which fails the request that did.
"""

import threading
import time
from collections.abc import Callable
from functools import lru_cache, wraps
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, ParamSpec, TypeVar

from flask import Flask, current_app, request
from limits import RateLimitItem, parse_many
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from azionelab.config import Config

P = ParamSpec("P")
R = TypeVar("R")

_CLEAR_ABOVE = 10_000  # keys


class RateLimit:
    """A limit on POST requests, shared by all views that it decorates or that call `count`.

    `setting` picks the limit from the settings, as in "30 per minute". A request beyond it is
    answered with 429 and, in Retry-After, the seconds until the window ends. Nobody in
    BOX_OFFICE_NETWORKS is limited.
    """

    def __init__(self, scope: str, setting: Callable[[Config], str]) -> None:
        self._scope = scope
        self._setting = setting

    def __call__(self, view: Callable[P, R]) -> Callable[P, R]:
        """The view, counted and limited."""

        @wraps(view)
        def limited(*arguments: P.args, **options: P.kwargs) -> R:
            if request.method == "POST":
                self.count()
            return view(*arguments, **options)

        return limited

    def count(self) -> None:
        """Count one try of this request's address; TooManyRequests when it is beyond the limit."""
        settings: Config = current_app.config["AZIONELAB"]
        address = request.remote_addr or ""
        if _is_in(address, settings.box_office_networks):
            return
        limiter: FixedWindowRateLimiter = current_app.extensions["rate_limits"]
        who = self._scope, address
        for limit in _read(self._setting(settings)):
            if not limiter.hit(limit, *who):
                seconds = limiter.get_window_stats(limit, *who).reset_time - time.time()
                raise TooManyRequests(retry_after=max(1, round(seconds)))


def init_rate_limits(app: Flask) -> None:
    """Give the application its counts."""
    app.extensions["rate_limits"] = FixedWindowRateLimiter(ProcessMemory())


def _is_in(address: str, networks: list[IPv4Network | IPv6Network]) -> bool:
    # A server on a Unix socket names no address.
    return bool(address and networks) and any(ip_address(address) in n for n in networks)


@lru_cache
def _read(setting: str) -> list[RateLimitItem]:
    return parse_many(setting)


class ProcessMemory(Storage):
    """Fixed windows in a dictionary: for each key a count and when its window ends (Unix time)."""

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

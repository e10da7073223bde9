"""How often one network may try something: the second line, behind the proxy's limits.

The counts are in PostgreSQL (table `rate_count`), so that they hold across processes and hosts. A try is one
short statement of its own. Whoever is over a limit is remembered by the process until the window ends, so
that a flood writes nothing. The `limits` library reads how limits are written in the settings.
"""

import hmac
import math
import re
import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, wraps
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import ParamSpec, TypeVar, cast

from flask import Flask, current_app, request
from limits import RateLimitItem, parse_many
from sqlalchemy import LargeBinary, delete, text
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.exceptions import TooManyRequests

from azionelab.database import Base, transaction, write_at_once
from azionelab.settings.config import Config

P = ParamSpec("P")
R = TypeVar("R")

_HOME = 64  # bits of an IPv6 address that a provider gives to one household (RFC 6177; BCOP 690)
_WITH_PORT = re.compile(r"\[([^]]+)\](?::\d+)?|([^:]+):\d+")  # [2001:db8::1]:443, 192.0.2.7:443
_MOST_OVER = 10_000  # keys remembered as over their limit
_COUNT = text("""
    INSERT INTO rate_count AS known (key, tries, ends_at)
    VALUES (:key, 1, clock_timestamp() + make_interval(secs => :seconds))
    ON CONFLICT (key) DO UPDATE SET
        tries = CASE WHEN known.ends_at > clock_timestamp() THEN known.tries + 1 ELSE 1 END,
        ends_at = CASE WHEN known.ends_at > clock_timestamp()
            THEN known.ends_at ELSE excluded.ends_at END
    RETURNING tries,
        extract(epoch FROM ends_at - clock_timestamp())::double precision AS seconds_left
""")
_FORGET = text("DELETE FROM rate_count WHERE ends_at < clock_timestamp()")


class RateCount(Base):
    """Tries that were counted under one key, a keyed digest of who tried what, until the window ends."""

    __tablename__ = "rate_count"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    tries: Mapped[int]
    ends_at: Mapped[datetime]


class RateLimit:
    """A limit on POST requests, shared by all views that it decorates or that call `count`.

    `setting` picks the limit from the settings, as in "30 per minute". A request beyond it is
    answered with 429 and, in Retry-After, the seconds until the window ends. Nobody in
    BOX_OFFICE_NETWORKS is limited, unless `spares_box_office` is False: then `whom` it is about counts there, too.
    """

    def __init__(
        self, scope: str, setting: Callable[[Config], str], *, spares_box_office: bool = True
    ) -> None:
        self._scope = scope
        self._setting = setting
        self._spares_box_office = spares_box_office

    def __call__(self, view: Callable[P, R]) -> Callable[P, R]:
        """The view, counted and limited by the network that asks."""

        @wraps(view)
        def limited(*arguments: P.args, **options: P.kwargs) -> R:
            if request.method == "POST":
                self.count()
            return view(*arguments, **options)

        return limited

    def count(self, whom: str | None = None) -> None:
        """Count one try; TooManyRequests when it is beyond the limit.

        It counts for `whom` it is about (a mailbox, an account), or else for this request's network.
        Writes, and so cannot be called inside a transaction.
        """
        network = visitor_network()
        if network is None and (self._spares_box_office or whom is None):
            return
        self._ask(RateCounts.hit, cast("str", whom or network))

    def check(self, whom: str) -> None:
        """TooManyRequests when this process knows that `whom` is over the limit. Counts and writes nothing."""
        self._ask(RateCounts.left, whom)

    def _ask(self, seconds_left: Callable[..., float | None], whom: str) -> None:
        settings: Config = current_app.config["AZIONELAB"]
        counts: RateCounts = current_app.extensions["rate_limits"]
        for limit in _read(self._setting(settings)):
            seconds = seconds_left(counts, limit, self._scope, whom)
            if seconds is not None:
                raise TooManyRequests(retry_after=max(1, math.ceil(seconds)))

    def forget(self, whom: str) -> None:
        """Count the tries of `whom` from nothing again. Owns its transaction."""
        settings: Config = current_app.config["AZIONELAB"]
        with transaction() as session:
            for limit in _read(self._setting(settings)):
                key = _key("/".join((str(limit), self._scope, whom)))
                session.execute(delete(RateCount).where(RateCount.key == key))


class RateCounts:
    """Counts of tries in fixed windows, each of which begins with its first try."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Keys that are over their limit, and until when by this process's monotonic clock.
        self._over: dict[bytes, float] = {}

    def hit(self, limit: RateLimitItem, *who: str) -> float | None:
        """Count a try; None when the limit allows it, else the seconds until the window ends."""
        key = _key("/".join((str(limit), *who)))
        at = time.monotonic()
        if (seconds := self._seconds_over(key, at)) is not None:
            return seconds
        row = write_at_once(_COUNT, {"key": key, "seconds": limit.get_expiry()})
        if row.tries <= limit.amount:
            return None
        seconds = max(0.0, float(row.seconds_left))
        with self._lock:
            if len(self._over) >= _MOST_OVER:
                self._over = {key: until for key, until in self._over.items() if until > at}
            self._over[key] = at + seconds
        return seconds

    def left(self, limit: RateLimitItem, *who: str) -> float | None:
        """Seconds until the window ends of who is known here to be over the limit; None of all others."""
        return self._seconds_over(_key("/".join((str(limit), *who))), time.monotonic())

    def _seconds_over(self, key: bytes, at: float) -> float | None:
        until = self._over.get(key, at)
        return until - at if until > at else None


def init_rate_limits(app: Flask) -> None:
    """Give the application its counts."""
    app.extensions["rate_limits"] = RateCounts()


def delete_ended_windows() -> None:
    """Erase the counts of windows that ended: the worker does so each hour."""
    with transaction() as session:
        session.execute(_FORGET)


def visitor_network() -> str | None:
    """The network that this request comes from, or None for the box office, which nothing limits.

    An IPv4 address, or the first 64 bits of an IPv6 one: whoever has one of these has all of them. Those
    without an address are one network: on a Unix socket, or where a trusted proxy writes "unknown" into
    X-Forwarded-For (RFC 7239, 6.2).
    """
    settings: Config = current_app.config["AZIONELAB"]
    address = request.remote_addr or ""
    parsed = _read_address(address)
    if parsed and any(parsed in network for network in settings.box_office_networks):
        return None
    return network_of(address)


def network_of(address: str) -> str:
    """The network of an IP address as one visitor has it."""
    parsed = _read_address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), _HOME), strict=False))
    return str(parsed or "unknown")


@lru_cache(maxsize=1_000)
def _read_address(text: str) -> IPv4Address | IPv6Address | None:
    """An IP address, with or without a port as some proxies add it; None when there is none in it."""
    with_port = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(with_port[1] or with_port[2] if with_port else text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _key(what: str) -> bytes:
    """What is counted, without saying whom: addresses are personal data."""
    secret: str = current_app.config["SECRET_KEY"]
    return hmac.digest(secret.encode(), f"azionelab/rate/{what}".encode(), "sha256")[:16]


@lru_cache
def _read(setting: str) -> list[RateLimitItem]:
    return parse_many(setting)

"""Rate limits by network, mailbox or account: the second line of defence, behind the proxy's limits.

The counts are in PostgreSQL (table `rate_count`), shared by all processes and hosts. Counting is one short
statement in its own transaction. Each process remembers the keys over a limit until their window ends, so
that a flood writes nothing. The `limits` library parses the settings.
"""

import hmac
import math
import re
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache, wraps
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import ParamSpec, TypeVar, cast

from flask import Flask, current_app, request
from limits import RateLimitItem, parse_many
from sqlalchemy import LargeBinary, delete, text
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.exceptions import TooManyRequests

from azionelab.database import Base, execute_autocommit, transaction
from azionelab.settings.config import Config

P = ParamSpec("P")
R = TypeVar("R")

_HOUSEHOLD_PREFIX = 64  # bits; a provider gives a household at least a /64 (RFC 6177; BCOP 690)
_WITH_PORT = re.compile(r"\[([^]]+)\](?::\d+)?|([^:]+):\d+")  # [2001:db8::1]:443, 192.0.2.7:443
_MAX_BLOCKED = 10_000  # keys that a process remembers as over their limit
# In the order of the keys, so that two who count the same keys wait for one another and do not deadlock.
_COUNT = text("""
    WITH counted AS (
        INSERT INTO rate_count AS known (key, tries, ends_at)
        SELECT key, 1, clock_timestamp() + make_interval(secs => seconds)
        FROM unnest(CAST(:keys AS bytea[]), CAST(:seconds AS double precision[])) AS asked (key, seconds)
        ORDER BY key
        ON CONFLICT (key) DO UPDATE SET
            tries = CASE WHEN known.ends_at > clock_timestamp() THEN known.tries + 1 ELSE 1 END,
            ends_at = CASE WHEN known.ends_at > clock_timestamp()
                THEN known.ends_at ELSE excluded.ends_at END
        RETURNING key, tries,
            extract(epoch FROM ends_at - clock_timestamp())::double precision AS seconds_left
    )
    SELECT array_agg(key) AS keys, array_agg(tries) AS tries, array_agg(seconds_left) AS seconds_left
    FROM counted
""")
_FORGET = text("DELETE FROM rate_count WHERE ends_at < clock_timestamp()")


class RateCount(Base):
    """The attempts in one window. The key is an HMAC of limit, scope and subject."""

    __tablename__ = "rate_count"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    tries: Mapped[int]
    ends_at: Mapped[datetime]


class RateLimit:
    """A limit on POST requests, shared by all views that it decorates or that call `count`.

    `setting` reads the limit from the settings, as in "30 per minute". A request beyond it gets 429 with the
    seconds until the window ends in Retry-After. Requests from BOX_OFFICE_NETWORKS are not limited, unless
    `spares_box_office` is False: then limits by `subject` apply there too. `refusal` makes another error of the seconds
    that are left.
    """

    def __init__(
        self,
        scope: str,
        setting: Callable[[Config], str],
        *,
        spares_box_office: bool = True,
        refusal: Callable[[int], Exception] = lambda seconds: TooManyRequests(retry_after=seconds),
    ) -> None:
        self._scope = scope
        self._setting = setting
        self._spares_box_office = spares_box_office
        self.refusal = refusal

    def __call__(self, view: Callable[P, R]) -> Callable[P, R]:
        """Limit a view by the request's network."""

        @wraps(view)
        def limited(*arguments: P.args, **options: P.kwargs) -> R:
            if request.method == "POST":
                self.count()
            return view(*arguments, **options)

        return limited

    def count(self, subject: str | None = None) -> None:
        """Count one attempt; raises TooManyRequests, or the limit's own refusal, when it is beyond the limit.

        Counts for `subject` (a mailbox, an account), or else for this request's network. Writes to the
        database, so it must not be called inside a transaction.
        """
        count_all((self, subject))

    def check(self, subject: str | None = None) -> None:
        """Raise TooManyRequests if this process knows `subject` to be over the limit; counts nothing."""
        counts: RateCounts = current_app.extensions["rate_limits"]
        for limit in self.limits_of(subject):
            self.refuse(counts.seconds_left(*limit))

    def refuse(self, seconds_left: float | None) -> None:
        """Raise when a count is beyond the limit, for so long."""
        if seconds_left is not None:
            raise self.refusal(max(1, math.ceil(seconds_left)))

    def limits_of(self, subject: str | None) -> list[tuple[RateLimitItem, str, str]]:
        """The limits of `subject`, or else of this request's network; none for the box office if it is spared."""
        network = visitor_network()
        if network is None and (self._spares_box_office or subject is None):
            return []
        settings: Config = current_app.config["AZIONELAB"]
        who = cast("str", subject or network)
        return [(limit, self._scope, who) for limit in _read(self._setting(settings))]

    def forget(self, subject: str) -> None:
        """Reset the count of `subject`. Owns its transaction."""
        settings: Config = current_app.config["AZIONELAB"]
        with transaction() as session:
            for limit in _read(self._setting(settings)):
                key = _key("/".join((str(limit), self._scope, subject)))
                session.execute(delete(RateCount).where(RateCount.key == key))


def count_all(*attempts: tuple[RateLimit, str | None]) -> None:
    """Count an attempt under each limit, as `RateLimit.count` does under one, in one statement. The first refuses."""
    counts: RateCounts = current_app.extensions["rate_limits"]
    asked = [(rate, limit) for rate, subject in attempts for limit in rate.limits_of(subject)]
    seconds_left = counts.hit_all([limit for _rate, limit in asked])
    for (rate, _limit), seconds in zip(asked, seconds_left, strict=True):
        rate.refuse(seconds)


class RateCounts:
    """Counts attempts in fixed windows; a window begins with its first attempt."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Keys over their limit, and the end of their window by this process's monotonic clock.
        self._blocked: dict[bytes, float] = {}

    def hit(self, limit: RateLimitItem, *who: str) -> float | None:
        """Count an attempt; None when the limit allows it, else the seconds until the window ends."""
        return self.hit_all([(limit, *who)])[0]

    def hit_all(
        self, limits: Sequence[tuple[RateLimitItem, *tuple[str, ...]]]
    ) -> list[float | None]:
        """Count an attempt under each limit, unless this process knows that one of them is passed."""
        keys = [_key("/".join(map(str, limit))) for limit in limits]
        at = time.monotonic()
        known = [self._seconds_over(key, at) for key in keys]
        if not keys or any(seconds is not None for seconds in known):
            return known
        seconds = [limit.get_expiry() for limit, *_ in limits]
        row = execute_autocommit(_COUNT, {"keys": keys, "seconds": seconds})
        counted = dict(zip(row.keys, zip(row.tries, row.seconds_left, strict=True), strict=True))
        return [
            self._note(key, at, counted[key][1]) if counted[key][0] > limit.amount else None
            for key, (limit, *_) in zip(keys, limits, strict=True)
        ]

    def _note(self, key: bytes, at: float, seconds_left: float) -> float:
        """Remember a key beyond its limit; the seconds until its window ends."""
        seconds = max(0.0, float(seconds_left))
        with self._lock:
            if len(self._blocked) >= _MAX_BLOCKED:
                self._blocked = {key: until for key, until in self._blocked.items() if until > at}
            self._blocked[key] = at + seconds
        return seconds

    def seconds_left(self, limit: RateLimitItem, *who: str) -> float | None:
        """Seconds until the window ends, if this process knows the key to be over its limit; else None."""
        return self._seconds_over(_key("/".join((str(limit), *who))), time.monotonic())

    def _seconds_over(self, key: bytes, at: float) -> float | None:
        until = self._blocked.get(key, at)
        return until - at if until > at else None


def init_rate_limits(app: Flask) -> None:
    """Create the application's rate counts."""
    app.extensions["rate_limits"] = RateCounts()


def delete_ended_windows() -> None:
    """Delete the counts of ended windows; the worker runs this hourly."""
    with transaction() as session:
        session.execute(_FORGET)


def visitor_network() -> str | None:
    """The network of this request, or None for the box office, which is not limited.

    An IPv4 address, or the /64 of an IPv6 address, since a visitor can use any address in it. Requests without
    an address share one network: on a Unix socket, or when a trusted proxy writes "unknown" into
    X-Forwarded-For (RFC 7239, 6.2).
    """
    settings: Config = current_app.config["AZIONELAB"]
    address = request.remote_addr or ""
    parsed = _read_address(address)
    if parsed and any(parsed in network for network in settings.box_office_networks):
        return None
    return network_of(address)


def network_of(address: str) -> str:
    """The IPv4 address itself, the /64 of an IPv6 address, or "unknown"."""
    parsed = _read_address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), _HOUSEHOLD_PREFIX), strict=False))
    return str(parsed or "unknown")


@lru_cache(maxsize=1_000)
def _read_address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an IP address, with or without a port as some proxies add it; None when it is not one."""
    with_port = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(with_port[1] or with_port[2] if with_port else text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _key(subject: str) -> bytes:
    """An HMAC in place of the network or mailbox, which is personal data."""
    secret: str = current_app.config["SECRET_KEY"]
    return hmac.digest(secret.encode(), f"azionelab/rate/{subject}".encode(), "sha256")[:16]


@lru_cache
def _read(setting: str) -> list[RateLimitItem]:
    return parse_many(setting)

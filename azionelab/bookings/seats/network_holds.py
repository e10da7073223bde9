"""Unconfirmed seats by the network that they were booked from: the limit, the networks, releasing them.

A network is stored as a keyed digest for one performance, until the reservation is confirmed or ends (migration
0015). The database refuses more than the limit, also when several book at the same time.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import func, select

from azionelab.bookings.errors import TooManyUnconfirmed
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_performance
from azionelab.bookings.models import Reservation, unconfirmed
from azionelab.bookings.transitions import parties
from azionelab.database import db, now, transaction
from azionelab.settings.config import Config

_DIGEST = 16  # bytes


@dataclass(frozen=True)
class NetworkHolds:
    """The unconfirmed bookings of one network at a performance; `key` is its digest."""

    key: bytes
    parties: int
    seats: int
    first_at: datetime
    free_at: datetime  # when the first of its holds lapses


def network_key(performance_id: int, network: str) -> bytes:
    """The digest that stands for a network at one performance."""
    secret: str = current_app.config["SECRET_KEY"]
    what = f"azionelab/holds/{performance_id}/{network}"
    return hmac.digest(secret.encode(), what.encode(), "sha256")[:_DIGEST]


def network_limit(capacity: int, party_limit: int) -> int:
    """How many unconfirmed seats one network may hold: by number and share, at least one party's."""
    settings: Config = current_app.config["AZIONELAB"]
    share = capacity * settings.unconfirmed_percent_per_network // 100
    return max(party_limit, min(settings.unconfirmed_seats_per_network, share))


def networks_of(performance_id: int, key: bytes | None = None) -> Sequence[NetworkHolds]:
    """The networks that hold unconfirmed seats, those with most seats first; or only the one with `key`."""
    held = func.sum(Reservation.seats)  # seats are released of confirmed parties only
    found: Any = db.session.execute(
        select(
            Reservation.network,
            func.count(),
            held,
            func.min(Reservation.created_at),
            func.min(Reservation.hold_expires_at),
        )
        .where(
            Reservation.performance_id == performance_id,
            unconfirmed(now()),
            Reservation.network.is_not(None) if key is None else Reservation.network == key,
        )
        .group_by(Reservation.network)
        .order_by(held.desc(), func.min(Reservation.created_at))
    )
    return [NetworkHolds(*row) for row in found]


def too_many_unconfirmed(performance_id: int, key: bytes | None) -> TooManyUnconfirmed:
    """The error for a network at its limit: what it holds, and when the first of its holds lapses."""
    for holds in networks_of(performance_id, key) if key else ():
        return TooManyUnconfirmed(holds.seats, holds.free_at)
    return TooManyUnconfirmed(0, now())


def release_network(performance_id: int, key: bytes) -> NetworkHolds | None:
    """Expire the unconfirmed bookings of a network; what they were, None when it has none.

    No mail goes out: the page behind the confirmation link says that the seats were released.
    Raises PerformanceUnknown.
    """
    with transaction() as session:
        performance = lock_performance(session, performance_id)
        holds = next(iter(networks_of(performance_id, key)), None)
        parties.expire(session, performance, Reservation.network == key, now(), By.STAFF)
        return holds

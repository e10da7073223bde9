"""Door devices: phones that staff enrolled by a QR, each for one performance until it ends."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Text, and_, bindparam, cast, func, select, update

from azionelab.checkin.models import Admission, Scan
from azionelab.database import db, now, read_row, reading, transaction
from azionelab.shows.limits import performance_end
from azionelab.shows.models import Performance, Show
from azionelab.staff.models import ApiToken
from azionelab.staff.tokens import Scope, digest

INVITATION_VALID_FOR = timedelta(minutes=15)
NEW_FOR = INVITATION_VALID_FOR  # staff are asked for so long whether they know the phone
UPLOAD_GRACE = timedelta(days=2)  # after the end, for scans that a phone made offline
CACHED_FOR = timedelta(seconds=30)
_CACHE: dict[bytes, tuple["Device", datetime]] = {}  # per process
_MAX_CACHED = 1_000
_NOTE_SEEN_EVERY = timedelta(seconds=30)
SILENCE = timedelta(minutes=1)


class Device(NamedTuple):
    """The holder of a token. A door device has one performance, whose door `closes_at`; other programs have none.

    `snapshot` names the state of the database that it was read from (kept_news.py).
    """

    token_id: int
    label: str
    performance_id: int | None
    closes_at: datetime | None
    scope: Scope
    revoked: bool
    last_seen_at: datetime | None
    is_put_away: bool
    snapshot: str


@dataclass(frozen=True)
class DeviceSummary:
    """A door device as staff see it, with the number of its scans and of people it let in."""

    token_id: int
    label: str
    scope: str
    created_at: datetime
    last_seen_at: datetime | None
    revoked_at: datetime | None
    serves_until: datetime | None
    put_away_at: datetime | None
    scans: int
    people: int

    def is_new(self, at: datetime) -> bool:
        """Whether it enrolled within NEW_FOR, so that staff should check it."""
        return self.revoked_at is None and at - self.created_at < NEW_FOR

    def is_silent(self, at: datetime) -> bool:
        """Whether it has sent nothing for SILENCE, so that staff may put it away."""
        return self.last_seen_at is not None and at - self.last_seen_at > SILENCE


def door_closes_at(starts_at: datetime, duration_minutes: int | None) -> datetime:
    """When the performance ends, and with it the access of its devices."""
    return performance_end(starts_at, duration_minutes)


def find_device(text: str) -> Device | None:
    """The device with this token, revoked ones included; None if the token is unknown or expired."""
    with reading() as connection:
        row = read_row(connection, _DEVICE, {"digest": digest(text), "at": now()})
    if row is None:
        return None
    closes_at = door_closes_at(row.starts_at, row.duration_minutes) if row.starts_at else None
    return Device(
        row.id,
        row.label,
        row.performance_id,
        closes_at,
        Scope(row.scope),
        row.revoked,
        row.last_seen_at,
        row.is_put_away,
        row.snapshot,
    )


def find_device_cached(text: str) -> Device | None:
    """As `find_device`, from a cache of CACHED_FOR. For scans only.

    Scans are the most frequent request, and only a revocation changes the result. The database refuses scans of
    revoked devices (migration 0008), so that a revocation works at once in spite of the cache.
    """
    key, at = digest(text), now()
    device, until = _CACHE.get(key, (None, at))
    if until > at:
        return device
    device = find_device(text)
    if device is not None and not device.revoked:
        if len(_CACHE) > _MAX_CACHED:
            _CACHE.clear()
        _CACHE[key] = device, at + CACHED_FOR
    return device


def uncache_device(text: str) -> None:
    """Drop the device from the cache."""
    _CACHE.pop(digest(text), None)


def is_noted(device: Device) -> bool:
    """Whether it is recorded already that the device was heard from: every _NOTE_SEEN_EVERY, to save writes."""
    if device.last_seen_at is None or device.is_put_away:
        return False
    return now() - device.last_seen_at < _NOTE_SEEN_EVERY


def note_seen(device: Device) -> None:
    """Record that the device was heard from, unless that `is_noted`. A device that was put away is back."""
    if is_noted(device):
        return
    with transaction() as session:
        session.execute(
            update(ApiToken)
            .where(ApiToken.id == device.token_id)
            .values(last_seen_at=now(), put_away_at=None, put_away_by_phone=False)
        )


def note_revocation_received(device: Device) -> None:
    """Record that a revoked device got its 401, after which it lets nobody in."""
    with transaction() as session:
        session.execute(
            update(ApiToken)
            .where(ApiToken.id == device.token_id, ApiToken.last_seen_at < ApiToken.revoked_at)
            .values(last_seen_at=now())
        )


def devices_of(performance_id: int) -> list[DeviceSummary]:
    """The devices of a performance, newest first."""
    rows = db.session.execute(
        select(
            ApiToken.id,
            ApiToken.label,
            ApiToken.scope,
            ApiToken.created_at,
            ApiToken.last_seen_at,
            ApiToken.revoked_at,
            ApiToken.serves_until,
            ApiToken.put_away_at,
            func.count(Scan.id),
            func.coalesce(func.sum(Admission.people), 0),
        )
        .outerjoin(Scan, Scan.token_id == ApiToken.id)
        .outerjoin(Admission, and_(Admission.scan_id == Scan.id, Admission.undone_at.is_(None)))
        .where(ApiToken.performance_id == performance_id)
        .group_by(ApiToken.id)
        .order_by(ApiToken.id.desc())
    )
    return [DeviceSummary(*tuple(row)) for row in rows]


def silent_devices(performance_id: int) -> list[str]:
    """Labels of devices that have sent nothing for SILENCE: they may hold scans. Without those put away."""
    return list(
        db.session.scalars(
            select(ApiToken.label)
            .where(
                ApiToken.performance_id == performance_id,
                ApiToken.revoked_at.is_(None),
                ApiToken.put_away_at.is_(None),
                ApiToken.last_seen_at < now() - SILENCE,
            )
            .order_by(ApiToken.label)
        )
    )


def ticket_digest(token: str) -> str:
    """A digest by which a device recognises a ticket without being able to forge it."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:12]).decode()


_DEVICE = (
    select(
        ApiToken.id,
        ApiToken.label,
        ApiToken.scope,
        ApiToken.performance_id,
        Performance.starts_at,
        Show.duration_minutes,
        ApiToken.revoked_at.is_not(None).label("revoked"),
        ApiToken.last_seen_at,
        ApiToken.put_away_at.is_not(None).label("is_put_away"),
        cast(func.pg_current_snapshot(), Text).label("snapshot"),
    )
    .outerjoin(Performance, Performance.id == ApiToken.performance_id)
    .outerjoin(Show, Show.id == Performance.show_id)
    .where(
        ApiToken.digest == bindparam("digest"),
        ApiToken.expires_at > bindparam("at"),
    )
)

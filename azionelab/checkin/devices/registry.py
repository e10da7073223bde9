"""Door devices: phones that staff let in by showing a QR, each for one performance until it ends."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, bindparam, func, select, update

from azionelab.checkin.models import Admission, Scan
from azionelab.database import db, now, read_row, transaction
from azionelab.shows.limits import length
from azionelab.shows.models import Performance, Show
from azionelab.staff.models import ApiToken
from azionelab.staff.tokens import Scope, digest

INVITATION = timedelta(minutes=15)
NEWCOMER = INVITATION  # for so long staff are asked whether they know the phone
LATE_NEWS = timedelta(days=2)  # what a device did without a network is taken for so long
RECALLED = timedelta(seconds=30)
_RECALLED: dict[bytes, tuple["Device", datetime]] = {}  # of this process
_MOST_RECALLED = 1_000
_SEEN_EVERY = timedelta(seconds=30)
SILENCE = timedelta(minutes=1)


class Device(NamedTuple):
    """Who holds a token. A door device has a performance, and a door that `closes_at`."""

    token_id: int
    label: str
    performance_id: int | None
    closes_at: datetime | None
    scope: Scope
    revoked: bool
    last_seen_at: datetime | None
    is_put_away: bool


@dataclass(frozen=True)
class Seen:
    """A door device as staff see it: what it did so far."""

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
        """Whether staff shall look at it: it came only just now, and was not refused."""
        return self.revoked_at is None and at - self.created_at < NEWCOMER

    def is_silent(self, at: datetime) -> bool:
        """Whether it was there, and is not heard of: staff may put it away."""
        return self.last_seen_at is not None and at - self.last_seen_at > SILENCE


def door_closes_at(starts_at: datetime, duration_minutes: int | None) -> datetime:
    """When the performance is over, and its devices with it."""
    return starts_at + length(duration_minutes)


def find_device(text: str) -> Device | None:
    """Whose token this text is, unless it has expired. One that was revoked is found, and says so."""
    row = read_row(db.session.connection(), _DEVICE, {"digest": digest(text), "at": now()})
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
    )


def recall_device(text: str) -> Device | None:
    """As `find_device`, but as it was up to RECALLED ago, for scans alone.

    Each would ask, and the answer changes for nothing but a revoked device: what such a one scans the
    database refuses (migration 0008), so that it is revoked at once all the same.
    """
    key, at = digest(text), now()
    device, until = _RECALLED.get(key, (None, at))
    if until > at:
        return device
    device = find_device(text)
    if device is not None and not device.revoked:
        if len(_RECALLED) > _MOST_RECALLED:
            _RECALLED.clear()
        _RECALLED[key] = device, at + RECALLED
    return device


def forget_device(text: str) -> None:
    """Find the device anew the next time."""
    _RECALLED.pop(digest(text), None)


def note_seen(device: Device) -> None:
    """Remember that the device was there; not each time, which would be a write for every question.

    One that was put away is back.
    """
    at = now()
    is_known = device.last_seen_at is not None and at - device.last_seen_at < _SEEN_EVERY
    if is_known and not device.is_put_away:
        return
    with transaction() as session:
        session.execute(
            update(ApiToken)
            .where(ApiToken.id == device.token_id)
            .values(last_seen_at=at, put_away_at=None, put_away_by_phone=False)
        )


def note_told(device: Device) -> None:
    """Remember that a revoked device knows it, and goes on letting people in no more: once."""
    with transaction() as session:
        session.execute(
            update(ApiToken)
            .where(ApiToken.id == device.token_id, ApiToken.last_seen_at < ApiToken.revoked_at)
            .values(last_seen_at=now())
        )


def devices_of(performance_id: int) -> list[Seen]:
    """The devices of a performance, the newest first, with what each of them did."""
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
    return [Seen(*tuple(row)) for row in rows]


def silent_devices(performance_id: int) -> list[str]:
    """Labels of devices that were there and are not heard from since SILENCE: they may have news to tell.

    Those that were put away are left out.
    """
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
    """What a device knows a ticket by: it can recognise the token, and nobody can make one of it."""
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
    )
    .outerjoin(Performance, Performance.id == ApiToken.performance_id)
    .outerjoin(Show, Show.id == Performance.show_id)
    .where(
        ApiToken.digest == bindparam("digest"),
        ApiToken.expires_at > bindparam("at"),
    )
)

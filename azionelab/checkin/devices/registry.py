"""Door devices: phones that staff let in by showing a QR, each for one performance until it ends."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, count
from typing import NamedTuple
from uuid import UUID, uuid5

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import and_, bindparam, func, select, update
from sqlalchemy.exc import IntegrityError

from azionelab.checkin.models import Admission, Scan
from azionelab.database import db, now, read_row, transaction, violated_constraint
from azionelab.shows.limits import length
from azionelab.shows.models import Performance, Show
from azionelab.staff.models import ApiToken
from azionelab.staff.tokens import (
    Origin,
    Scope,
    digest,
    find_token,
    issue_token,
    phone_serves_until,
    revoke_token,
)
from azionelab.tokens import Purpose, make_token, signing_keys
from azionelab.web.site_urls import site_url

INVITATION = timedelta(minutes=15)
NEWCOMER = INVITATION  # for so long staff are asked whether they know the phone
MAX_PHONES = 20  # of one invitation
_RETURNS = 5  # times that a phone for several evenings may become the door of the same one
_RENEWED = timedelta(minutes=5)  # well before it is over: somebody may be about to scan it
LATE_NEWS = timedelta(days=2)  # what a device did without a network is taken for so long
RECALLED = timedelta(seconds=30)
_RECALLED: dict[bytes, tuple["Device", datetime]] = {}  # of this process
_MOST_RECALLED = 1_000
_SEEN_EVERY = timedelta(seconds=30)
SILENCE = timedelta(minutes=1)
_TAKEN = ("uq_api_token_invitation", "uq_api_token_label")
_BITS = 62  # of an invitation's number: the database's integers have a sign


class InvitationForged(Exception):
    """No invitation of ours says this."""


class InvitationOver(Exception):
    """The invitation is older than INVITATION, or its performance has ended."""


class InvitationUsed(InvitationOver):
    """As many phones as the invitation is for are devices by it."""


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


class Invitation(NamedTuple):
    """What an invitation opens: the door of a performance, which `closes_at`, to so many `phones`.

    They may do what tokens of its `scope` may. Until `serves_until` they may open other doors by themselves;
    `first_id` is the first token of a phone that does (passes.py).
    """

    identity: int
    performance_id: int
    phones: int
    scope: Scope
    closes_at: datetime
    serves_until: datetime | None
    first_id: int | None


class Shown(NamedTuple):
    """An invitation as staff show it: its text, until when it is good, and how many phones came by it."""

    text: str
    good_until: datetime
    used: int


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


def make_invitation(
    performance_id: int, phones: int = 1, scope: Scope = Scope.DOOR, serves_days: int = 0
) -> str:
    """A signed text that makes so many `phones` door devices, for INVITATION. Nothing is stored.

    Whoever has it can use it: who photographs it meets a phone that was faster, or takes that phone's place.
    """
    offer = _Offer(performance_id, phones, scope, serves_days, None)
    return _sign(secrets.randbits(_BITS), offer, now() + INVITATION)


def offer_to_phone(performance_id: int, first: ApiToken) -> str:
    """An invitation for the phone with this first token, which staff let serve several evenings.

    It is always the same of one evening: so it can come and go there a few times, and not without end.
    """
    offer = _Offer(performance_id, _RETURNS, Scope(first.scope), None, first.id)
    return _sign(_number_of(f"phone {first.id}/{performance_id}"), offer, now() + INVITATION)


def show_invitation(
    performance_id: int, phones: int, scope: Scope = Scope.DOOR, serves_days: int = 0
) -> Shown:
    """The invitation that staff show now: the same until it is used up, or _RENEWED is over.

    So a page that asks for it every few seconds shows the next one as soon as the phones are there.
    """
    step = int(now().timestamp() // _RENEWED.total_seconds())
    good_until = datetime.fromtimestamp(step * _RENEWED.total_seconds(), UTC) + INVITATION
    offer = _Offer(performance_id, phones, scope, serves_days, None)
    for number in count():
        identity = _number_of(f"{performance_id}/{phones}/{scope}/{serves_days}/{step}/{number}")
        used = len(_places_taken(identity))
        if used < phones:
            break
    return Shown(_sign(identity, offer, good_until), good_until, used)


def _number_of(said: str) -> int:
    return int.from_bytes(hashlib.sha256(said.encode()).digest()) >> (256 - _BITS)


def invitation_url(invitation: str) -> str:
    """The address a QR holds. The invitation is behind the #: browsers send that to nobody."""
    return f"{site_url('checkin.app')}#join={invitation}"


def read_invitation(invitation: str, request: UUID | None = None) -> Invitation:
    """What somebody was invited to. Raises InvitationForged, InvitationOver, InvitationUsed.

    Whose `request` used it up, and lost the answer, is still invited.
    """
    asked = _read_invitation(invitation)
    try:
        _free_place(asked)
    except InvitationUsed:
        made = find_token(_text_of(asked, request)) if request else None
        if made is None or made.revoked_at is not None:
            raise
    return asked


def _read_invitation(invitation: str) -> Invitation:
    try:
        identity, good_until, *said = _signer().loads(invitation)
    except (BadSignature, UnicodeError) as forged:
        raise InvitationForged from forged
    offer = _Offer(*said)
    if good_until <= now().timestamp():
        raise InvitationOver
    found = db.session.execute(
        select(Performance.starts_at, Show.duration_minutes)
        .join(Performance.show)
        .where(Performance.id == offer.performance_id)
    ).one_or_none()
    if found is None or door_closes_at(*found) <= now():
        raise InvitationOver
    return Invitation(
        identity,
        offer.performance_id,
        offer.phones,
        Scope(offer.scope),
        door_closes_at(*found),
        _serves_until(offer),
        offer.first_id,
    )


def _serves_until(offer: "_Offer") -> datetime | None:
    """Until when the phone may open other doors. InvitationOver for one that came by its pass and may not."""
    if offer.first_id is None:
        return now() + timedelta(days=offer.serves_days) if offer.serves_days else None
    until = phone_serves_until(offer.first_id)
    if until is None or until <= now():
        raise InvitationOver
    return until


def enrol(invitation: str, label: str, request: UUID | None = None) -> tuple[ApiToken, str]:
    """Make a device of the invitation's performance; its token's text is kept nowhere.

    Its label gets a number when another device of the performance has it. The same `request`, sent again for want
    of an answer, gives the device that it made. Raises InvitationForged, InvitationOver, InvitationUsed. A device
    that was revoked keeps its place: who was refused does not come back by the same invitation.
    """
    asked = _read_invitation(invitation)
    text = _text_of(asked, request) if request else secrets.token_urlsafe(32)
    token = _make_device(asked, label, text)
    if token.revoked_at is not None:
        raise InvitationUsed
    if asked.first_id is not None and phone_serves_until(asked.first_id) is None:
        # Revoked while it was made: this one must not outlive the others.
        revoke_token(token.id)
        raise InvitationOver
    return token, text


def _make_device(asked: Invitation, label: str, text: str) -> ApiToken:
    hours = (asked.closes_at + LATE_NEWS - now()) / timedelta(hours=1)
    while True:
        try:
            place = _free_place(asked)
        except InvitationUsed:
            # By the same request, maybe: its first try may have been at work until now.
            if (made := find_token(text)) is None:
                raise
            return made
        name = _unlike_others(label, asked.performance_id)
        origin = Origin(asked.identity, place, asked.serves_until, asked.first_id)
        try:
            token, _text = issue_token(
                name, asked.scope, hours, asked.performance_id, text=text, origin=origin
            )
        except IntegrityError as error:
            # Another phone took the place or the name in between: each time one fewer is left.
            if violated_constraint(error) not in _TAKEN:
                raise
        else:
            return token


def _text_of(asked: Invitation, request: UUID) -> str:
    # Whoever knows the invitation alone, as by a photograph, cannot know it.
    return make_token(Purpose.DOOR_KEY, uuid5(request, str(asked.identity)))


def _free_place(asked: Invitation) -> int:
    """The first place of the invitation that no device has: InvitationUsed when there is none."""
    taken = _places_taken(asked.identity)
    free = next((place for place in range(1, asked.phones + 1) if place not in taken), None)
    if free is None:
        raise InvitationUsed
    return free


def _places_taken(identity: int) -> set[int | None]:
    return set(
        db.session.scalars(select(ApiToken.invitation_place).where(ApiToken.invitation == identity))
    )


def _unlike_others(label: str, performance_id: int) -> str:
    """The label, or with a number, so that who let somebody in can be told apart."""
    used = set(
        db.session.scalars(
            select(ApiToken.label).where(
                ApiToken.performance_id == performance_id, ApiToken.revoked_at.is_(None)
            )
        )
    )
    numbered = (f"{label} {number}" for number in count(2))
    return next(name for name in chain([label], numbered) if name not in used)


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


class _Offer(NamedTuple):
    """What an invitation says, besides its number and until when it is good."""

    performance_id: int
    phones: int
    scope: Scope
    serves_days: int | None  # None of a phone's own: its first token says it
    first_id: int | None


def _sign(identity: int, offer: _Offer, good_until: datetime) -> str:
    return str(_signer().dumps([identity, int(good_until.timestamp()), *offer]))


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(signing_keys(), salt="azionelab/door-invitation-4")


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

"""Invitations: the QR that staff show, and the phones that become doors by it."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from itertools import chain, count
from typing import NamedTuple
from uuid import UUID, uuid5

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from azionelab.checkin.devices.registry import INVITATION, LATE_NEWS, door_closes_at
from azionelab.database import db, now, violated_constraint
from azionelab.shows.models import Performance, Show
from azionelab.staff.models import ApiToken
from azionelab.staff.tokens import (
    Origin,
    Scope,
    find_token,
    issue_token,
    phone_serves_until,
    revoke_token,
)
from azionelab.tokens import Purpose, make_token, signing_keys
from azionelab.web.site_urls import site_url

MAX_PHONES = 20  # of one invitation
_RETURNS = 5  # times that a phone for several evenings may become the door of the same one
_RENEWED = timedelta(minutes=5)  # well before it is over: somebody may be about to scan it
_TAKEN = ("uq_api_token_invitation", "uq_api_token_label")
_BITS = 62  # of an invitation's number: the database's integers have a sign


class InvitationForged(Exception):
    """No invitation of ours says this."""


class InvitationOver(Exception):
    """The invitation is older than INVITATION, or its performance has ended."""


class InvitationUsed(InvitationOver):
    """As many phones as the invitation is for are devices by it."""


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

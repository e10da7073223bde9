"""Invitations: signed texts in a QR that staff show, by which phones become door devices."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from itertools import chain, count
from typing import NamedTuple
from uuid import UUID, uuid5

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from azionelab.checkin.devices.registry import INVITATION_VALID_FOR, UPLOAD_GRACE, door_closes_at
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
_RETURNS = 5  # times that a phone with a pass may enrol for the same performance
_RENEWED_EVERY = timedelta(minutes=5)  # well before it expires: somebody may be about to scan it
_TAKEN = ("uq_api_token_invitation", "uq_api_token_label")
_NUMBER_BITS = 62  # of an invitation's number: it must fit a signed 64-bit integer


class InvitationForged(Exception):
    """The text is not an invitation signed by this site."""


class InvitationExpired(Exception):
    """The invitation is older than INVITATION_VALID_FOR, or its performance has ended."""


class InvitationUsed(InvitationExpired):
    """All phones that the invitation allows are enrolled."""


class Invitation(NamedTuple):
    """Allows `phones` phones to become door devices of a performance, with tokens of `scope`, until `closes_at`.

    Until `serves_until` they may enrol for other performances by themselves; `first_id` is the first token of a
    phone that does so (passes.py).
    """

    identity: int
    performance_id: int
    phones: int
    scope: Scope
    closes_at: datetime
    serves_until: datetime | None
    first_id: int | None


class ShownInvitation(NamedTuple):
    """An invitation as staff show it, with its expiry and the number of phones that used it."""

    text: str
    good_until: datetime
    used: int


def make_invitation(
    performance_id: int, phones: int = 1, scope: Scope = Scope.DOOR, serves_days: int = 0
) -> str:
    """Sign an invitation for `phones` phones, valid for INVITATION_VALID_FOR. Nothing is stored.

    It is a bearer secret: somebody who photographs it can use it, but takes one of its slots, which staff see.
    """
    terms = _Terms(performance_id, phones, scope, serves_days, None)
    return _sign(secrets.randbits(_NUMBER_BITS), terms, now() + INVITATION_VALID_FOR)


def invite_phone(performance_id: int, first: ApiToken) -> str:
    """Sign an invitation for a phone that may serve several performances; `first` is its first token.

    Its number depends on phone and performance only, so that _RETURNS bounds how often the phone enrols.
    """
    terms = _Terms(performance_id, _RETURNS, Scope(first.scope), None, first.id)
    return _sign(
        _number_from(f"phone {first.id}/{performance_id}"), terms, now() + INVITATION_VALID_FOR
    )


def show_invitation(
    performance_id: int, phones: int, scope: Scope = Scope.DOOR, serves_days: int = 0
) -> ShownInvitation:
    """The current invitation: the same one until it is used up or _RENEWED_EVERY has passed.

    A page that polls it shows the next one as soon as all phones have enrolled.
    """
    step = int(now().timestamp() // _RENEWED_EVERY.total_seconds())
    good_until = (
        datetime.fromtimestamp(step * _RENEWED_EVERY.total_seconds(), UTC) + INVITATION_VALID_FOR
    )
    terms = _Terms(performance_id, phones, scope, serves_days, None)
    for number in count():
        identity = _number_from(f"{performance_id}/{phones}/{scope}/{serves_days}/{step}/{number}")
        used = len(_slots_taken(identity))
        if used < phones:
            break
    return ShownInvitation(_sign(identity, terms, good_until), good_until, used)


def _number_from(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()) >> (256 - _NUMBER_BITS)


def invitation_url(invitation: str) -> str:
    """The address in the QR. The invitation is in the fragment, which browsers do not send to servers."""
    return f"{site_url('checkin.app')}#join={invitation}"


def read_invitation(invitation: str, request: UUID | None = None) -> Invitation:
    """Raises InvitationForged, InvitationExpired, InvitationUsed.

    A used-up invitation is still valid for the `request` that used it and lost the response.
    """
    asked = _read_invitation(invitation)
    try:
        _free_slot(asked)
    except InvitationUsed:
        made = find_token(_token_text(asked, request)) if request else None
        if made is None or made.revoked_at is not None:
            raise
    return asked


def _read_invitation(invitation: str) -> Invitation:
    try:
        identity, good_until, *text = _signer().loads(invitation)
    except (BadSignature, UnicodeError) as forged:
        raise InvitationForged from forged
    terms = _Terms(*text)
    if good_until <= now().timestamp():
        raise InvitationExpired
    found = db.session.execute(
        select(Performance.starts_at, Show.duration_minutes)
        .join(Performance.show)
        .where(Performance.id == terms.performance_id)
    ).one_or_none()
    if found is None or door_closes_at(*found) <= now():
        raise InvitationExpired
    return Invitation(
        identity,
        terms.performance_id,
        terms.phones,
        Scope(terms.scope),
        door_closes_at(*found),
        _serves_until(terms),
        terms.first_id,
    )


def _serves_until(terms: "_Terms") -> datetime | None:
    """Until when the phone may enrol for other performances. Raises InvitationExpired if its pass has ended."""
    if terms.first_id is None:
        return now() + timedelta(days=terms.serves_days) if terms.serves_days else None
    until = phone_serves_until(terms.first_id)
    if until is None or until <= now():
        raise InvitationExpired
    return until


def enrol(invitation: str, label: str, request: UUID | None = None) -> tuple[ApiToken, str]:
    """Enrol a device for the invitation's performance; returns its token and the token's text, which is not stored.

    The label gets a number if another device of the performance has it. The same `request`, sent again because
    its response was lost, returns the device that it made. A revoked device keeps its slot, so that it cannot
    enrol by the same invitation again. Raises InvitationForged, InvitationExpired, InvitationUsed.
    """
    asked = _read_invitation(invitation)
    text = _token_text(asked, request) if request else secrets.token_urlsafe(32)
    token = _make_device(asked, label, text)
    if token.revoked_at is not None:
        raise InvitationUsed
    if asked.first_id is not None and phone_serves_until(asked.first_id) is None:
        # The phone was revoked meanwhile: its new token must not outlive the others.
        revoke_token(token.id)
        raise InvitationExpired
    return token, text


def _make_device(asked: Invitation, label: str, text: str) -> ApiToken:
    hours = (asked.closes_at + UPLOAD_GRACE - now()) / timedelta(hours=1)
    while True:
        try:
            slot = _free_slot(asked)
        except InvitationUsed:
            # The same request may have taken the last slot, in a first try that finished only now.
            if (made := find_token(text)) is None:
                raise
            return made
        name = _unique_label(label, asked.performance_id)
        origin = Origin(asked.identity, slot, asked.serves_until, asked.first_id)
        try:
            token, _text = issue_token(
                name, asked.scope, hours, asked.performance_id, text=text, origin=origin
            )
        except IntegrityError as error:
            # Another phone took the slot or the label in between: each time one fewer is left.
            if violated_constraint(error) not in _TAKEN:
                raise
        else:
            return token


def _token_text(asked: Invitation, request: UUID) -> str:
    # Somebody who only has the invitation, for example a photograph of it, cannot derive the token.
    return make_token(Purpose.DOOR_KEY, uuid5(request, str(asked.identity)))


def _free_slot(asked: Invitation) -> int:
    """The first slot of the invitation that no device has. Raises InvitationUsed."""
    taken = _slots_taken(asked.identity)
    free = next((slot for slot in range(1, asked.phones + 1) if slot not in taken), None)
    if free is None:
        raise InvitationUsed
    return free


def _slots_taken(identity: int) -> set[int | None]:
    return set(
        db.session.scalars(select(ApiToken.invitation_place).where(ApiToken.invitation == identity))
    )


def _unique_label(label: str, performance_id: int) -> str:
    """The label, with a number if it is taken: the scan log names devices by it."""
    used = set(
        db.session.scalars(
            select(ApiToken.label).where(
                ApiToken.performance_id == performance_id, ApiToken.revoked_at.is_(None)
            )
        )
    )
    numbered = (f"{label} {number}" for number in count(2))
    return next(name for name in chain([label], numbered) if name not in used)


class _Terms(NamedTuple):
    """The signed content of an invitation, besides its number and expiry."""

    performance_id: int
    phones: int
    scope: Scope
    serves_days: int | None  # None in a phone's own invitation: its first token says it
    first_id: int | None


def _sign(identity: int, terms: _Terms, good_until: datetime) -> str:
    return str(_signer().dumps([identity, int(good_until.timestamp()), *terms]))


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(signing_keys(), salt="azionelab/door-invitation-4")

"""Passes: a phone that may serve several performances enrols for the next one without staff.

A pass is a signed text that names the phone's first token. Only the phone keeps it. It is valid until
`serves_until`, unless one of the phone's tokens is revoked. With it the phone gets invitations, like those that
staff show.
"""

import hashlib
from datetime import timedelta
from typing import NamedTuple

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from azionelab.checkin.devices.invitations import invite_phone
from azionelab.checkin.devices.registry import door_closes_at
from azionelab.database import db, now
from azionelab.shows.models import Performance, Show
from azionelab.staff.models import ApiToken
from azionelab.staff.tokens import phone_serves_until
from azionelab.tokens import signing_keys

_LONGEST_PERFORMANCE = timedelta(days=1)  # since the start of a performance that may still be on
_MAX_OFFERED = 30  # performances in one response
_DIGEST_LENGTH = 16  # characters: after a restore from backup the id may be another phone's


class PassExpired(Exception):
    """The pass is not valid: forged, expired, or its phone was revoked."""


class OfferedPerformance(NamedTuple):
    """A performance that the phone may enrol for, with the invitation to do so."""

    performance: Performance
    invitation: str


def make_pass(token: ApiToken) -> str | None:
    """The pass of a phone; None unless `token` is its first one and serves several performances."""
    if token.serves_until is None or token.origin_id is not None:
        return None
    return str(_signer().dumps([token.id, _digest_of(token)]))


def offered_performances(text: str) -> list[OfferedPerformance]:
    """The current and later performances of a pass, in order of time. Raises PassExpired."""
    token = _read_pass(text)
    at, until = now(), phone_serves_until(token.id)
    if until is None or until <= at:
        raise PassExpired
    performances = db.session.scalars(
        select(Performance)
        .join(Performance.show)
        .where(
            Performance.cancelled_at.is_(None),
            Performance.starts_at.between(at - _LONGEST_PERFORMANCE, until),
            Show.published,
        )
        .order_by(Performance.starts_at, Performance.id)
        .limit(_MAX_OFFERED)
        .options(joinedload(Performance.show), joinedload(Performance.venue))
    )
    return [
        OfferedPerformance(performance, invite_phone(performance.id, token))
        for performance in performances
        if door_closes_at(performance.starts_at, performance.show.duration_minutes) > at
    ]


def _read_pass(text: str) -> ApiToken:
    try:
        token_id, digest = _signer().loads(text)
    except (BadSignature, UnicodeError) as forged:
        raise PassExpired from forged
    token = db.session.get(ApiToken, token_id)
    if token is None or _digest_of(token) != digest:
        raise PassExpired
    return token


def _digest_of(token: ApiToken) -> str:
    return hashlib.sha256(token.digest).hexdigest()[:_DIGEST_LENGTH]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(signing_keys(), salt="azionelab/door-pass-1")

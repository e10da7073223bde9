"""A phone that staff let serve several evenings opens the door of the next one by itself.

It has a pass: a signed text that names its first token, told with that and kept by the phone alone. It is good until
`serves_until`, unless any of the phone's tokens was revoked. What it opens is an invitation, as staff show one.
"""

import hashlib
from datetime import timedelta
from typing import NamedTuple

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from azionelab.checkin.devices.invitations import offer_to_phone
from azionelab.checkin.devices.registry import door_closes_at
from azionelab.database import db, now
from azionelab.shows.models import Performance, Show
from azionelab.staff.models import ApiToken
from azionelab.staff.tokens import phone_serves_until
from azionelab.tokens import signing_keys

_LONGEST = timedelta(days=1)  # that a performance may have begun ago and still be on
_MOST = 30  # evenings that a phone is told of
_DIGEST = 16  # characters: a database that is restored may give the number to another phone


class PassOver(Exception):
    """The pass is none, or no more: it ended, or staff revoked the phone."""


class Offered(NamedTuple):
    """An evening whose door the phone may open, by this invitation."""

    performance: Performance
    invitation: str


def make_pass(token: ApiToken) -> str | None:
    """The pass of a phone with this first token; None for any other, and for one evening alone."""
    if token.serves_until is None or token.origin_id is not None:
        return None
    return str(_signer().dumps([token.id, _digest_of(token)]))


def evenings_of(text: str) -> list[Offered]:
    """The evenings that a pass opens from now on, the next first. Raises PassOver."""
    token = _read_pass(text)
    at, until = now(), phone_serves_until(token.id)
    if until is None or until <= at:
        raise PassOver
    performances = db.session.scalars(
        select(Performance)
        .join(Performance.show)
        .where(
            Performance.cancelled_at.is_(None),
            Performance.starts_at.between(at - _LONGEST, until),
            Show.published,
        )
        .order_by(Performance.starts_at, Performance.id)
        .limit(_MOST)
        .options(joinedload(Performance.show), joinedload(Performance.venue))
    )
    return [
        Offered(performance, offer_to_phone(performance.id, token))
        for performance in performances
        if door_closes_at(performance.starts_at, performance.show.duration_minutes) > at
    ]


def _read_pass(text: str) -> ApiToken:
    try:
        token_id, digest = _signer().loads(text)
    except (BadSignature, UnicodeError) as forged:
        raise PassOver from forged
    token = db.session.get(ApiToken, token_id)
    if token is None or _digest_of(token) != digest:
        raise PassOver
    return token


def _digest_of(token: ApiToken) -> str:
    return hashlib.sha256(token.digest).hexdigest()[:_DIGEST]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(signing_keys(), salt="azionelab/door-pass-1")

"""Tokens for devices at the door: shown once, kept as a digest, told apart by their label."""

import hashlib
import secrets
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import bindparam, select

from azionelab.database import now, transaction
from azionelab.extensions import db
from azionelab.staff.models import ApiToken

MAX_TOKEN_HOURS = 72  # a long weekend


class Scope(StrEnum):
    """What a token opens."""

    DOOR = "door"


class TokenUnknown(Exception):
    """No token has this number."""


def issue_token(label: str, scope: Scope, hours: float) -> tuple[ApiToken, str]:
    """Make a token that lives for `hours`, and return it with its text, which is kept nowhere."""
    text = secrets.token_urlsafe(32)
    with transaction() as session:
        created = now()
        token = ApiToken(
            label=label,
            scope=scope,
            digest=_digest(text),
            created_at=created,
            expires_at=created + timedelta(hours=hours),
        )
        session.add(token)
        return token, text


def revoke_token(token_id: int) -> ApiToken:
    """Make a token open nothing from now on; revoking again changes nothing. TokenUnknown."""
    with transaction() as session:
        token = session.get(ApiToken, token_id, with_for_update=True, populate_existing=True)
        if token is None:
            raise TokenUnknown
        token.revoked_at = token.revoked_at or now()
        return token


class Device(NamedTuple):
    """Who holds a token: its number and its label."""

    token_id: int
    label: str


def find_device(text: str, scope: Scope) -> Device | None:
    """Whose token of that scope this text is, unless it has expired or was revoked."""
    asked = {"digest": _digest(text), "scope": scope, "at": now()}
    # Past the session's objects, which cost more than the question: every scan asks it.
    row = db.session.connection().execute(_VALID_TOKEN, asked).one_or_none()
    return Device(*row) if row else None


_VALID_TOKEN = select(ApiToken.id, ApiToken.label).where(
    ApiToken.digest == bindparam("digest"),
    ApiToken.scope == bindparam("scope"),
    ApiToken.expires_at > bindparam("at"),
    ApiToken.revoked_at.is_(None),
)


def _digest(text: str) -> bytes:
    # A fast hash is right here: nobody guesses 256 random bits.
    return hashlib.sha256(text.encode()).digest()

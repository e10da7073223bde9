"""Tokens for devices at the door: shown once, kept as a digest, told apart by their label."""

import hashlib
import secrets
from datetime import timedelta
from enum import StrEnum

from azionelab.database import now, transaction
from azionelab.staff.models import ApiToken

MAX_TOKEN_HOURS = 72  # a long weekend


class Scope(StrEnum):
    """What a token opens."""

    DOOR = "door"


class TokenUnknown(Exception):
    """No token has this number."""


def issue_token(
    label: str, scope: Scope, hours: float, performance_id: int | None = None
) -> tuple[ApiToken, str]:
    """Make a token that lives for `hours`, and return it with its text, which is kept nowhere.

    With a `performance_id` it opens nothing but that performance.
    """
    text = secrets.token_urlsafe(32)
    with transaction() as session:
        created = now()
        token = ApiToken(
            label=label,
            scope=scope,
            digest=digest(text),
            created_at=created,
            expires_at=created + timedelta(hours=hours),
            performance_id=performance_id,
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


def digest(text: str) -> bytes:
    """What is kept of a token's text."""
    # A fast hash is right here: nobody guesses 256 random bits.
    return hashlib.sha256(text.encode()).digest()

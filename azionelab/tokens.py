"""Tokens that are never stored: an id and a signature, made again whenever they are needed.

A token is base64url(id, 16 bytes | HMAC-SHA-256 of purpose and id, first 16 bytes): 43 characters,
128 bits to guess. It holds nothing personal, it can be sent again without any stored secret, and a
token for one purpose is worthless for another: who photographs a ticket cannot cancel a booking.
"""

import base64
import binascii
import hmac
from enum import StrEnum
from uuid import UUID

from flask import current_app

_LENGTH = 16  # bytes, of the id and of the signature each


class Purpose(StrEnum):
    """What a token opens."""

    VISITOR = "visitor"  # the visitor's own page, sent to their mailbox only
    TICKET = "ticket"  # entry at the door; in QRs made before 0.4 (bookings/tickets/signing.py)
    DOOR_KEY = "door-key"  # the door's API, for a program; good only while its digest is kept


def make_token(purpose: Purpose, identity: UUID) -> str:
    """The token that opens `identity` for `purpose`, signed with SECRET_KEY."""
    return valid_tokens(purpose, identity)[0]


def valid_tokens(purpose: Purpose, identity: UUID) -> list[str]:
    """All tokens that open `identity`: the one that is made today, and those of older keys."""
    signed = [identity.bytes + _sign(key, purpose, identity.bytes) for key in secret_keys()]
    return [_write(raw) for raw in signed]


def read_token(purpose: Purpose, token: str) -> UUID | None:
    """The id that a genuine token opens, or None for a forged, cut or foreign one.

    Keys in SECRET_KEY_FALLBACKS are honoured too, so that a changed SECRET_KEY does not turn
    people with a printed ticket away.
    """
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    # Two bits of the last letter mean nothing: a token has one spelling all the same.
    if len(raw) != 2 * _LENGTH or _write(raw) != token:
        return None
    identity, signature = raw[:_LENGTH], raw[_LENGTH:]
    genuine = [
        hmac.compare_digest(_sign(key, purpose, identity), signature) for key in secret_keys()
    ]
    return UUID(bytes=identity) if any(genuine) else None


def _write(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def secret_keys() -> list[str]:
    """SECRET_KEY, which signs, and before it the ones whose signatures are honoured still."""
    return [current_app.config["SECRET_KEY"], *current_app.config["SECRET_KEY_FALLBACKS"]]


def signing_keys() -> list[str]:
    """The same as itsdangerous wants them: the one that signs comes last."""
    return secret_keys()[::-1]


def _sign(key: str, purpose: Purpose, identity: bytes) -> bytes:
    message = f"azionelab/token/1/{purpose}/".encode() + identity
    return hmac.digest(key.encode(), message, "sha256")[:_LENGTH]

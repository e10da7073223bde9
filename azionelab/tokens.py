"""Signed tokens: an id with a signature, computed when needed and never stored.

A token is base64url(id, 16 bytes | HMAC-SHA-256 of purpose and id, first 16 bytes): 43 characters, 128 bits
to guess. It contains no personal data, can be sent again without a stored secret, and is valid for one
purpose only: a photographed ticket does not cancel a booking.
"""

import base64
import binascii
import hmac
from enum import StrEnum
from uuid import UUID

from flask import current_app

_LENGTH = 16  # bytes, of the id and of the signature each


class Purpose(StrEnum):
    """What a token gives access to."""

    VISITOR = "visitor"  # the visitor's own page, sent to their mailbox only
    HAND_OVER = (
        "hand-over"  # a booking that is offered to a friend, sent to the friend's mailbox only
    )
    TICKET = "ticket"  # entry at the door; in QRs made before 0.4 (bookings/tickets/signing.py)
    QUEUE = "queue"  # somebody's place in a line before the booking form (queue/places.py)
    UNSUBSCRIBE = "unsubscribe"  # ends reminders and messages about a booking, and nothing else
    STAFF_LINK = "staff-link"  # sets an account's password, once (staff/invitations.py)
    DOOR_KEY = "door-key"  # the door's API, for a program; valid while its digest is stored


def make_token(purpose: Purpose, identity: UUID) -> str:
    """The token for `identity` and `purpose`, signed with SECRET_KEY."""
    return valid_tokens(purpose, identity)[0]


def valid_tokens(purpose: Purpose, identity: UUID) -> list[str]:
    """All valid tokens for `identity`: signed with SECRET_KEY, then with SECRET_KEY_FALLBACKS."""
    signed = [identity.bytes + _sign(key, purpose, identity.bytes) for key in secret_keys()]
    return [_encode(raw) for raw in signed]


def read_token(purpose: Purpose, token: str) -> UUID | None:
    """The id in a valid token; None for a forged or truncated one, or one for another purpose.

    Accepts SECRET_KEY_FALLBACKS too, so that printed tickets survive a change of SECRET_KEY.
    """
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    # The last character's two unused bits would allow several spellings: accept only one.
    if len(raw) != 2 * _LENGTH or _encode(raw) != token:
        return None
    identity, signature = raw[:_LENGTH], raw[_LENGTH:]
    genuine = [
        hmac.compare_digest(_sign(key, purpose, identity), signature) for key in secret_keys()
    ]
    return UUID(bytes=identity) if any(genuine) else None


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def secret_keys() -> list[str]:
    """SECRET_KEY, which signs, then the older keys that are still accepted."""
    return [current_app.config["SECRET_KEY"], *current_app.config["SECRET_KEY_FALLBACKS"]]


def signing_keys() -> list[str]:
    """The same keys in itsdangerous' order: the signing key comes last."""
    return secret_keys()[::-1]


def _sign(key: str, purpose: Purpose, identity: bytes) -> bytes:
    message = f"azionelab/token/1/{purpose}/".encode() + identity
    return hmac.digest(key.encode(), message, "sha256")[:_LENGTH]

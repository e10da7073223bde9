"""Signs a webhook's messages, as Standard Webhooks has it (`v1`, HMAC-SHA-256)."""

import base64
import hmac
from uuid import UUID

from azionelab.tokens import secret_keys

_PREFIX = "whsec_"


def webhook_secret(key: UUID) -> str:
    """The secret that a webhook's receiver checks signatures with; derived from SECRET_KEY, not stored."""
    return _PREFIX + base64.b64encode(_secrets(key)[0]).decode()


def signature_header(key: UUID, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for SECRET_KEY and for each of SECRET_KEY_FALLBACKS.

    So receivers that know the earlier secret go on working after SECRET_KEY was changed.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(secret, signed, "sha256") for secret in _secrets(key))
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _secrets(key: UUID) -> list[bytes]:
    message = b"azionelab/webhook/1/" + key.bytes
    return [hmac.digest(secret.encode(), message, "sha256") for secret in secret_keys()]

"""Encrypts the secrets of authenticator apps in the database, with a key made from SECRET_KEY.

No secret of its own: there is one thing to keep and to change (docs/configuration.md). What an older key
encrypted is read with SECRET_KEY_FALLBACKS and encrypted anew at its next use.
"""

import hmac

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from azionelab.tokens import secret_keys

_PURPOSE = b"azionelab/authenticator/1"
_OWNER = 8  # bytes, before the secret: nobody can exchange two accounts' secrets


class KeyLost(Exception):
    """No key in SECRET_KEY or SECRET_KEY_FALLBACKS reads it."""


def seal(owner: int, secret: bytes) -> bytes:
    """Encrypt an account's secret with SECRET_KEY."""
    return bytes(_box(secret_keys()[0]).encrypt(owner.to_bytes(_OWNER) + secret))


def unseal(owner: int, sealed: bytes) -> tuple[bytes, bool]:
    """The secret, and whether SECRET_KEY encrypted it; raises KeyLost."""
    for number, key in enumerate(secret_keys()):
        try:
            plain = _box(key).decrypt(sealed)
        except CryptoError:
            continue
        if plain[:_OWNER] == owner.to_bytes(_OWNER):
            return plain[_OWNER:], number == 0
    raise KeyLost


def _box(key: str) -> SecretBox:
    return SecretBox(hmac.digest(key.encode(), _PURPOSE, "sha256"))

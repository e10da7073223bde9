"""Time-based one-time passwords (RFC 6238): SHA-1, 6 digits, 30 seconds, as all authenticator apps know them."""

import base64
import binascii
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

SECRET_BYTES = 20  # RFC 4226, 4: 160 bits are recommended
_STEP = 30  # seconds
_DIGITS = 6
_DRIFT = 1  # steps that a phone's clock may be early or late


def new_secret() -> bytes:
    """A random secret."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """The code of a time step (RFC 4226, 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFFFFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)


def step_at(moment: datetime) -> int:
    """The time step of a moment."""
    return int(moment.timestamp()) // _STEP


def find_step(secret: bytes, code: str, moment: datetime, after: int) -> int | None:
    """The time step later than `after` whose code this is, near `moment`; None when it is no valid code."""
    now = step_at(moment)
    for step in range(now - _DRIFT, now + _DRIFT + 1):
        if step > after and hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            return step
    return None


def write_secret(secret: bytes) -> str:
    """The secret as an app takes it: base32, in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def read_secret(text: str) -> bytes | None:
    """The secret written by `write_secret`; None for another text."""
    try:
        secret = base64.b32decode(text.replace(" ", ""))
    except (ValueError, binascii.Error):
        return None
    return secret if len(secret) == SECRET_BYTES else None


def app_address(secret: bytes, account: str, site: str) -> str:
    """The otpauth:// address that an app reads from a QR code."""
    label = quote(f"{site}:{account}", safe="")
    query = urlencode(
        {"secret": base64.b32encode(secret).decode(), "issuer": site}, quote_via=quote
    )
    return f"otpauth://totp/{label}?{query}"

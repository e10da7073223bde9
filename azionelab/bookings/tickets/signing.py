"""Tickets that a phone can check offline: performance and booking, signed with Ed25519 (RFC 8032).

A ticket is the performance's number (4 bytes), the booking's reference (5) and the signature (64), written
as one number of 176 decimal digits: a QR stores three digits in ten bits, almost without loss, where base64url in
a QR's bytes loses a quarter. A slash separates the last 43 digits. They belong to the signature, so nobody can
guess them, and look like a ticket before 0.4: a phone with the app of that release recognizes them by their
digest in its list.

Tickets before 0.4 (`tokens.py`) stay valid.
"""

import base64
import hmac
import re
from functools import lru_cache
from typing import NamedTuple

from nacl.signing import SigningKey

from azionelab.bookings.models import Reservation
from azionelab.bookings.tickets.references import ALPHABET, LENGTH
from azionelab.tokens import secret_keys

_PERFORMANCE = 4  # bytes: a number of PostgreSQL's integer
_REFERENCE = 5  # bytes: eight characters of five bits
_SIGNATURE = 64  # bytes
_BYTES = _PERFORMANCE + _REFERENCE + _SIGNATURE
DIGITS, TAIL = 176, 43  # all digits, and those after the slash
_TICKET = re.compile(rf"(?:.*/)?([0-9]{{{DIGITS - TAIL}}})/([0-9]{{{TAIL}}})")
_PURPOSE = b"azionelab/signed-ticket/1/"  # so that nothing else that is ever signed is a ticket


class SignedTicket(NamedTuple):
    """The content of a genuine ticket."""

    performance_id: int
    reference: str


def write_ticket(reservation: Reservation) -> str:
    """The ticket of a reservation, signed with SECRET_KEY: digits, a slash, digits."""
    return sign_ticket(reservation.performance_id, reservation.reference)


def sign_ticket(performance_id: int, reference: str) -> str:
    """The ticket of a performance and a reference, signed with SECRET_KEY."""
    named = performance_id.to_bytes(_PERFORMANCE) + _pack(reference)
    signature = _sign(secret_keys()[0], named)
    digits = str(int.from_bytes(named + signature)).zfill(DIGITS)
    return f"{digits[:-TAIL]}/{digits[-TAIL:]}"


def read_ticket(code: str) -> SignedTicket | None:
    """The content of the ticket whose address or text is `code`; None for a forged or foreign one.

    Keys in SECRET_KEY_FALLBACKS are accepted, too, as in `tokens.read_token`.
    """
    found = _TICKET.fullmatch(code.strip().rstrip("/"))
    if found is None or (number := int("".join(found.groups()))) >= 256**_BYTES:
        return None
    raw = number.to_bytes(_BYTES)
    named, signature = raw[:-_SIGNATURE], raw[-_SIGNATURE:]
    # With the secret key we sign again and compare: a text has only one signature, and verifying one takes
    # four times as long as signing.
    if not any(hmac.compare_digest(_sign(key, named), signature) for key in secret_keys()):
        return None
    return SignedTicket(int.from_bytes(named[:_PERFORMANCE]), _unpack(named[_PERFORMANCE:]))


def public_keys() -> list[str]:
    """The public keys that verify tickets, as base64url: the current one and older ones."""
    keys = [bytes(_key(secret).verify_key) for secret in secret_keys()]
    return [base64.urlsafe_b64encode(key).decode() for key in keys]


@lru_cache(maxsize=32)
def _key(secret: str) -> SigningKey:
    """The signing key, derived from SECRET_KEY so that there is no second secret to keep.

    The derivation is HKDF-SHA-256 without salt: two steps for 32 bytes (RFC 5869, 2.2 and 2.3).
    """
    extracted = hmac.digest(b"", secret.encode(), "sha256")
    return SigningKey(hmac.digest(extracted, b"azionelab/signed-ticket-key/1" + b"\x01", "sha256"))


def _sign(secret: str, named: bytes) -> bytes:
    return _key(secret).sign(_PURPOSE + named).signature


def _pack(reference: str) -> bytes:
    number = 0
    for character in reference:
        number = number * len(ALPHABET) + ALPHABET.index(character)
    return number.to_bytes(_REFERENCE)


def _unpack(raw: bytes) -> str:
    number = int.from_bytes(raw)
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(LENGTH)))

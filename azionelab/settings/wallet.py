"""The keys of wallet passes: Apple's pass certificate with its key, Google's service account (docs/wallet.md).

They are read when they are first needed, and cryptography is imported then: it takes memory of each process, and the
worker never needs it. `flask check` reads them before a site serves.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from azionelab.settings.config import Config

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate, ObjectIdentifier

RENEW_WITHIN = timedelta(days=30)  # before the certificate ends; it is renewed by hand, once a year
_PRIVATE_KEY = re.compile(
    r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL
)  # `openssl pkcs12` writes remarks between the blocks


class UnusableKeys(Exception):
    """A setting holds no usable keys. The text says why and quotes nothing secret."""


@dataclass(frozen=True)
class AppleKeys:
    """A pass certificate with its key, and the intermediate certificate of Apple that issued it."""

    certificate: "Certificate"
    key: "RSAPrivateKey" = field(repr=False)
    issuer: "Certificate"
    pass_type: str  # pass.org.theatre.tickets
    team: str

    @property
    def ends_at(self) -> datetime:
        """When phones begin to refuse new passes: the end of the certificate that ends first."""
        return min(self.certificate.not_valid_after_utc, self.issuer.not_valid_after_utc)


@dataclass(frozen=True)
class GoogleKeys:
    """A service account: its address, and the key that signs for it."""

    email: str
    key: "RSAPrivateKey" = field(repr=False)


@lru_cache(maxsize=2)
def read_apple_keys(pem: str) -> AppleKeys:
    """The keys in APPLE_PASS: three PEM blocks in any order. Raises UnusableKeys.

    Pass type and team are those of the certificate, so that they cannot differ from it.
    """
    from cryptography import x509  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise UnusableKeys("holds no certificate that can be read") from None
    key = _read_key(pem)
    own = next((one for one in certificates if one.public_key() == key.public_key()), None)
    if own is None:
        raise UnusableKeys("none of its certificates belongs to its private key")
    pass_type = _named(own, NameOID.USER_ID)
    team = _named(own, NameOID.ORGANIZATIONAL_UNIT_NAME)
    if not pass_type.startswith("pass.") or not team:
        raise UnusableKeys("its certificate is not one for a pass type identifier")
    issuer = next((one for one in certificates if _has_issued(one, own)), None)
    if issuer is None:
        raise UnusableKeys(
            f"lacks Apple's certificate that issued the pass certificate: {own.issuer.rfc4514_string()}"
        )
    return AppleKeys(own, key, issuer, pass_type, team)


@lru_cache(maxsize=2)
def read_google_keys(text: str) -> GoogleKeys:
    """The keys in GOOGLE_WALLET_KEY, the JSON file of a service account. Raises UnusableKeys."""
    try:
        account = json.loads(text)
        email, pem = str(account["client_email"]), str(account["private_key"])
    except (ValueError, KeyError, TypeError):
        raise UnusableKeys("is not the JSON key file of a service account") from None
    return GoogleKeys(email, _read_key(pem))


def wallet_problems(config: Config) -> Iterator[str]:
    """What stops passes from being made; each line starts with the setting's name."""
    if config.apple_pass:
        try:
            read_apple_keys(config.apple_pass)
        except UnusableKeys as why:
            yield f"APPLE_PASS: {why}; see docs/wallet.md"
    if config.google_wallet_key:
        try:
            read_google_keys(config.google_wallet_key)
        except UnusableKeys as why:
            yield f"GOOGLE_WALLET_KEY: {why}; see docs/wallet.md"
        if not config.google_wallet_issuer:
            yield "GOOGLE_WALLET_ISSUER: is missing, and belongs to GOOGLE_WALLET_KEY; see docs/wallet.md"
    issuer = config.google_wallet_issuer or ""
    if issuer and not (issuer.isascii() and issuer.isdigit()):
        yield f"GOOGLE_WALLET_ISSUER: {issuer!r} is not an issuer ID such as 3388000000012345678"


def wallet_advice(config: Config, at: datetime) -> Iterator[str]:
    """What a person should look at, of keys that can be used; each line starts with the setting's name."""
    if config.apple_pass and (ends_at := apple_ends_at(config)) and ends_at - at < RENEW_WITHIN:
        over = "ended" if ends_at <= at else "ends"
        yield (
            f"APPLE_PASS: its certificate {over} on {ends_at:%Y-%m-%d}, and Apple Wallet is not offered after that;"
            " renew it as docs/wallet.md says"
        )
    if config.google_wallet_issuer and not config.google_wallet_key:
        yield "GOOGLE_WALLET_ISSUER: is set without GOOGLE_WALLET_KEY, so Google Wallet is not offered"


def apple_ends_at(config: Config) -> datetime | None:
    """When phones begin to refuse new passes; None without usable keys."""
    try:
        return read_apple_keys(config.apple_pass).ends_at if config.apple_pass else None
    except UnusableKeys:
        return None


def _read_key(pem: str) -> "RSAPrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    block = _PRIVATE_KEY.search(pem)
    if block is None:
        raise UnusableKeys("holds no private key")
    try:
        key = load_pem_private_key(block[0].encode(), None)
    except TypeError:
        raise UnusableKeys(
            "its private key is locked with a password; write it without one: openssl pkey -in KEY"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKeys("its private key cannot be read") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise UnusableKeys("its private key is not an RSA key")
    return key


def _named(certificate: "Certificate", attribute: "ObjectIdentifier") -> str:
    found = certificate.subject.get_attributes_for_oid(attribute)
    return str(found[0].value) if found else ""


def _has_issued(issuer: "Certificate", certificate: "Certificate") -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return issuer != certificate

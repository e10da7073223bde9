"""Throw-away keys of wallet passes, in the form that Apple and Google give theirs."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

PASS_TYPE, TEAM = "pass.it.teatro.biglietti", "AB12CD34EF"
GOOGLE_EMAIL = "wallet@teatro-della-luna.iam.gserviceaccount.com"
GOOGLE_ISSUER = "3388000000012345678"


class Apple(NamedTuple):
    """An authority as Apple's: its root, and what APPLE_PASS holds."""

    root: str
    intermediate: str
    certificate: str
    key: str

    @property
    def setting(self) -> str:
        """APPLE_PASS."""
        return self.certificate + self.key + self.intermediate


@cache
def a_key(name: str) -> RSAPrivateKey:
    """A key; the same one for the same name."""
    return generate_private_key(65537, 2048)


def pem(key: RSAPrivateKey, password: bytes | None = None) -> str:
    lock: KeySerializationEncryption = NoEncryption()
    if password:
        lock = BestAvailableEncryption(password)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()


def apple(days: int = 365, pass_type: str = PASS_TYPE) -> Apple:
    """A pass certificate that is valid for so many days more, with its chain."""
    root = _certificate("root", "root", 3650, ca=True)
    intermediate = _certificate("intermediate", "root", 3650, ca=True)
    own = _certificate("pass", "intermediate", days, ca=False, pass_type=pass_type)
    return Apple(root, intermediate, own, pem(a_key("pass")))


def google_setting() -> str:
    """GOOGLE_WALLET_KEY."""
    return json.dumps(
        {
            "type": "service_account",
            "client_email": GOOGLE_EMAIL,
            "private_key": pem(a_key("google")),
        }
    )


def wallet_settings() -> dict[str, str]:
    """The settings of a theatre with keys for both wallets."""
    return {
        "APPLE_PASS": apple().setting,
        "GOOGLE_WALLET_KEY": google_setting(),
        "GOOGLE_WALLET_ISSUER": GOOGLE_ISSUER,
    }


def _name(common: str, pass_type: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, f"Throw-away {common}")]
    if pass_type:
        parts += [
            x509.NameAttribute(NameOID.USER_ID, pass_type),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, TEAM),
        ]
    return x509.Name(parts)


def _certificate(name: str, issuer: str, days: int, *, ca: bool, pass_type: str = "") -> str:
    at = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(_name(name, pass_type))
        .issuer_name(_name(issuer))
        .public_key(a_key(name).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=400))
        .not_valid_after(at + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(a_key(issuer), SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()

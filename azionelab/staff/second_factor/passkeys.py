"""Passkeys (WebAuthn Level 2): a device's key, unlocked by its owner, in place of password and code.

The browser signs a challenge. Ours are signed and dated, not stored, until one is used: none is used twice. The
`webauthn` library verifies the answer; it is imported with the first one, since cryptography takes memory in
each process.
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, NamedTuple

from flask import current_app
from itsdangerous import BadSignature, TimestampSigner
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from azionelab.database import db, now, transaction
from azionelab.staff.models import User
from azionelab.staff.second_factor.factors import first_recovery_codes, settle
from azionelab.staff.second_factor.models import Passkey, UsedChallenge
from azionelab.tokens import signing_keys
from azionelab.web.site_urls import site_host

CHALLENGE_LIFE = timedelta(minutes=10)
MAX_PASSKEYS = 20  # of an account
_MOST = 20_000  # characters of a browser's answer
_LOG_IN = "log-in"
_ALGORITHMS = (-8, -7, -257)  # Ed25519, ECDSA with P-256, RSA: COSE's numbers


class PasskeyRefused(Exception):
    """The browser's answer does not prove what it should."""


class PasskeyFacts(NamedTuple):
    """A passkey as its owner sees it in the list."""

    id: int
    name: str
    made_at: Any
    used_at: Any


def are_possible() -> bool:
    """Whether the site's address allows passkeys: they belong to a host name, not to an IP address."""
    try:
        ip_address(site_host())
    except ValueError:
        return True
    return False


def list_passkeys(user_id: int) -> list[PasskeyFacts]:
    """An account's passkeys, the oldest first."""
    columns = select(Passkey.id, Passkey.name, Passkey.made_at, Passkey.used_at)
    rows = db.session.execute(columns.where(Passkey.user_id == user_id).order_by(Passkey.id))
    return [PasskeyFacts(*row) for row in rows]


def creation_options(user: User) -> dict[str, Any]:
    """What the browser needs to make a passkey (PublicKeyCredentialCreationOptionsJSON)."""
    return {
        "rp": {"id": site_host(), "name": current_app.config["AZIONELAB"].site_name},
        "user": {
            "id": _encode(_handle(user.id)),
            "name": user.email,
            "displayName": user.name or user.email,
        },
        "challenge": _challenge(_make(user.id)),
        "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in _ALGORITHMS],
        "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
        "excludeCredentials": _descriptors(user.id),
        "attestation": "none",
        "timeout": int(CHALLENGE_LIFE.total_seconds() * 1000),
    }


def login_options(user_id: int | None = None) -> dict[str, Any]:
    """What the browser needs to use a passkey: one of this account's, or any that it has for this site."""
    return {
        "rpId": site_host(),
        "challenge": _challenge(_LOG_IN),
        "allowCredentials": [] if user_id is None else _descriptors(user_id),
        "userVerification": "required",
        "timeout": int(CHALLENGE_LIFE.total_seconds() * 1000),
    }


def add_passkey(user_id: int, name: str, answer: str) -> list[str]:
    """Store the passkey that a browser made; raises PasskeyRefused.

    Returns the new recovery codes, which are not stored; an empty list when there are some already.
    """
    from webauthn import verify_registration_response  # noqa: PLC0415 (see above)
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    credential, challenge = _read(answer, _make(user_id))
    try:
        made = verify_registration_response(
            credential=credential, require_user_verification=True, **_expected(challenge)
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    with transaction() as session:
        session.get_one(User, user_id, with_for_update=True, populate_existing=True)
        _use_up(session, challenge)
        count = len(session.scalars(select(Passkey.id).where(Passkey.user_id == user_id)).all())
        if count >= MAX_PASSKEYS or _find(session, made.credential_id) is not None:
            raise PasskeyRefused
        session.add(
            Passkey(
                user_id=user_id,
                name=name,
                credential_id=made.credential_id,
                public_key=made.credential_public_key,
                sign_count=made.sign_count,
                made_at=now(),
            )
        )
        session.flush()
        return first_recovery_codes(session, user_id)


def verify_login(answer: str) -> int:
    """The account whose passkey gave this answer; raises PasskeyRefused."""
    credential, challenge = _read(answer, _LOG_IN)
    identity = _decode(credential["id"])
    if db.session.scalar(select(Passkey.id).where(Passkey.credential_id == identity)) is None:
        raise PasskeyRefused
    from webauthn import verify_authentication_response  # noqa: PLC0415 (see above)
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    with transaction() as session:
        passkey = _find(session, identity)
        if passkey is None:
            raise PasskeyRefused
        handle = credential["response"].get("userHandle")
        if handle and _decode(handle) != _handle(passkey.user_id):
            raise PasskeyRefused
        _use_up(session, challenge)
        try:
            used = verify_authentication_response(
                credential=credential,
                require_user_verification=True,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                **_expected(challenge),
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise PasskeyRefused from error
        passkey.sign_count = used.new_sign_count
        passkey.used_at = now()
        return passkey.user_id


def remove_passkey(user: User, passkey_id: int) -> bool:
    """Remove one of an account's passkeys; False when it has no such one. Raises LastFactor."""
    with transaction() as session:
        session.get_one(User, user.id, with_for_update=True, populate_existing=True)
        mine = delete(Passkey).where(Passkey.user_id == user.id, Passkey.id == passkey_id)
        if session.scalar(mine.returning(Passkey.id)) is None:
            return False
        settle(session, user)
        return True


def delete_used_challenges() -> None:
    """Delete the challenges that have expired; the worker runs this hourly."""
    with transaction() as session:
        expired = UsedChallenge.used_at < now() - CHALLENGE_LIFE
        session.execute(delete(UsedChallenge).where(expired))


def _expected(challenge: bytes) -> dict[str, Any]:
    origin = current_app.config["AZIONELAB"].site_base_url
    return {
        "expected_challenge": challenge,
        "expected_rp_id": site_host(),
        "expected_origin": origin,
    }


def _read(answer: str, purpose: str) -> tuple[dict[str, Any], bytes]:
    """The credential in a browser's answer, and the challenge that it answers, if that is one of ours."""
    if len(answer) > _MOST:
        raise PasskeyRefused
    try:
        credential = json.loads(answer)
        client_data = json.loads(_decode(credential["response"]["clientDataJSON"]))
        challenge = _decode(client_data["challenge"])
        _decode(credential["id"])
        if (handle := credential["response"].get("userHandle")) is not None:
            _decode(handle)
        signed = _signer().unsign(challenge, max_age=int(CHALLENGE_LIFE.total_seconds()))
    except (ValueError, KeyError, TypeError, BadSignature, RecursionError) as error:
        raise PasskeyRefused from error
    if signed.decode().rpartition(".")[0] != purpose:
        raise PasskeyRefused
    return credential, challenge


def _use_up(session: Session, challenge: bytes) -> None:
    """Store that a challenge was used; a second use waits for the first transaction, and is refused."""
    used = insert(UsedChallenge).values(digest=hashlib.sha256(challenge).digest(), used_at=now())
    first = session.scalar(used.on_conflict_do_nothing().returning(UsedChallenge.digest))
    if first is None:
        raise PasskeyRefused


def _find(session: Session, identity: bytes) -> Passkey | None:
    return session.scalar(
        select(Passkey)
        .where(Passkey.credential_id == identity)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _descriptors(user_id: int) -> list[dict[str, str]]:
    identities = db.session.scalars(
        select(Passkey.credential_id).where(Passkey.user_id == user_id).order_by(Passkey.id)
    )
    return [{"type": "public-key", "id": _encode(identity)} for identity in identities]


def _make(user_id: int) -> str:
    """The purpose of a challenge that makes a passkey of this account."""
    return f"make/{user_id}"


def _challenge(purpose: str) -> str:
    return _encode(_signer().sign(f"{purpose}.{secrets.token_urlsafe(16)}"))


def _handle(user_id: int) -> bytes:
    """What a passkey holds of its account: nothing personal, and the same for all of an account's."""
    return hashlib.sha256(f"azionelab/passkey/{user_id}".encode()).digest()


def _signer() -> TimestampSigner:
    return TimestampSigner(signing_keys(), salt="azionelab.staff.passkey")


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))

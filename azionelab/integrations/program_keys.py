"""Idempotency keys of programs: a request sent again is recognised, another one under the same key is refused."""

import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import delete, text

from azionelab.database import execute_autocommit, now, transaction
from azionelab.integrations.models import ProgramKey, ProgramToken
from azionelab.tokens import secret_keys

KEPT = timedelta(days=1)
_PRESSES = UUID("6e3c3f4e-6d0b-4f0e-9b55-5f2f0a9d8f11")
# Sets what is there already, so that the row is returned in either case.
_USE = text("""
    INSERT INTO program_key AS known (token_id, key, body_digest, created_at)
    VALUES (:token_id, :key, :digest, :at)
    ON CONFLICT (token_id, key) DO UPDATE SET key = known.key
    RETURNING body_digest
""")


class KeyReused(Exception):
    """The key was used for a request with another body."""


def use_key(token: ProgramToken, key: UUID, body: Mapping[str, Any]) -> UUID:
    """Record that a program uses a key for a body; returns what tells this request from all others.

    It is the same when the request is sent again, for good. Raises KeyReused, for KEPT.
    """
    content = json.dumps(body, sort_keys=True, default=str).encode()
    digests = [hmac.digest(secret.encode(), content, "sha256") for secret in secret_keys()]
    facts = {"token_id": token.id, "key": key, "digest": digests[0], "at": now()}
    row = execute_autocommit(_USE, facts)
    if bytes(row.body_digest) not in digests:
        raise KeyReused
    # Not the token's id: after a restore from backup another program may have it.
    return uuid5(_PRESSES, f"{token.digest.hex()}/{key}")


def forget_keys() -> None:
    """Delete the keys that are older than KEPT."""
    with transaction() as session:
        session.execute(delete(ProgramKey).where(ProgramKey.created_at < now() - KEPT))

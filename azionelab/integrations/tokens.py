"""Tokens of the theatre's own programs: issue, find, revoke. Shown once, stored as a digest."""

import secrets
from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import select, text

from azionelab.database import db, execute_autocommit, now, transaction
from azionelab.integrations.models import ProgramToken
from azionelab.staff.tokens import digest

MAX_DAYS = 366
_PREFIX = "azl_"  # so that scanners for leaked secrets know one
_SEEN_EVERY = timedelta(minutes=10)
_NOTE_USE = text("UPDATE program_token SET last_used_at = :at WHERE id = :id RETURNING id")


class Scope(StrEnum):
    """What a program may read or change. None includes another one."""

    SEASON = "season:read"
    CHANGE_SEASON = "season:write"
    RESERVATIONS = "reservations:read"
    CHANGE_RESERVATIONS = "reservations:write"
    EXPORTS = "exports"


def issue_program_token(
    label: str, scopes: Collection[Scope], days: int, created_by: int | None
) -> tuple[ProgramToken, str]:
    """Issue a token valid for `days`; returns it with its text, which is not stored."""
    token_text = _PREFIX + secrets.token_urlsafe(32)
    with transaction() as session:
        token = ProgramToken(
            label=label,
            scopes=sorted(scopes),
            digest=digest(token_text),
            created_at=now(),
            created_by=created_by,
            expires_at=now() + timedelta(days=days),
        )
        session.add(token)
        return token, token_text


def find_valid_token(token_text: str) -> ProgramToken | None:
    """The token with this text, unless it is expired or revoked. Notes that it was used."""
    token = db.session.scalar(
        select(ProgramToken).where(
            ProgramToken.digest == digest(token_text),
            ProgramToken.revoked_at.is_(None),
            ProgramToken.expires_at > now(),
        )
    )
    if token is not None and (
        token.last_used_at is None or token.last_used_at < now() - _SEEN_EVERY
    ):
        execute_autocommit(_NOTE_USE, {"at": now(), "id": token.id})
    return token


def revoke_program_token(token_id: int) -> bool:
    """Revoke a token; False when it was revoked before or does not exist."""
    with transaction() as session:
        token = session.get(ProgramToken, token_id, with_for_update=True, populate_existing=True)
        if token is None or token.revoked_at is not None:
            return False
        token.revoked_at = now()
        return True

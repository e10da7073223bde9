"""Tokens for devices at the door: shown once, kept as a digest, told apart by their label."""

import hashlib
import secrets
from datetime import timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from azionelab.database import now, transaction, violated_constraint
from azionelab.extensions import db
from azionelab.staff.models import ApiToken
from azionelab.tokens import Purpose, make_token

MAX_TOKEN_HOURS = 72  # a long weekend


class Scope(StrEnum):
    """What a token opens: the door and all that is done there, or scans alone (checkin/rights.py)."""

    DOOR = "door"
    SCAN = "scan"


class TokenUnknown(Exception):
    """No token has this number."""


def issue_token(
    label: str,
    scope: Scope,
    hours: float,
    performance_id: int | None = None,
    press: UUID | None = None,
    *,
    text: str | None = None,
    place: tuple[int, int] | None = None,
) -> tuple[ApiToken, str]:
    """Make a token that lives for `hours`, and return it with its text, which is kept nowhere.

    With a `performance_id` it opens nothing but that performance. `place` is a place of an invitation, and its
    number: with one that is taken it raises IntegrityError (uq_api_token_invitation), and so does the label of another device
    of the performance (uq_api_token_label). The same `press` of a button, sent
    again for want of an answer, gives the token that it made, and so does the same `text`, which nobody can guess.
    """
    text = text or (_text_of(press, label, scope, hours) if press else secrets.token_urlsafe(32))
    created = now()
    token = ApiToken(
        label=label,
        scope=scope,
        digest=digest(text),
        created_at=created,
        expires_at=created + timedelta(hours=hours),
        performance_id=performance_id,
    )
    if place is not None:
        token.invitation, token.invitation_place = place
    try:
        with transaction() as session:
            session.add(token)
            return token, text
    except IntegrityError as error:
        if violated_constraint(error) != "uq_api_token_digest":
            raise
        return db.session.scalars(_of_text(text)).one(), text


def find_token(text: str) -> ApiToken | None:
    """The token of this text, whether or not it is good."""
    return db.session.scalars(_of_text(text)).one_or_none()


def _of_text(text: str) -> Select[ApiToken]:
    return select(ApiToken).where(ApiToken.digest == digest(text))


def _text_of(press: UUID, label: str, scope: Scope, hours: float) -> str:
    # Who goes back and types something else means another token.
    return make_token(Purpose.DOOR_KEY, uuid5(press, f"{scope}/{hours}/{label}"))


def revoke_token(token_id: int) -> ApiToken:
    """Make a token open nothing from now on; revoking again changes nothing. TokenUnknown."""
    with transaction() as session:
        token = session.get(ApiToken, token_id, with_for_update=True, populate_existing=True)
        if token is None:
            raise TokenUnknown
        token.revoked_at = token.revoked_at or now()
        return token


def digest(text: str) -> bytes:
    """What is kept of a token's text."""
    # A fast hash is right here: nobody guesses 256 random bits.
    return hashlib.sha256(text.encode()).digest()

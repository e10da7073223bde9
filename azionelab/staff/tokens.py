"""API tokens for devices at the door: shown once, stored as a digest, named by a label."""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.exc import IntegrityError

from azionelab.database import db, now, transaction, violated_constraint
from azionelab.staff.models import ApiToken
from azionelab.tokens import Purpose, make_token

MAX_TOKEN_HOURS = 72  # a long weekend


class Scope(StrEnum):
    """What a token allows: everything at the door, or scans only (checkin/devices/rights.py)."""

    DOOR = "door"
    SCAN = "scan"


class Origin(NamedTuple):
    """The invitation that a phone joined by, and the `place` (a number from 1) that it took in it.

    `serves_until` and `first_id` belong to a phone for several performances (models.ApiToken).
    """

    invitation: int
    place: int
    serves_until: datetime | None = None
    first_id: int | None = None


class TokenUnknown(Exception):
    """No token has this id."""


def issue_token(
    label: str,
    scope: Scope,
    hours: float,
    performance_id: int | None = None,
    press: UUID | None = None,
    *,
    text: str | None = None,
    origin: Origin | None = None,
) -> tuple[ApiToken, str]:
    """Issue a token valid for `hours`; returns it with its text, which is not stored.

    With a `performance_id` it opens only that performance. Raises IntegrityError when the place of `origin` is
    taken (uq_api_token_invitation) or another device of the performance has the label (uq_api_token_label).
    Idempotent for the same `press` (a form's id) and for the same `text`: returns the token issued before.
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
    if origin is not None:
        token.invitation, token.invitation_place = origin.invitation, origin.place
        token.serves_until, token.origin_id = origin.serves_until, origin.first_id
    try:
        with transaction() as session:
            session.add(token)
            return token, text
    except IntegrityError as error:
        if violated_constraint(error) != "uq_api_token_digest":
            raise
        return db.session.scalars(_of_text(text)).one(), text


def find_token(text: str) -> ApiToken | None:
    """The token with this text, even if it is expired or revoked."""
    return db.session.scalars(_of_text(text)).one_or_none()


def _of_text(text: str) -> Select[ApiToken]:
    return select(ApiToken).where(ApiToken.digest == digest(text))


def _text_of(press: UUID, label: str, scope: Scope, hours: float) -> str:
    # The form sent again with other values makes another token.
    return make_token(Purpose.DOOR_KEY, uuid5(press, f"{scope}/{hours}/{label}"))


def revoke_token(token_id: int) -> ApiToken:
    """Revoke a token; idempotent. Raises TokenUnknown.

    All tokens of a phone for several performances are revoked: it is the phone that is lost.
    """
    with transaction() as session:
        found = session.get(ApiToken, token_id)
        if found is None:
            raise TokenUnknown
        # Lock the first token first: one that is being made from it waits, or is in the query below.
        first = found.origin_id or token_id
        session.get(ApiToken, first, with_for_update=True)
        of_phone = (
            select(ApiToken)
            .where(_of_phone(first))
            .order_by(ApiToken.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        tokens = {token.id: token for token in session.scalars(of_phone)}
        for token in tokens.values():
            token.revoked_at = token.revoked_at or now()
        if token_id not in tokens:
            raise TokenUnknown
        return tokens[token_id]


def phone_serves_until(first_id: int) -> datetime | None:
    """Until when the phone with this first token may open doors by itself; None if it may not or is revoked."""
    until, revoked = db.session.execute(
        select(
            func.max(ApiToken.serves_until), func.bool_or(ApiToken.revoked_at.is_not(None))
        ).where(_of_phone(first_id))
    ).one()
    return None if revoked else until


def _of_phone(first_id: int) -> ColumnElement[bool]:
    return or_(ApiToken.id == first_id, ApiToken.origin_id == first_id)


def digest(text: str) -> bytes:
    """The digest stored of a token's text."""
    # A fast hash is enough: 256 random bits cannot be guessed.
    return hashlib.sha256(text.encode()).digest()

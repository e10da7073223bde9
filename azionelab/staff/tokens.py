"""Tokens for devices at the door: shown once, kept as a digest, told apart by their label."""

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
    """What a token opens: the door and all that is done there, or scans alone (checkin/devices/rights.py)."""

    DOOR = "door"
    SCAN = "scan"


class Origin(NamedTuple):
    """How a phone came to a token: by a `place` of an invitation, and which number of its places it is.

    `serves_until` and `first_id` are of a phone for several evenings (models.ApiToken).
    """

    invitation: int
    place: int
    serves_until: datetime | None = None
    first_id: int | None = None


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
    origin: Origin | None = None,
) -> tuple[ApiToken, str]:
    """Make a token that lives for `hours`, and return it with its text, which is kept nowhere.

    With a `performance_id` it opens nothing but that performance. With an `origin` whose place is taken it raises
    IntegrityError (uq_api_token_invitation), and so does the label of another device of the performance
    (uq_api_token_label). The same `press` of a button, sent again for want of an answer, gives the token that
    it made, and so does the same `text`, which nobody can guess.
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
    """The token of this text, whether or not it is good."""
    return db.session.scalars(_of_text(text)).one_or_none()


def _of_text(text: str) -> Select[ApiToken]:
    return select(ApiToken).where(ApiToken.digest == digest(text))


def _text_of(press: UUID, label: str, scope: Scope, hours: float) -> str:
    # Who goes back and types something else means another token.
    return make_token(Purpose.DOOR_KEY, uuid5(press, f"{scope}/{hours}/{label}"))


def revoke_token(token_id: int) -> ApiToken:
    """Make a token open nothing from now on; revoking again changes nothing. TokenUnknown.

    Of a phone for several evenings all tokens are revoked: it is the phone that is lost, or unknown.
    """
    with transaction() as session:
        found = session.get(ApiToken, token_id)
        if found is None:
            raise TokenUnknown
        # Its first one before all others: a token that is made of it meanwhile waits, or is among them.
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
    """Until when the phone of this first token may open doors by itself; None when it may not, or was revoked."""
    until, revoked = db.session.execute(
        select(
            func.max(ApiToken.serves_until), func.bool_or(ApiToken.revoked_at.is_not(None))
        ).where(_of_phone(first_id))
    ).one()
    return None if revoked else until


def _of_phone(first_id: int) -> ColumnElement[bool]:
    return or_(ApiToken.id == first_id, ApiToken.origin_id == first_id)


def digest(text: str) -> bytes:
    """What is kept of a token's text."""
    # A fast hash is right here: nobody guesses 256 random bits.
    return hashlib.sha256(text.encode()).digest()

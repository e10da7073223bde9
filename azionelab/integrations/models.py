"""The theatre's own programs: their tokens and keys, their webhooks and what was sent to them."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    String,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from azionelab.database import Base, UserText


class ProgramToken(Base):
    """A token for the API for staff; only its digest is stored. (Tokens for the door: staff/models.py.)

    `last_used_at` is accurate to about ten minutes.
    """

    __tablename__ = "program_token"
    __table_args__ = (
        UniqueConstraint("digest"),
        CheckConstraint("label <> ''", name="label_given"),
        CheckConstraint("cardinality(scopes) > 0", name="scopes_given"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[UserText]  # "The theatre's site"
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String))
    digest: Mapped[bytes]  # SHA-256 of the token, which has 256 random bits
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL")
    )
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]

    def __str__(self) -> str:
        return self.label


class ProgramKey(Base):
    """An Idempotency-Key that a program used, and for which body. A day later it is forgotten."""

    __tablename__ = "program_key"

    token_id: Mapped[int] = mapped_column(
        ForeignKey("program_token.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[UUID] = mapped_column(primary_key=True)
    body_digest: Mapped[
        bytes
    ]  # HMAC-SHA-256: a plain digest of a name and an address can be guessed
    created_at: Mapped[datetime]


class Webhook(Base):
    """An address of a program that is told of changes. Its secret is derived, not stored (webhooks/signing.py).

    `key` names the secret; another key is another secret.
    """

    __tablename__ = "webhook"
    __table_args__ = (CheckConstraint("cardinality(events) > 0", name="events_given"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(ARRAY(String))
    key: Mapped[UUID] = mapped_column(default=uuid4)
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL")
    )

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(Base):
    """One event for one webhook. A trigger on `reservation` writes it (migration 0039).

    `payload` has no personal data. `message_id` is the same in each attempt. `next_try_at` is None once it is
    delivered or given up.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index(
            "ix_webhook_delivery_due",
            "webhook_id",
            "next_try_at",
            postgresql_where=text("next_try_at IS NOT NULL"),
        ),
        Index("ix_webhook_delivery_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    message_id: Mapped[UUID]
    event: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_try_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(default="", server_default="")
    webhook: Mapped[Webhook] = relationship()

"""AudienceMessage: a message that staff write to the audience of some performances."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base


class Whom(StrEnum):
    """Which parties of a performance a message is for."""

    BOOKED = "booked"  # confirmed and not confirmed yet
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    CAME = "came"
    ABSENT = "absent"  # confirmed, the curtain has risen, and nobody of the party is in


class MessageState(StrEnum):
    """Where a message is. One that is sending and has `written_at` is done once its mails have left."""

    DRAFT = "draft"
    SENDING = "sending"
    PAUSED = "paused"
    STOPPED = "stopped"


class AudienceMessage(Base):
    """A message with its text in one or several languages, and the mails that a job writes for it.

    `texts` has a subject and a body by language: `{"it": {"subject": "...", "body": "..."}}`. Each recipient
    has one mail, which refers to the message (`Mail.message_id`). `version` counts the edits of the draft.
    `recipients` were counted when sending was asked for. The job writes the first mail after `starts_at`.
    """

    __tablename__ = "audience_message"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'sending', 'paused', 'stopped')", name="state"),
        CheckConstraint(
            "whom IN ('booked', 'confirmed', 'unconfirmed', 'came', 'absent')", name="whom"
        ),
        Index("ix_audience_message_created_at", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    texts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    whom: Mapped[str]
    performance_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    state: Mapped[str] = mapped_column(default=MessageState.DRAFT)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL")
    )
    recipients: Mapped[int | None]
    starts_at: Mapped[datetime | None]
    written_at: Mapped[datetime | None]  # when the last mail was written
    stopped_at: Mapped[datetime | None]

    @property
    def is_draft(self) -> bool:
        """Whether it can still be changed."""
        return self.state == MessageState.DRAFT

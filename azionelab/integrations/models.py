"""Tokens of the theatre's own programs."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

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

"""SeasonImport: a long file of the season that the worker tries and saves."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base


class ImportState(StrEnum):
    """Where an import is. STOPPED and FAILED have saved nothing."""

    TRYING = "trying"
    TRIED = "tried"
    SAVING = "saving"
    SAVED = "saved"
    STOPPED = "stopped"
    FAILED = "failed"


class SeasonImport(Base):
    """A file with its progress: `done` of `total` lines while it is tried, of evenings while they are saved.

    `digest` is that of the plan that was tried, `findings` what the page says of it (`describe_plan`).
    """

    __tablename__ = "season_import"
    __table_args__ = (
        CheckConstraint(
            "state IN ('trying', 'tried', 'saving', 'saved', 'stopped', 'failed')", name="state"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    content: Mapped[str]
    state: Mapped[str] = mapped_column(default=ImportState.TRYING)
    done: Mapped[int] = mapped_column(default=0, server_default="0")
    total: Mapped[int] = mapped_column(default=0, server_default="0")
    digest: Mapped[str] = mapped_column(default="", server_default="")
    findings: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL")
    )

"""ExportFile: a long list as a file, made by the worker for whoever asked. ExportChunk: a piece of its content."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base, UserText


class FileStatus(StrEnum):
    """Where a file is."""

    WAITING = "waiting"
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = (FileStatus.WAITING, FileStatus.MAKING)


class ExportFile(Base):
    """A file of a list, as an account filtered and sorted it.

    `endpoint` names the list's view, `asked` its query parameters, and `search` what was searched for. `total` are
    the list's rows when the file was asked for, `done` those that are written.
    """

    __tablename__ = "export_file"
    __table_args__ = (
        CheckConstraint(
            "status IN ('waiting', 'making', 'ready', 'failed', 'cancelled')", name="status"
        ),
        Index("ix_export_file_account_id", "account_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    endpoint: Mapped[str]
    asked: Mapped[dict[str, Any]] = mapped_column(JSONB)
    search: Mapped[UserText]
    name: Mapped[str]  # of the file
    status: Mapped[str] = mapped_column(default=FileStatus.WAITING)
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    @property
    def is_unfinished(self) -> bool:
        """Whether it waits, or is being made."""
        return self.status in UNFINISHED


class ExportChunk(Base):
    """A piece of a file's content; they are numbered from 0."""

    __tablename__ = "export_chunk"

    file_id: Mapped[UUID] = mapped_column(
        ForeignKey("export_file.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)

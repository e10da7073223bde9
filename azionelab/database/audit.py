"""The log of changes: a table that triggers write and the application's role can only read (migration 0036)."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base, transaction


class ActorKind(StrEnum):
    """Who made a change."""

    VISITOR = "visitor"  # nobody who is known
    STAFF = "staff"  # an account
    DOOR = "door"  # a device at the door: `token_id` is an ApiToken's
    API = "api"  # another program: `token_id` is a ProgramToken's
    SYSTEM = "system"  # the worker, a command, or psql: `source` names it


# In the info of a table that the application may only read.
WRITTEN_BY_TRIGGERS = "written_by_triggers"


class AuditEntry(Base):
    """One change of one object.

    `changes` maps a field to its old and new value; both are None where no value is kept: of a secret, or when the
    person was erased. `object_type` is the table's name. `label` names the object even when it is gone, without
    naming a person. `address` is the network address of staff, phones and programs; it is erased after
    RETENTION_DAYS.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        CheckConstraint("actor IN ('visitor', 'staff', 'door', 'api', 'system')", name="actor"),
        CheckConstraint("action IN ('created', 'changed', 'deleted')", name="action"),
        Index("ix_audit_entry_object", "object_type", "object_id", "id"),
        Index("ix_audit_entry_at", "at"),
        Index(
            "ix_audit_entry_account",
            "account_id",
            "id",
            postgresql_where=text("account_id IS NOT NULL"),
        ),
        Index(
            "ix_audit_entry_performance",
            "performance_id",
            "id",
            postgresql_where=text("performance_id IS NOT NULL"),
        ),
        Index("ix_audit_entry_deleted", "id", postgresql_where=text("action = 'deleted'")),
        Index("ix_audit_entry_address", "at", postgresql_where=text("address <> ''")),
        {"info": {WRITTEN_BY_TRIGGERS: True}},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    actor: Mapped[str]
    account_id: Mapped[int | None]
    token_id: Mapped[int | None]
    source: Mapped[str]
    address: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[str]
    label: Mapped[str]
    performance_id: Mapped[int | None]
    action: Mapped[str]
    changes: Mapped[dict[str, tuple[Any, Any]]] = mapped_column(JSONB)


def forget_addresses(before: datetime) -> int:
    """Erase the network addresses of entries before a moment, a day ago at the latest; of how many."""
    with transaction() as session:
        return int(session.scalar(func.forget_audit_addresses(before)) or 0)

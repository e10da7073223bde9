"""Tables of the box office: performances that parties left, and what a change can be set back to."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base


class PartyMove(Base):
    """A performance that a party left, and when it last did.

    The party may have come back to it: then `reservation.performance_id` is the same.
    """

    __tablename__ = "reservation_move"
    __table_args__ = (Index("ix_reservation_move_performance_id", "performance_id"),)

    reservation_id: Mapped[UUID] = mapped_column(
        ForeignKey("reservation.id", ondelete="CASCADE"), primary_key=True
    )
    performance_id: Mapped[int] = mapped_column(
        ForeignKey("performance.id", ondelete="CASCADE"), primary_key=True
    )
    moved_at: Mapped[datetime]


class UndoOffer(Base):
    """What a change by staff of `kind` can be set back to (undoing.py). It is deleted with the visitor's name.

    `made_in` is the transaction that changed the reservation: as long as `changed_in` is the same, nothing has
    changed since.
    """

    __tablename__ = "undo_offer"
    __table_args__ = (
        Index("ix_undo_offer_reservation_id", "reservation_id"),
        Index("ix_undo_offer_other_id", "other_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    reservation_id: Mapped[UUID] = mapped_column(ForeignKey("reservation.id", ondelete="CASCADE"))
    # The reservation that was split off or merged.
    other_id: Mapped[UUID | None] = mapped_column(ForeignKey("reservation.id", ondelete="CASCADE"))
    kind: Mapped[str]
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    made_at: Mapped[datetime]
    made_in: Mapped[int] = mapped_column(
        BigInteger, server_default=text("pg_current_xact_id()::text::bigint")
    )

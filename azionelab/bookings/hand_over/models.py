"""HandOver: a booking that a visitor offers to a friend."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from azionelab.bookings.models import Reservation
from azionelab.database import Base, UserText

LASTS = timedelta(hours=48)  # until the curtain at most


class HandOver(Base):
    """An offer of a booking to a friend. Its link is signed and not stored.

    A booking has one that has not ended. The friend's name and address are here until it ends: accepted, refused, taken
    back or lapsed. A trigger ends it when the booking's own name is erased (migration hand_over).
    """

    __tablename__ = "hand_over"
    __table_args__ = (
        CheckConstraint(
            "(ended_at IS NULL) = (name <> '' AND email <> '')", name="friend_while_open"
        ),
        Index("ix_hand_over_reservation_id", "reservation_id"),
        Index(
            "ix_hand_over_accepted_as",
            "accepted_as",
            postgresql_where=text("accepted_as IS NOT NULL"),
        ),
        Index(
            "uq_hand_over_open",
            "reservation_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    reservation_id: Mapped[UUID] = mapped_column(ForeignKey("reservation.id", ondelete="CASCADE"))
    name: Mapped[UserText]
    email: Mapped[str]
    locale: Mapped[str]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    # The friend's booking, once it was accepted.
    accepted_as: Mapped[UUID | None] = mapped_column(
        ForeignKey("reservation.id", ondelete="SET NULL")
    )
    reservation: Mapped[Reservation] = relationship(foreign_keys=[reservation_id])

    @property
    def lapses_at(self) -> datetime:
        """Until when it can be accepted."""
        return min(self.created_at + LASTS, self.reservation.performance.starts_at)

    def is_open(self, at: datetime) -> bool:
        """Whether it waits for the friend's answer."""
        return self.ended_at is None and at < self.lapses_at

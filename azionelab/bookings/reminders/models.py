"""ComingAnswer: a party has said that it is coming. Unsubscribed: it wants no more reminders and messages."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base


class ComingAnswer(Base):
    """A party's "we are coming" to one curtain. Of a performance at another time, or another one, it says nothing."""

    __tablename__ = "coming_answer"

    reservation_id: Mapped[UUID] = mapped_column(
        ForeignKey("reservation.id", ondelete="CASCADE"), primary_key=True
    )
    curtain: Mapped[datetime] = mapped_column(primary_key=True)
    answered_at: Mapped[datetime]


class Unsubscribed(Base):
    """A booking whose visitor wants no more reminders and messages to the audience about it."""

    __tablename__ = "unsubscribed"

    reservation_id: Mapped[UUID] = mapped_column(
        ForeignKey("reservation.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime]

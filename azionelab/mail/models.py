"""Mail: a message about a booking and the state of its delivery."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from azionelab.database import Base


class MailKind(StrEnum):
    """What a mail is about."""

    CONFIRM = "confirm"  # you reserved: press here to confirm
    EXISTING = "existing"  # you booked again: here is the booking you have
    TICKET = "ticket"  # confirmed: here is your QR
    CHANGED = "changed"  # other seats, another performance...: your ticket still holds
    CANCELLED = "cancelled"  # you cancelled
    PERFORMANCE_CANCELLED = "performance_cancelled"  # we cancelled
    MOVED = "moved"  # we changed the performance's time or place
    MESSAGE = "message"  # staff wrote to the audience
    WAITLIST = "waitlist"  # you want to wait for seats: press here to take your place in line
    OFFER = "offer"  # seats came free: press here to have them
    REMINDER = "reminder"  # the curtain is near: are you coming?
    QUESTION = "question"  # the same, to whoever never answered: else the seats go to others
    LAPSED = "lapsed"  # nobody answered the offer: its seats went to the next in line
    NEAR = "near"  # on the day, to those on the waitlist: are you near?
    MY_BOOKINGS = "my_bookings"  # you asked for it: a link to all of your bookings
    HAND_OVER = "hand_over"  # to a friend of the visitor's: these seats are for you


class Delivery(StrEnum):
    """Where a message is."""

    QUEUED = "queued"
    SENT = "sent"
    # No mail server is set (development; its link is in the log), the address is one that nobody can
    # have or was erased on request, or a newer mail says the same (`bookings.mails.superseded`).
    NOT_SENT = "not_sent"
    FAILED = "failed"  # given up: refused for good, or tried for too long; staff may resend


class Mail(Base):
    """A message without its text, which is made from the reservation when it is sent.

    The address and the tokens are therefore stored nowhere else. The Message-IDs derive from `id`
    (`mail.message.message_id`).
    """

    __tablename__ = "mail"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('confirm', 'existing', 'ticket', 'changed', 'cancelled',"
            " 'performance_cancelled', 'moved', 'message', 'waitlist', 'offer', 'reminder', 'question',"
            " 'lapsed', 'near', 'my_bookings', 'hand_over')",
            name="kind",
        ),
        CheckConstraint("(kind = 'hand_over') = (hand_over_id IS NOT NULL)", name="hand_over"),
        Index(
            "ix_mail_hand_over_id",
            "hand_over_id",
            postgresql_where=text("hand_over_id IS NOT NULL"),
        ),
        CheckConstraint("(kind = 'message') = (message_id IS NOT NULL)", name="message"),
        # A message's job may run twice, and writes to nobody twice.
        Index(
            "uq_mail_message_reservation",
            "message_id",
            "reservation_id",
            unique=True,
            postgresql_where=text("message_id IS NOT NULL"),
        ),
        CheckConstraint(
            "(kind IN ('reminder', 'question', 'near')) = (curtain IS NOT NULL)"
            " AND (curtain IS NULL) = (hours_before IS NULL)",
            name="reminder",
        ),
        # A party gets each reminder of a curtain once, however often the job runs.
        Index(
            "uq_mail_reminder",
            "reservation_id",
            "kind",
            "curtain",
            "hours_before",
            unique=True,
            postgresql_where=text("curtain IS NOT NULL"),
        ),
        CheckConstraint("delivery IN ('queued', 'sent', 'not_sent', 'failed')", name="delivery"),
        Index("ix_mail_reservation_id", "reservation_id"),
        CheckConstraint(
            "refusal IN ('', 'recipient', 'provider', 'unclear', 'domain')", name="refusal"
        ),
        Index("ix_mail_sent_at", "sent_at"),
        Index("ix_mail_created_at", "created_at"),
        Index("ix_mail_failed", "created_at", postgresql_where=text("delivery = 'failed'")),
        Index("ix_mail_refused", "tried_at", postgresql_where=text("refusal <> ''")),
        Index("ix_mail_queued", "created_at", postgresql_where=text("delivery = 'queued'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    # Checked at the commit: a booking writes its mail before it takes the seats (docs/locking.md).
    reservation_id: Mapped[UUID] = mapped_column(
        ForeignKey("reservation.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED")
    )
    kind: Mapped[str]
    delivery: Mapped[str] = mapped_column(default=Delivery.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    last_error: Mapped[str] = mapped_column(default="", server_default="")  # nothing personal
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]  # the last try's end; None of mails that release 0.3 tried
    # Whose fault the last try's refusal was (`mail.replies.Fault`); "" when it was not refused.
    refusal: Mapped[str] = mapped_column(default="", server_default="")
    resent_at: Mapped[datetime | None]  # when somebody last asked for it to be sent once more
    # What staff changed, as `bookings.mails.changes.Changes` reads it; nothing personal.
    changed: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    # The message to an audience that this is the mail of, for one recipient.
    message_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("audience_message.id", ondelete="CASCADE")
    )
    # The offer that a friend is told of. The friend's address is there, until it ends.
    hand_over_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("hand_over.id", ondelete="CASCADE")
    )
    # Of a reminder, a question or NEAR: the curtain that it is about, and which reminder it is, or until when one can
    # answer.
    curtain: Mapped[datetime | None]
    hours_before: Mapped[int | None]
    # By the class's name: this part knows nothing of bookings, and reads nothing of it.
    reservation: Mapped[Any] = relationship("Reservation")
    message: Mapped[Any] = relationship("AudienceMessage")
    hand_over: Mapped[Any] = relationship("HandOver")

    @property
    def recipient(self) -> str:
        """The address that it is sent to; "" when that was erased."""
        return str(self.hand_over.email if self.hand_over_id else self.reservation.email)


class SentText(Base):
    """What a mail said when it was sent last, without the visitor's name and private links.

    A trigger deletes it when the name is erased.
    """

    __tablename__ = "mail_text"

    mail_id: Mapped[UUID] = mapped_column(
        ForeignKey("mail.id", ondelete="CASCADE"), primary_key=True
    )
    subject: Mapped[str]
    text: Mapped[str]

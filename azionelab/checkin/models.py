"""The tables of the scan log: Scan, Admission (people let in), Passage (people who went out or came back)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from azionelab.bookings.models import Reservation
from azionelab.database import Base, UserText
from azionelab.staff.models import ApiToken, User


class Scan(Base):
    """A scan at the door, whatever its verdict. The code is not stored, because it is a secret.

    `id` comes from the device, so that a scan sent twice is one row and counts once.

    `claimed` is how many people an offline device let through; None if the server decided. If it is more than
    `people`, those who could be counted, the scan is a conflict: somebody came in twice, or without a seat. An undo
    sets it to 0, and `claim_undone_at`.

    `walk_in` is true if no ticket was scanned; releases before 0.4 did not set it. `way` is a Way of
    azionelab.checkin.verdicts, except ANY.
    """

    __tablename__ = "scan"
    __table_args__ = (
        Index("ix_scan_performance_id", "performance_id", "scanned_at"),
        Index("ix_scan_reservation_id", "reservation_id"),
        Index("ix_scan_scanned_at", "scanned_at"),
        Index("ix_scan_token_id", "token_id", postgresql_where=text("token_id IS NOT NULL")),
        Index("ix_scan_user_id", "user_id", postgresql_where=text("user_id IS NOT NULL")),
        Index("ix_scan_door", "door"),
        Index("ix_scan_conflict", "performance_id", postgresql_where=text("claimed > people")),
        CheckConstraint("people >= 0", name="people"),
        CheckConstraint("claimed >= 0", name="claimed"),
        CheckConstraint("way IN ('in', 'out', 'again')", name="way"),
        CheckConstraint("user_id IS NULL OR token_id IS NULL", name="one_actor"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    performance_id: Mapped[int] = mapped_column(ForeignKey("performance.id", ondelete="RESTRICT"))
    reservation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("reservation.id", ondelete="RESTRICT")
    )
    verdict: Mapped[str]  # a VerdictKind of azionelab.checkin.verdicts, or one of its RECORDED
    people: Mapped[int]  # who went in or out by this scan
    way: Mapped[str] = mapped_column(default="in", server_default="in")
    walk_in: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    admitted_before: Mapped[int]  # people of the party at the time of the verdict
    claimed: Mapped[int | None]
    claim_undone_at: Mapped[datetime | None]
    scanned_at: Mapped[datetime]  # by the server's clock
    received_at: Mapped[datetime | None]  # later than scanned_at for offline scans
    door: Mapped[UserText]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    token_id: Mapped[int | None] = mapped_column(ForeignKey("api_token.id", ondelete="SET NULL"))
    reservation: Mapped[Reservation | None] = relationship()
    user: Mapped[User | None] = relationship()
    token: Mapped[ApiToken | None] = relationship()

    @property
    def by(self) -> str:
        """The actor for the back office: an account's name or e-mail address, or a device's label."""
        return str(self.user or self.token or "")

    @property
    def shown_by(self) -> str:
        """The actor for the door, without e-mail addresses: empty for an account without a name."""
        return self.user.name if self.user else str(self.token or "")

    @property
    def beyond(self) -> int:
        """How many of the claimed people could not be counted. More than 0 are a conflict.

        For a scan out, these people still count as in.
        """
        return max(0, (self.claimed or 0) - self.people)


class Admission(Base):
    """People of one party who were let in by one scan, unless undone."""

    __tablename__ = "admission"
    __table_args__ = (
        UniqueConstraint("scan_id"),
        Index("ix_admission_reservation_id", "reservation_id"),
        Index("ix_admission_admitted_at", "admitted_at"),
        CheckConstraint("people >= 1", name="people"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    scan_id: Mapped[UUID] = mapped_column(ForeignKey("scan.id", ondelete="RESTRICT"))
    reservation_id: Mapped[UUID] = mapped_column(ForeignKey("reservation.id", ondelete="RESTRICT"))
    people: Mapped[int]
    admitted_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[UserText] = mapped_column(default="", server_default="")
    scan: Mapped[Scan] = relationship()


class Passage(Base):
    """People of one party who went out by one scan, or came back if `people` is negative, unless undone.

    They stay admitted and keep their seats. For people without a ticket there is no reservation.
    """

    __tablename__ = "passage"
    __table_args__ = (
        UniqueConstraint("scan_id"),
        Index("ix_passage_reservation_id", "reservation_id"),
        CheckConstraint("people <> 0", name="people"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    scan_id: Mapped[UUID] = mapped_column(ForeignKey("scan.id", ondelete="RESTRICT"))
    reservation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("reservation.id", ondelete="RESTRICT")
    )
    people: Mapped[int]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[UserText] = mapped_column(default="", server_default="")

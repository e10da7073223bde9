"""Alerts: what has been wrong since when, and the mails about it that wait."""

from datetime import datetime

from sqlalchemy import BigInteger, Identity, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base


class Alert(Base):
    """A part of the site (status/lines.py, `About`). It is wrong since `began_at`; NULL: it is well.

    `told_at` is when somebody was last told that it is wrong, in this or an earlier time.
    """

    __tablename__ = "alert"

    about: Mapped[str] = mapped_column(primary_key=True)
    began_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    # What of it was told: the jobs, the sales.
    items: Mapped[list[str]] = mapped_column(ARRAY(String), default=list, server_default="{}")


class AlertMail(Base):
    """A mail about alerts. It waits until `next_try_at`; NULL: it was sent, or given up."""

    __tablename__ = "alert_mail"
    __table_args__ = (
        Index(
            "ix_alert_mail_next_try_at",
            "next_try_at",
            postgresql_where=text("next_try_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    subject: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime]
    next_try_at: Mapped[datetime | None]

"""Reports of the backup container: which task ran, when, and whether it succeeded.

docker/backup writes the rows; the application only reads them.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, func, select
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base, db


class Task(StrEnum):
    """The tasks of the backup container."""

    BACKUP = "backup"  # dumps the database and the media into one folder, with checksums
    VERIFY = "verify"  # restores the newest backup into a scratch database and checks it
    SHIP = "ship"  # copies encrypted backups to another place


class BackupReport(Base):
    """One run of one task. `size` is in bytes, 0 if nothing was written; `remark` is for people."""

    __tablename__ = "backup_report"
    __table_args__ = (
        CheckConstraint("task IN ('backup', 'verify', 'ship')", name="task"),
        Index("ix_backup_report_task_ended_at", "task", "ended_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    task: Mapped[str]
    well: Mapped[bool]
    ended_at: Mapped[datetime] = mapped_column(server_default=func.now())
    size: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    remark: Mapped[str] = mapped_column(default="", server_default="")


def last_backup() -> tuple[bool, datetime | None]:
    """Whether a backup was ever reported, and when one last succeeded.

    Where nothing reports (a database with backups of its own, a developer's machine) nobody here knows.
    """
    found = db.session.execute(
        select(
            func.count(BackupReport.id), func.max(BackupReport.ended_at).filter(BackupReport.well)
        ).where(BackupReport.task == Task.BACKUP)
    ).one()
    return found[0] > 0, found[1]

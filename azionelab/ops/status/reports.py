"""What was found out about the site by somebody else than who shows it: a job, `flask watch`, the backup container."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base, transaction


class Part(StrEnum):
    """What is reported. docker/backup writes those of the disks."""

    CERTIFICATE = "certificate"
    WATCH = "watch"
    DOCTOR = "doctor"
    BACKUPS_DISK = "disk-backups"
    DATABASE_DISK = "disk-database"


class StatusReport(Base):
    """The newest report of a part. `facts` are its own."""

    __tablename__ = "status_report"

    part: Mapped[str] = mapped_column(primary_key=True)
    reported_at: Mapped[datetime] = mapped_column(server_default=func.now())
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)


@dataclass(frozen=True)
class Report:
    """A report as it was read."""

    reported_at: datetime
    facts: Mapping[str, Any]


def report(part: Part, facts: Mapping[str, Any]) -> None:
    """Replace the report of a part. One transaction."""
    with transaction() as session:
        row = upsert(StatusReport).values(part=part, facts=dict(facts))
        session.execute(
            row.on_conflict_do_update(
                index_elements=[StatusReport.part],
                set_={"facts": row.excluded.facts, "reported_at": func.now()},
            )
        )


def read_reports(connection: Connection) -> Mapping[str, Report]:
    """All reports by their part."""
    rows = connection.execute(
        select(StatusReport.part, StatusReport.reported_at, StatusReport.facts)
    )
    return {row.part: Report(row.reported_at, row.facts) for row in rows}

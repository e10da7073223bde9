"""Reports how much room the disks have, for the status page and its alerts."""

import json
import shutil
from pathlib import Path

import psycopg

from azionelab_backup.postgres import Database

# Where compose.yml mounts PostgreSQL's volume: nothing in it can be read, but its file system can be measured.
DATABASE_VOLUME = Path("/database")


def report_disks(database: Database, backups: Path, volume: Path = DATABASE_VOLUME) -> None:
    """Write the room on the backups' disk, and on the database's where its volume is mounted.

    Raises OSError and psycopg.Error. A schema without the table (an earlier release's) gets no report.
    """
    places = {"disk-backups": backups, "disk-database": volume}
    found = {part: shutil.disk_usage(path) for part, path in places.items() if path.is_dir()}
    with database.connect() as connection:
        connection.execute("SET lock_timeout = '5s'")
        for part, space in found.items():
            facts = json.dumps({"free": space.free, "total": space.total})
            try:
                connection.execute(
                    "INSERT INTO status_report (part, facts) VALUES (%s, %s)"
                    " ON CONFLICT (part) DO UPDATE SET facts = excluded.facts, reported_at = now()",
                    (part, facts),
                )
            except psycopg.errors.UndefinedTable:
                return

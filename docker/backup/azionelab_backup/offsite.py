"""Off-site copies in a restic repository: encrypted locally, one snapshot per backup."""

import json
import os
from pathlib import Path

from azionelab_backup import BackupError
from azionelab_backup.postgres import run
from azionelab_backup.settings import Settings
from azionelab_backup.store import Backup, Store

_HOST = "azionelab"  # the container's own name changes with each container
_NO_REPOSITORY = "unable to open config file"


class OffsiteRepository:
    """The repository of RESTIC_REPOSITORY; raises BackupError when that is not set."""

    def __init__(self, settings: Settings) -> None:
        if settings.restic is None:
            raise BackupError("RESTIC_REPOSITORY is not set: backups are not carried elsewhere")
        self._settings = settings
        self._environment = settings.restic | {"PATH": os.environ.get("PATH", os.defpath)}

    def ship(self, backup: Backup, local: list[Backup]) -> None:
        """Copy a backup to the repository, which is created if needed, and prune old snapshots.

        Keeps the snapshots of all backups in `local`.
        """
        self._prepare()
        self._restic(
            ["backup", "--host", _HOST, "--tag", backup.name, backup.name], backup.folder.parent
        )
        settings = self._settings
        keep = {
            "last": 1,
            "daily": settings.keep_days,
            "weekly": settings.keep_weeks,
            "monthly": settings.keep_months,
        }
        options = [f"--keep-{period}={count}" for period, count in keep.items() if count]
        options += [f"--keep-tag={kept.name}" for kept in local]
        self._restic(["forget", "--host", _HOST, "--group-by", "host", "--prune", *options])

    def names(self) -> list[str]:
        """The names of the backups in the repository, the newest last."""
        snapshots = json.loads(self._restic(["snapshots", "--host", _HOST, "--json"]))
        return sorted(tag for snapshot in snapshots for tag in snapshot.get("tags") or [])

    def fetch(self, name: str | None, store: Store) -> Backup:
        """Copy a backup, by default the newest, into the local store; raises BackupError if it is damaged."""
        names = self.names()
        if not names or (name and name not in names):
            raise BackupError(f"there is no backup {name or ''} elsewhere".replace("  ", " "))
        wanted = name or names[-1]
        with store.locked(), store.unfinished() as folder:
            self._restic(
                ["restore", "latest", "--host", _HOST, "--tag", wanted, "--target", str(folder)]
            )
            return store.adopt(folder / wanted)

    def _prepare(self) -> None:
        try:
            self._restic(["cat", "config"])
        except BackupError as error:
            if _NO_REPOSITORY not in str(error):
                raise
            self._restic(["init"])
        self._restic(["unlock"])  # removes the locks of killed runs only

    def _restic(self, arguments: list[str], folder: Path | None = None) -> str:
        # --no-cache: the root file system is read-only.
        return run(["restic", "--no-cache", "--quiet", *arguments], self._environment, cwd=folder)

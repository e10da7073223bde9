"""Backups carried elsewhere by restic: encrypted before they leave, one snapshot for each."""

import json
import os
from pathlib import Path

from azionelab_backup import Refused
from azionelab_backup.postgres import run
from azionelab_backup.settings import Settings
from azionelab_backup.store import Backup, Store

_HOST = "azionelab"  # the container's own name changes with each container
_NO_REPOSITORY = "unable to open config file"


class Elsewhere:
    """The repository that RESTIC_REPOSITORY names; raises Refused when it names none."""

    def __init__(self, settings: Settings) -> None:
        if settings.restic is None:
            raise Refused("RESTIC_REPOSITORY is not set: backups are not carried elsewhere")
        self._settings = settings
        self._environment = settings.restic | {"PATH": os.environ.get("PATH", os.defpath)}

    def ship(self, backup: Backup, here: list[Backup]) -> None:
        """Carry a backup there, making the repository first, and let go of what has served.

        What is still `here` is kept there too.
        """
        self._make()
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
        options += [f"--keep-tag={kept.name}" for kept in here]
        self._restic(["forget", "--host", _HOST, "--group-by", "host", "--prune", *options])

    def names(self) -> list[str]:
        """The backups there, the newest last."""
        snapshots = json.loads(self._restic(["snapshots", "--host", _HOST, "--json"]))
        return sorted(tag for snapshot in snapshots for tag in snapshot.get("tags") or [])

    def fetch(self, name: str | None, store: Store) -> Backup:
        """Bring a backup back, the newest without a name, and take it in when it is whole."""
        names = self.names()
        if not names or (name and name not in names):
            raise Refused(f"there is no backup {name or ''} elsewhere".replace("  ", " "))
        wanted = name or names[-1]
        with store.locked(), store.unfinished() as folder:
            self._restic(
                ["restore", "latest", "--host", _HOST, "--tag", wanted, "--target", str(folder)]
            )
            return store.adopt(folder / wanted)

    def _make(self) -> None:
        try:
            self._restic(["cat", "config"])
        except Refused as error:
            if _NO_REPOSITORY not in str(error):
                raise
            self._restic(["init"])
        self._restic(["unlock"])  # of runs that were killed; those that still live keep theirs

    def _restic(self, arguments: list[str], folder: Path | None = None) -> str:
        # The root file system is read-only: no cache, and whatever restic calls home is elsewhere.
        return run(["restic", "--no-cache", "--quiet", *arguments], self._environment, cwd=folder)

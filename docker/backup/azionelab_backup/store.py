"""The folder of backups. Each backup is a subfolder that exists completely or not at all.

    2026-11-23T030000Z/
        database.dump   pg_dump's custom format
        media.tar       uploaded files
        manifest.json   release, schema, time, the key's fingerprint, the number of rows of each table
        SHA256SUMS      of the three files; check with `sha256sum -c SHA256SUMS`

A backup is written under a hidden name and renamed when everything is flushed to disk.
"""

import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from azionelab_backup import BackupError

DUMP, MEDIA, _MANIFEST, _SUMS = "database.dump", "media.tar", "manifest.json", "SHA256SUMS"
_CONTENT = (DUMP, MEDIA, _MANIFEST)
_NAME = "%Y-%m-%dT%H%M%SZ"
_UNFINISHED = ".partial"
_LOCK = ".lock"
_FIRST_SCHEDULED = ".since"


@dataclass(frozen=True)
class Manifest:
    """A backup's metadata. `rows` is the number of rows by table, in the dump's snapshot."""

    version: str
    schema: str
    taken_at: str
    postgres: str
    rows: dict[str, int]
    # The fingerprint of SECRET_KEY; empty in backups of releases before 0.4.
    secret_key: str = ""


_MANIFEST_FIELDS = {field.name for field in fields(Manifest)}


@dataclass(frozen=True)
class Backup:
    """A complete backup."""

    folder: Path
    taken_at: datetime

    @property
    def name(self) -> str:
        """The time it was taken, in UTC, as commands take it."""
        return self.folder.name

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    def manifest(self) -> Manifest:
        """Read the metadata; raises BackupError when it cannot be read."""
        try:
            fields_read = json.loads((self.folder / _MANIFEST).read_text(encoding="utf-8"))
            # A later release may add fields.
            return Manifest(**{k: v for k, v in fields_read.items() if k in _MANIFEST_FIELDS})
        except PermissionError as error:
            raise self._unreadable() from error
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise BackupError(f"{self.name} is corrupt: {_MANIFEST} cannot be read") from error

    def check(self) -> None:
        """Verify the checksums of all files; raises BackupError."""
        try:
            lines = (self.folder / _SUMS).read_text(encoding="ascii").splitlines()
            expected = {line[66:]: line[:64] for line in lines}
            for name in _CONTENT:
                if _digest(self.folder / name) != expected.get(name):
                    raise BackupError(f"{self.name} is corrupt: {name} is not what was written")
        except PermissionError as error:
            raise self._unreadable() from error
        except (OSError, ValueError) as error:
            raise BackupError(f"{self.name} is corrupt: {type(error).__name__}") from error

    def _unreadable(self) -> BackupError:
        """The error for wrong file ownership, as after a copy by hand."""
        return BackupError(
            f"{self.name} cannot be read: its owner has to be {os.geteuid()} (chown -R)"
        )


class Store:
    """All backups in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def backups(self) -> list[Backup]:
        """All complete backups, the newest last."""
        found = []
        for path in self._folder.iterdir():
            try:
                taken_at = datetime.strptime(path.name, _NAME).replace(tzinfo=UTC)
            except ValueError:
                continue
            found.append(Backup(path, taken_at))
        return sorted(found, key=lambda backup: backup.taken_at)

    def get(self, name: str | None) -> Backup:
        """The backup with `name`, by default the newest; raises BackupError when there is none."""
        backups = {backup.name: backup for backup in self.backups()}
        if not backups:
            raise BackupError(f"there is no backup in {self._folder}")
        if name and name not in backups:
            raise BackupError(f"there is no backup {name}; `azionelab-backup list` shows them")
        return backups[name] if name else list(backups.values())[-1]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder against other runs; waits for a run that has the lock."""
        with (self._folder / _LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                notice = "another run is at work on these backups; waiting for its end"
                print(notice, file=sys.stderr, flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def unfinished(self) -> Iterator[Path]:
        """A temporary folder to write into, removed afterwards. Call it under the lock.

        Also removes the temporary folders of killed runs.
        """
        for left in self._folder.glob(f".*{_UNFINISHED}"):
            shutil.rmtree(left)
        folder = self._folder / f".{os.getpid()}{_UNFINISHED}"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def next_free_time(self) -> datetime:
        """Now, or the next second if a backup with this second's name exists."""
        now = datetime.now(UTC)
        while (self._folder / now.strftime(_NAME)).exists():
            time.sleep(1 - now.microsecond / 1e6)
            now = datetime.now(UTC)
        return now

    def finish(self, folder: Path, manifest: Manifest, taken_at: datetime) -> Backup:
        """Turn a temporary folder with dump and media into a backup."""
        text = json.dumps(asdict(manifest), indent=2) + "\n"
        (folder / _MANIFEST).write_text(text, encoding="utf-8")
        sums = "".join(f"{_digest(folder / name)}  {name}\n" for name in _CONTENT)
        (folder / _SUMS).write_text(sums, encoding="ascii")
        return self._adopt(folder, taken_at.strftime(_NAME))

    def adopt(self, folder: Path) -> Backup:
        """Move a fetched backup into the store; raises BackupError if it is damaged or exists already."""
        if (self._folder / folder.name).exists():
            raise BackupError(f"{folder.name} is here already")
        Backup(folder, datetime.strptime(folder.name, _NAME).replace(tzinfo=UTC)).check()
        return self._adopt(folder, folder.name)

    def _adopt(self, folder: Path, name: str) -> Backup:
        # The final name must not reach the disk before the content.
        for path in (*folder.iterdir(), folder):
            _flush(path)
        folder.rename(self._folder / name)
        _flush(self._folder)
        return self.get(name)

    def remove(self, backup: Backup) -> None:
        """Remove a backup; it disappears from lists at once."""
        gone = backup.folder.with_name(f".{backup.name}{_UNFINISHED}")
        backup.folder.rename(gone)
        shutil.rmtree(gone)

    def first_scheduled_at(self) -> datetime:
        """When backups were first scheduled here; the first call records it."""
        marker = self._folder / _FIRST_SCHEDULED
        if not marker.exists():
            marker.touch()
        return datetime.fromtimestamp(marker.stat().st_mtime, UTC)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

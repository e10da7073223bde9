"""The folder of backups. Each is a folder of its own, which is there as a whole or not at all.

    2026-11-23T030000Z/
        database.dump   pg_dump's custom format
        media.tar       uploaded files
        manifest.json   release, schema, moment, the key's fingerprint, how many rows each table has
        SHA256SUMS      of the three; `sha256sum -c SHA256SUMS` reads it

A backup is written under a name that is never listed, and renamed when everything is on the disk.
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

from azionelab_backup import Refused

DUMP, MEDIA, _MANIFEST, _SUMS = "database.dump", "media.tar", "manifest.json", "SHA256SUMS"
_CONTENT = (DUMP, MEDIA, _MANIFEST)
_NAME = "%Y-%m-%dT%H%M%SZ"
_UNFINISHED = ".partial"
_LOCK = ".lock"
_SINCE = ".since"


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself: rows are counted by table, in the dump's own snapshot."""

    version: str
    schema: str
    taken_at: str
    postgres: str
    rows: dict[str, int]
    # The fingerprint of the SECRET_KEY in use; a backup of a release before 0.4 has none.
    secret_key: str = ""


_MANIFEST_FIELDS = {field.name for field in fields(Manifest)}


@dataclass(frozen=True)
class Backup:
    """A backup that was written to its end."""

    folder: Path
    taken_at: datetime

    @property
    def name(self) -> str:
        """The moment in UTC, as it is written in commands."""
        return self.folder.name

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    def manifest(self) -> Manifest:
        """What it says of itself; raises Refused when that cannot be read."""
        try:
            told = json.loads((self.folder / _MANIFEST).read_text(encoding="utf-8"))
            # A later release may say more.
            return Manifest(**{k: v for k, v in told.items() if k in _MANIFEST_FIELDS})
        except PermissionError as error:
            raise self._unreadable() from error
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise Refused(f"{self.name} is corrupt: {_MANIFEST} cannot be read") from error

    def check(self) -> None:
        """Read all of it; raises Refused when a file is not what was written."""
        try:
            lines = (self.folder / _SUMS).read_text(encoding="ascii").splitlines()
            expected = {line[66:]: line[:64] for line in lines}
            for name in _CONTENT:
                if _digest(self.folder / name) != expected.get(name):
                    raise Refused(f"{self.name} is corrupt: {name} is not what was written")
        except PermissionError as error:
            raise self._unreadable() from error
        except (OSError, ValueError) as error:
            raise Refused(f"{self.name} is corrupt: {type(error).__name__}") from error

    def _unreadable(self) -> Refused:
        """As after a copy by hand: nothing is wrong with what is in it."""
        return Refused(f"{self.name} cannot be read: its owner has to be {os.geteuid()} (chown -R)")


class Store:
    """All backups in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def backups(self) -> list[Backup]:
        """The whole ones, the newest last."""
        found = []
        for path in self._folder.iterdir():
            try:
                taken_at = datetime.strptime(path.name, _NAME).replace(tzinfo=UTC)
            except ValueError:
                continue
            found.append(Backup(path, taken_at))
        return sorted(found, key=lambda backup: backup.taken_at)

    def get(self, name: str | None) -> Backup:
        """The backup of that name, the newest without one; raises Refused when there is none."""
        backups = {backup.name: backup for backup in self.backups()}
        if not backups:
            raise Refused(f"there is no backup in {self._folder}")
        if name and name not in backups:
            raise Refused(f"there is no backup {name}; `azionelab-backup list` shows them")
        return backups[name] if name else list(backups.values())[-1]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold off other runs on this folder, and wait for the one that is at work to end."""
        with (self._folder / _LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                told = "another run is at work on these backups; waiting for its end"
                print(told, file=sys.stderr, flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def unfinished(self) -> Iterator[Path]:
        """A folder to write into, under the lock; what is left of it afterwards is removed.

        What a run before left behind, when it was killed, goes too.
        """
        for left in self._folder.glob(f".*{_UNFINISHED}"):
            shutil.rmtree(left)
        folder = self._folder / f".{os.getpid()}{_UNFINISHED}"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def free_moment(self) -> datetime:
        """Now; or, as names tell seconds only, the next second when there is a backup of this one."""
        now = datetime.now(UTC)
        while (self._folder / now.strftime(_NAME)).exists():
            time.sleep(1 - now.microsecond / 1e6)
            now = datetime.now(UTC)
        return now

    def finish(self, folder: Path, manifest: Manifest, taken_at: datetime) -> Backup:
        """Make a backup of an unfinished folder that holds the dump and the media."""
        text = json.dumps(asdict(manifest), indent=2) + "\n"
        (folder / _MANIFEST).write_text(text, encoding="utf-8")
        sums = "".join(f"{_digest(folder / name)}  {name}\n" for name in _CONTENT)
        (folder / _SUMS).write_text(sums, encoding="ascii")
        return self._adopt(folder, taken_at.strftime(_NAME))

    def adopt(self, folder: Path) -> Backup:
        """Take in a backup that was made elsewhere; raises Refused when it is not whole."""
        if (self._folder / folder.name).exists():
            raise Refused(f"{folder.name} is here already")
        Backup(folder, datetime.strptime(folder.name, _NAME).replace(tzinfo=UTC)).check()
        return self._adopt(folder, folder.name)

    def _adopt(self, folder: Path, name: str) -> Backup:
        # The name must not be on the disk before what it stands for.
        for path in (*folder.iterdir(), folder):
            _flush(path)
        folder.rename(self._folder / name)
        _flush(self._folder)
        return self.get(name)

    def remove(self, backup: Backup) -> None:
        """Remove one, as a whole for whoever lists them meanwhile."""
        gone = backup.folder.with_name(f".{backup.name}{_UNFINISHED}")
        backup.folder.rename(gone)
        shutil.rmtree(gone)

    def since(self) -> datetime:
        """When backups were first scheduled here; asking for the first time notes it."""
        mark = self._folder / _SINCE
        if not mark.exists():
            mark.touch()
        return datetime.fromtimestamp(mark.stat().st_mtime, UTC)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

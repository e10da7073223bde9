"""What there is to do: take a backup, verify one, restore one, let go of the old ones, all on time."""

import shutil
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from azionelab_backup import Refused
from azionelab_backup.contents import (
    count_rows,
    disagreements,
    ownership,
    schema,
    secret_key,
    tables,
)
from azionelab_backup.elsewhere import Elsewhere
from azionelab_backup.postgres import Database, scratch_database
from azionelab_backup.release import refuse_unknown, version
from azionelab_backup.settings import DAYS, Settings
from azionelab_backup.store import DUMP, MEDIA, Backup, Manifest, Store
from azionelab_backup.timetable import kept, last_due

_LATE_AFTER = timedelta(hours=26)  # a day, and time for the backup itself
_RETRY_AFTER = 600.0  # seconds
_LOOK_EVERY = 30.0  # seconds; the clock may be set meanwhile
_RESTORING = ".restoring"

# What a task may meet: told in one line, and the next one has its turn.
FAILURES = (Refused, OSError, psycopg.Error, tarfile.TarError)


def told(error: BaseException) -> str:
    """What went wrong, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return error.diag.message_primary
    return " ".join(str(error).split()) or type(error).__name__


class Keeper:
    """The backups of one installation. Its methods raise one of FAILURES."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.conninfo)
        self.store = Store(settings.backups)

    def take(self) -> Backup:
        """Back up the database and the media; and ship the backup when that is configured."""
        with self.store.locked(), self._reported("backup") as report:
            with self.store.unfinished() as folder:
                taken_at = self.store.free_moment()
                manifest = self._database.dump(
                    folder / DUMP, lambda connection: _describe(connection, taken_at)
                )
                _pack(self._settings.media, folder / MEDIA)
                backup = self.store.finish(folder, manifest, taken_at)
            report["size"] = backup.size
            print(f"{backup.name} is taken: {_in_words(backup, manifest)}")
        if self._settings.restic is not None:
            with self._reported("ship") as report:
                Elsewhere(self._settings).ship(backup, self.store.backups())
                report["size"] = backup.size
                print(f"{backup.name} is elsewhere too")
        return backup

    def verify(self, name: str | None = None) -> Backup:
        """Restore a backup, the newest without a name, into a scratch server and look at it."""
        with self.store.locked():
            if name and name not in [backup.name for backup in self.store.backups()[-1:]]:
                # Monitoring asks of the newest one, of which an older one says nothing.
                return self._try(name)
            with self._reported("verify") as report:
                backup = self._try(name)
                report["size"] = backup.size
        return backup

    def _try(self, name: str | None) -> Backup:
        backup = self.store.get(name)
        backup.check()
        refuse_unknown(backup)
        manifest = backup.manifest()
        with scratch_database() as scratch:
            scratch.restore(backup.folder / DUMP, replace=False, row_restored=lambda: None)
            with scratch.connect() as connection:
                if problems := disagreements(connection, manifest):
                    raise Refused(f"{backup.name} is wrong: {'; '.join(problems)}")
        print(f"{backup.name} is good: {_in_words(backup, manifest)}")
        return backup

    def restore(self, name: str | None, *, replace: bool) -> Backup:
        """Put a backup, the newest without a name, into an empty database and media folder.

        With `replace` what is there goes. Until the last step, nothing is changed.
        """
        settings = self._settings
        with self.store.locked():
            backup = self.store.get(name)
            print(f"checking {backup.name} ...")
            backup.check()
            refuse_unknown(backup)
            manifest = backup.manifest()
            media = settings.media
            self._refuse_to_overwrite(replace=replace)
            target, application = self._owner()
            _unpack(backup.folder / MEDIA, media / _RESTORING)
            try:
                target.restore(
                    backup.folder / DUMP,
                    replace=replace,
                    application=application,
                    row_restored=_progress(sum(manifest.rows.values())),
                )
                _swap(media)
            finally:
                shutil.rmtree(media / _RESTORING, ignore_errors=True)
            with target.connect() as connection:
                if problems := disagreements(connection, manifest):
                    raise Refused(f"{backup.name} is restored, but {'; '.join(problems)}")
            print(f"{backup.name} is restored: {_in_words(backup, manifest)}")
            if lost := _lost_key(manifest, settings.keys):
                print(f"azionelab-backup: {lost}", file=sys.stderr)
            return backup

    def _owner(self) -> tuple[Database, str | None]:
        """The database as the role that may make its tables, and the application's where it is another."""
        with self._database.connect() as connection:
            role, owns = ownership(connection)
        if owns:
            return self._database, None
        if self._settings.owner_conninfo is None:
            raise Refused(f"the role {role} does not own the tables: set MIGRATION_DATABASE_URL")
        owner = Database(self._settings.owner_conninfo)
        with owner.connect() as connection:
            if not ownership(connection)[1]:
                raise Refused("the role of MIGRATION_DATABASE_URL does not own the tables")
        return owner, role

    def rotate(self) -> list[Backup]:
        """Remove the backups that have served, and return them; never the last good one."""
        settings = self._settings
        with self.store.locked():
            backups = self.store.backups()
            keep = kept(
                {backup.taken_at: _schema_of(backup) for backup in backups},
                settings.zone,
                days=settings.keep_days,
                weeks=settings.keep_weeks,
                months=settings.keep_months,
            )
            gone = [backup for backup in backups if backup.taken_at not in keep]
            if gone:
                good = next((b for b in reversed(backups) if _is_good(b)), None)
                # Without a good one, each may be the one that something can be saved from.
                gone = [backup for backup in gone if good and backup != good]
            for backup in gone:
                self.store.remove(backup)
                print(f"{backup.name} is removed")
        return gone

    def check_health(self) -> None:
        """Raise Refused when the newest backup is later than it should be."""
        backups = self.store.backups()
        newest = backups[-1].taken_at if backups else self.store.since()
        if datetime.now(UTC) - newest > _LATE_AFTER:
            raise Refused(f"there is no backup since {newest:%Y-%m-%d %H:%M} UTC")

    def keep_time(self, stop: threading.Event) -> None:
        """Take a backup whenever one is due, until `stop`; one that failed is tried again."""
        settings = self._settings
        self.store.since()
        print(f"taking a backup each day at {settings.at:%H:%M} {settings.zone.key}", flush=True)
        pause = 0.0
        while not stop.wait(pause):
            pause = _LOOK_EVERY
            due = last_due(datetime.now(UTC), settings.at, settings.zone)
            backups = self.store.backups()
            if backups and backups[-1].taken_at >= due:
                continue
            if not _attempt(self.take) and self.store.backups() == backups:
                pause = _RETRY_AFTER
                continue
            _attempt(self.rotate)
            # The first one at once: whoever has just set this up wants to know that it restores.
            first = not backups and settings.verify_day != "never"
            if first or settings.verify_day in ("daily", DAYS[due.weekday()]):
                _attempt(self.verify)

    @contextmanager
    def _reported(self, task: str) -> Iterator[dict[str, int]]:
        """Note in the database how a task ended; the application's monitoring reads it there."""
        report = {"size": 0}
        try:
            yield report
        except FAILURES as error:
            self._note(task, well=False, size=0, remark=told(error))
            raise
        self._note(task, well=True, size=report["size"], remark="")

    def _note(self, task: str, *, well: bool, size: int, remark: str) -> None:
        try:
            with self._database.connect() as connection:
                connection.execute("SET lock_timeout = '5s'")
                connection.execute(
                    "INSERT INTO backup_report (task, well, size, remark) VALUES (%s, %s, %s, %s)",
                    (task, well, size, remark),
                )
        except psycopg.errors.UndefinedTable:
            pass  # an empty database, or one from before there was such a table
        except psycopg.Error as error:
            # The task itself went as it went.
            print(f"this could not be noted in the database: {told(error)}", file=sys.stderr)

    def _refuse_to_overwrite(self, *, replace: bool) -> None:
        media = self._settings.media
        with self._database.connect() as connection:
            if not replace and tables(connection):
                raise Refused("the database is not empty; --replace gives up what is in it")
            row = connection.execute("""
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                    AND coalesce(backend_type, 'client backend') = 'client backend'
            """).fetchone()
        if row and row[0]:
            raise Refused(f"{row[0]} others are connected to the database: stop the site first")
        if not replace and _entries(media):
            raise Refused(f"{media} is not empty; --replace gives up what is in it")


def _describe(connection: psycopg.Connection, taken_at: datetime) -> Manifest:
    revision = schema(connection)
    if revision is None:
        raise Refused("the database has no tables yet: run `flask db upgrade` first")
    return Manifest(
        version=version(),
        schema=revision,
        taken_at=taken_at.isoformat(timespec="seconds"),
        postgres=connection.info.parameter_status("server_version") or "",
        rows=count_rows(connection),
        secret_key=secret_key(connection),
    )


def _lost_key(manifest: Manifest, keys: list[str]) -> str | None:
    """That the site's keys do not open what was mailed, and what to do; None when they do."""
    if not manifest.secret_key or not keys or manifest.secret_key in keys:
        return None
    return (
        f"the links and tickets in this backup were signed with the SECRET_KEY {manifest.secret_key},"
        f" and this site's is {keys[0]}: they will not open. Put that key back into"
        " docker/secrets/secret_key, from your copy of that folder, before the site starts; if it is"
        " gone for good, run `flask accept-secret-key` and send tickets again"
    )


def _in_words(backup: Backup, manifest: Manifest) -> str:
    return (
        f"release {manifest.version}, schema {manifest.schema},"
        f" {manifest.rows.get('reservation', 0)} reservations, {backup.size / 1e6:.1f} MB"
    )


def describe(backup: Backup) -> str:
    """A line about a backup for a list; each file is read, and one that is corrupt is said to be so."""
    try:
        backup.check()
        manifest = backup.manifest()
        key = f", key {manifest.secret_key}" if manifest.secret_key else ""
        return f"{backup.name}  {_in_words(backup, manifest)}{key}"
    except Refused as error:
        what, _, why = str(error).partition(": ")
        verdict = "CORRUPT" if what.endswith("is corrupt") else "not readable"
        return f"{backup.name}  {verdict}: {why}"


def _is_good(backup: Backup) -> bool:
    try:
        backup.check()
    except Refused:
        return False
    return True


def _schema_of(backup: Backup) -> str:
    """Its schema; none when that cannot be read, so that it takes the place of no other one."""
    try:
        return backup.manifest().schema
    except Refused:
        return ""


def _attempt(task: Callable[[], object]) -> bool:
    try:
        task()
    except FAILURES as error:
        print(f"azionelab-backup: {told(error)}", file=sys.stderr, flush=True)
        return False
    return True


def _progress(total: int) -> Callable[[], None]:
    """Count rows, and say at each tenth how far it is."""
    done = 0

    def row_restored() -> None:
        nonlocal done
        done += 1
        if done * 10 // total > (done - 1) * 10 // total:
            print(f"restored {done} of {total} rows", flush=True)

    return row_restored


def _entries(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name not in (_RESTORING, "lost+found")]


def _pack(media: Path, archive: Path) -> None:
    with tarfile.open(archive, "w") as tar:
        for path in sorted(_entries(media)):
            tar.add(path, path.name)


def _unpack(archive: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _swap(media: Path) -> None:
    """Put what was unpacked in the place of what is there; moving takes no room."""
    for path in _entries(media):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in (media / _RESTORING).iterdir():
        path.rename(media / path.name)

"""The tasks: take, verify, restore and rotate backups, by command or on schedule."""

import shutil
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from azionelab_backup import BackupError
from azionelab_backup.contents import (
    count_rows,
    find_inconsistencies,
    ownership,
    schema,
    secret_key,
    tables,
)
from azionelab_backup.disks import report_disks
from azionelab_backup.offsite import OffsiteRepository
from azionelab_backup.postgres import Database, scratch_database
from azionelab_backup.release import check_compatible, version
from azionelab_backup.schedule import last_due_time, select_kept
from azionelab_backup.settings import DAYS, Settings
from azionelab_backup.store import DUMP, MEDIA, Backup, Manifest, Store

_LATE_AFTER = timedelta(hours=26)  # a day, and time for the backup itself
_RETRY_AFTER = 600.0  # seconds
_POLL_SECONDS = 30.0  # polls instead of sleeping until the next backup, since the clock may be set
_MEASURED_EACH = timedelta(hours=1)
_RESTORING = ".restoring"

# Expected failures of a task: printed in one line, and the schedule goes on.
FAILURES = (BackupError, OSError, psycopg.Error, tarfile.TarError)


def describe_error(error: BaseException) -> str:
    """The error in one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return error.diag.message_primary
    return " ".join(str(error).split()) or type(error).__name__


class BackupManager:
    """The backups of one installation. Its methods raise one of FAILURES."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.conninfo)
        self.store = Store(settings.backups)

    def take(self) -> Backup:
        """Back up the database and the media, and ship the backup if an off-site repository is set."""
        with self.store.locked(), self._reported("backup") as report:
            with self.store.unfinished() as folder:
                taken_at = self.store.next_free_time()
                manifest = self._database.dump(
                    folder / DUMP, lambda connection: _describe(connection, taken_at)
                )
                _pack(self._settings.media, folder / MEDIA)
                backup = self.store.finish(folder, manifest, taken_at)
            report["size"] = backup.size
            print(f"{backup.name} is taken: {_summarize(backup, manifest)}")
        if self._settings.restic is not None:
            with self._reported("ship") as report:
                OffsiteRepository(self._settings).ship(backup, self.store.backups())
                report["size"] = backup.size
                print(f"{backup.name} is elsewhere too")
        return backup

    def verify(self, name: str | None = None) -> Backup:
        """Restore a backup, by default the newest, into a scratch server and check it."""
        with self.store.locked():
            if name and name not in [backup.name for backup in self.store.backups()[-1:]]:
                # Monitoring is about the newest backup only, so this is not reported.
                return self._verify(name)
            with self._reported("verify") as report:
                backup = self._verify(name)
                report["size"] = backup.size
        return backup

    def _verify(self, name: str | None) -> Backup:
        backup = self.store.get(name)
        backup.check()
        check_compatible(backup)
        manifest = backup.manifest()
        with scratch_database() as scratch:
            scratch.restore(backup.folder / DUMP, replace=False, row_restored=lambda: None)
            with scratch.connect() as connection:
                if problems := find_inconsistencies(connection, manifest):
                    raise BackupError(f"{backup.name} is wrong: {'; '.join(problems)}")
        print(f"{backup.name} is good: {_summarize(backup, manifest)}")
        return backup

    def restore(self, name: str | None, *, replace: bool) -> Backup:
        """Restore a backup, by default the newest, into an empty database and media folder.

        `replace` deletes the existing content. Nothing is changed until the last step.
        """
        settings = self._settings
        with self.store.locked():
            backup = self.store.get(name)
            print(f"checking {backup.name} ...")
            backup.check()
            check_compatible(backup)
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
                if problems := find_inconsistencies(connection, manifest):
                    raise BackupError(f"{backup.name} is restored, but {'; '.join(problems)}")
            print(f"{backup.name} is restored: {_summarize(backup, manifest)}")
            if lost := _lost_key(manifest, settings.keys):
                print(f"azionelab-backup: {lost}", file=sys.stderr)
            return backup

    def _owner(self) -> tuple[Database, str | None]:
        """The database as its owner, and the application's role if that is another one."""
        with self._database.connect() as connection:
            role, owns = ownership(connection)
        if owns:
            return self._database, None
        if self._settings.owner_conninfo is None:
            raise BackupError(
                f"the role {role} does not own the tables: set MIGRATION_DATABASE_URL"
            )
        owner = Database(self._settings.owner_conninfo)
        with owner.connect() as connection:
            if not ownership(connection)[1]:
                raise BackupError("the role of MIGRATION_DATABASE_URL does not own the tables")
        return owner, role

    def rotate(self) -> list[Backup]:
        """Remove the backups that need not be kept and return them; never the last valid one."""
        settings = self._settings
        with self.store.locked():
            backups = self.store.backups()
            keep = select_kept(
                {backup.taken_at: _schema_of(backup) for backup in backups},
                settings.zone,
                days=settings.keep_days,
                weeks=settings.keep_weeks,
                months=settings.keep_months,
            )
            expired = [backup for backup in backups if backup.taken_at not in keep]
            if expired:
                last_valid = next((b for b in reversed(backups) if _is_valid(b)), None)
                # Without a valid backup, keep them all: some data may still be recovered from any of them.
                expired = [b for b in expired if last_valid and b != last_valid]
            for backup in expired:
                self.store.remove(backup)
                print(f"{backup.name} is removed")
        return expired

    def check_health(self) -> None:
        """Raise BackupError when a backup is overdue."""
        backups = self.store.backups()
        newest = backups[-1].taken_at if backups else self.store.first_scheduled_at()
        if datetime.now(UTC) - newest > _LATE_AFTER:
            raise BackupError(f"there is no backup since {newest:%Y-%m-%d %H:%M} UTC")

    def run_schedule(self, stop: threading.Event) -> None:
        """Take a backup whenever one is due, until `stop` is set; retry after a failure."""
        settings = self._settings
        self.store.first_scheduled_at()
        print(f"taking a backup each day at {settings.at:%H:%M} {settings.zone.key}", flush=True)
        pause = 0.0
        measured: datetime | None = None
        while not stop.wait(pause):
            pause = _POLL_SECONDS
            if measured is None or datetime.now(UTC) - measured > _MEASURED_EACH:
                measured = datetime.now(UTC)
                _attempt(lambda: report_disks(self._database, settings.backups))
            due = last_due_time(datetime.now(UTC), settings.at, settings.zone)
            backups = self.store.backups()
            if backups and backups[-1].taken_at >= due:
                continue
            if not _attempt(self.take) and self.store.backups() == backups:
                pause = _RETRY_AFTER
                continue
            _attempt(self.rotate)
            # Verify the very first backup at once: it shows that the set-up works.
            first = not backups and settings.verify_day != "never"
            if first or settings.verify_day in ("daily", DAYS[due.weekday()]):
                _attempt(self.verify)

    @contextmanager
    def _reported(self, task: str) -> Iterator[dict[str, int]]:
        """Record a task's result in the database, for the application's monitoring."""
        report = {"size": 0}
        try:
            yield report
        except FAILURES as error:
            self._record(task, well=False, size=0, remark=describe_error(error))
            raise
        self._record(task, well=True, size=report["size"], remark="")

    def _record(self, task: str, *, well: bool, size: int, remark: str) -> None:
        try:
            with self._database.connect() as connection:
                connection.execute("SET lock_timeout = '5s'")
                connection.execute(
                    "INSERT INTO backup_report (task, well, size, remark) VALUES (%s, %s, %s, %s)",
                    (task, well, size, remark),
                )
        except psycopg.errors.UndefinedTable:
            pass  # an empty database, or a schema without this table
        except psycopg.Error as error:
            # Does not change the task's own result.
            print(
                f"this could not be noted in the database: {describe_error(error)}", file=sys.stderr
            )

    def _refuse_to_overwrite(self, *, replace: bool) -> None:
        media = self._settings.media
        with self._database.connect() as connection:
            if not replace and tables(connection):
                raise BackupError("the database is not empty; --replace gives up what is in it")
            row = connection.execute("""
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                    AND coalesce(backend_type, 'client backend') = 'client backend'
            """).fetchone()
        if row and row[0]:
            raise BackupError(f"{row[0]} others are connected to the database: stop the site first")
        if not replace and _entries(media):
            raise BackupError(f"{media} is not empty; --replace gives up what is in it")


def _describe(connection: psycopg.Connection, taken_at: datetime) -> Manifest:
    revision = schema(connection)
    if revision is None:
        raise BackupError("the database has no tables yet: run `flask db upgrade` first")
    return Manifest(
        version=version(),
        schema=revision,
        taken_at=taken_at.isoformat(timespec="seconds"),
        postgres=connection.info.parameter_status("server_version") or "",
        rows=count_rows(connection),
        secret_key=secret_key(connection),
    )


def _lost_key(manifest: Manifest, keys: list[str]) -> str | None:
    """A warning that the site's keys do not match the backup's; None when they do."""
    if not manifest.secret_key or not keys or manifest.secret_key in keys:
        return None
    return (
        f"the links and tickets in this backup were signed with the SECRET_KEY {manifest.secret_key},"
        f" and this site's is {keys[0]}: they will not open. Put that key back into"
        " docker/secrets/secret_key, from your copy of that folder, before the site starts; if it is"
        " gone for good, run `flask accept-secret-key` and send tickets again"
    )


def _summarize(backup: Backup, manifest: Manifest) -> str:
    return (
        f"release {manifest.version}, schema {manifest.schema},"
        f" {manifest.rows.get('reservation', 0)} reservations, {backup.size / 1e6:.1f} MB"
    )


def describe(backup: Backup) -> str:
    """A backup's line in the list; reads all files to detect damage."""
    try:
        backup.check()
        manifest = backup.manifest()
        key = f", key {manifest.secret_key}" if manifest.secret_key else ""
        return f"{backup.name}  {_summarize(backup, manifest)}{key}"
    except BackupError as error:
        what, _, why = str(error).partition(": ")
        verdict = "CORRUPT" if what.endswith("is corrupt") else "not readable"
        return f"{backup.name}  {verdict}: {why}"


def _is_valid(backup: Backup) -> bool:
    try:
        backup.check()
    except BackupError:
        return False
    return True


def _schema_of(backup: Backup) -> str:
    """The backup's schema; "" if it is unreadable, so that it does not displace a valid backup."""
    try:
        return backup.manifest().schema
    except BackupError:
        return ""


def _attempt(task: Callable[[], object]) -> bool:
    try:
        task()
    except FAILURES as error:
        print(f"azionelab-backup: {describe_error(error)}", file=sys.stderr, flush=True)
        return False
    return True


def _progress(total: int) -> Callable[[], None]:
    """Make a callback that counts rows and prints the progress at each tenth."""
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
    """Replace the media by the unpacked files; moving needs no disk space."""
    for path in _entries(media):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in (media / _RESTORING).iterdir():
        path.rename(media / path.name)

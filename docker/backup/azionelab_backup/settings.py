"""The settings, read from the environment.

The same names and formats as the application's; its own settings module needs libraries that this image lacks.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg
from psycopg.conninfo import make_conninfo

from azionelab_backup import BackupError

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Prefixes of the variables that restic reads, including the providers' keys.
_RESTIC = ("RESTIC_", "AWS_", "AZURE_", "B2_", "GOOGLE_", "OS_", "ST_")
# Keys that may also be given as NAME_FILE (Docker secrets), which restic does not support.
_KEYS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_ACCOUNT_NAME",
    "AZURE_ACCOUNT_KEY",
    "B2_ACCOUNT_ID",
    "B2_ACCOUNT_KEY",
    "RESTIC_REST_USERNAME",
    "RESTIC_REST_PASSWORD",
)

_REPOSITORY = re.compile(r"(s3|b2|azure|rest|gs|swift):.|/.")


@dataclass(frozen=True)
class Settings:
    """The settings of all commands. `conninfo` contains the database's password."""

    conninfo: str = field(repr=False)
    owner_conninfo: str | None = field(repr=False)  # connects as the role that owns the tables
    backups: Path
    media: Path
    at: time
    zone: ZoneInfo
    verify_day: str
    keep_days: int
    keep_weeks: int
    keep_months: int
    restic: dict[str, str] | None = field(
        repr=False
    )  # restic's environment; None: no off-site copies
    keys: list[str]  # fingerprints of SECRET_KEY and its fallbacks; empty if it is not set


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raises BackupError, which names each invalid one."""
    reader = _Reader(environ)
    settings = Settings(
        conninfo=reader.conninfo("DATABASE") or "",
        owner_conninfo=reader.conninfo("MIGRATION_DATABASE", needed=False),
        backups=Path(reader.text("BACKUP_DIR", "/backups")),
        media=Path(reader.text("MEDIA_DIR", "/media")),
        at=reader.time_of_day("BACKUP_AT", "04:00"),
        zone=reader.zone("TIME_ZONE", "Europe/Rome"),
        verify_day=reader.choice("VERIFY_DAY", "monday", (*DAYS, "daily", "never")),
        keep_days=reader.count("BACKUP_KEEP_DAYS", "7", low=1),
        keep_weeks=reader.count("BACKUP_KEEP_WEEKS", "5"),
        keep_months=reader.count("BACKUP_KEEP_MONTHS", "12"),
        restic=reader.restic(),
        keys=reader.keys(),
    )
    if reader.problems:
        raise BackupError("wrong settings: " + "; ".join(reader.problems))
    return settings


def fingerprint(key: str) -> str:
    """16 hexadecimal digits that identify a key, as in azionelab/ops/checks/secret_keys.py."""
    return hashlib.sha256(f"azionelab secret key\n{key}".encode()).hexdigest()[:16]


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._environ = environ

    def optional(self, name: str) -> str | None:
        path = self._environ.get(f"{name}_FILE")
        if not path:
            return self._environ.get(name, "").strip() or None
        if self._environ.get(name):
            self.problems.append(f"{name}: is set, and {name}_FILE too, keep one")
        try:
            return Path(path).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            problem = f"{name}_FILE: cannot read {path} ({type(error).__name__})"
            if isinstance(error, PermissionError):
                problem += "; every user has to be able to read it: run docker/new-secrets"
            self.problems.append(problem)
            return None

    def text(self, name: str, default: str) -> str:
        return self.optional(name) or default

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value not in allowed:
            self.problems.append(f"{name}: {value!r} is not one of {', '.join(allowed)}")
        return value

    def count(self, name: str, default: str, *, low: int = 0) -> int:
        value = self.text(name, default)
        if not (re.fullmatch("[0-9]{1,4}", value) and int(value) >= low):
            self.problems.append(f"{name}: {value!r} is not a whole number from {low} to 9999")
            return low
        return int(value)

    def time_of_day(self, name: str, default: str) -> time:
        value = self.text(name, default)
        if not re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", value):
            self.problems.append(f"{name}: {value!r} is not a time such as 04:00")
            value = default
        return time.fromisoformat(value)

    def zone(self, name: str, default: str) -> ZoneInfo:
        value = self.text(name, default)
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.problems.append(f"{name}: {value!r} is not a time zone such as Europe/Rome")
            return ZoneInfo("UTC")

    def keys(self) -> list[str]:
        key = self.optional("SECRET_KEY")
        earlier = (self.optional("SECRET_KEY_FALLBACKS") or "").split(",")
        return [fingerprint(k.strip()) for k in (key, *earlier) if key and k and k.strip()]

    def conninfo(self, name: str, *, needed: bool = True) -> str | None:
        """NAME_URL with NAME_PASSWORD as a libpq string; None when it is not set."""
        url = self.optional(f"{name}_URL")
        password = self.optional(f"{name}_PASSWORD")
        if url is None:
            if needed:
                self.problems.append(f"{name}_URL: is missing")
            return None
        # libpq does not accept SQLAlchemy's driver name.
        url = re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql://", url)
        try:
            given = psycopg.conninfo.conninfo_to_dict(url)
            if password and given.get("password"):
                self.problems.append(f"{name}_PASSWORD: {name}_URL holds a password too, keep one")
            return make_conninfo(url, **({"password": password} if password else {}))
        except psycopg.Error:
            # libpq's message would contain the URL, and with it a password.
            self.problems.append(f"{name}_URL: is not like postgresql://user:password@host/name")
            return None

    def restic(self) -> dict[str, str] | None:
        repository = self.optional("RESTIC_REPOSITORY")
        if not repository:
            return None
        if not _REPOSITORY.match(repository):
            # Not repeated in the message: it may contain a password.
            self.problems.append(
                "RESTIC_REPOSITORY: is not like s3:https://s3.example.org/azionelab; docs/backups.md"
                " lists the places (sftp: and rclone: want programs that are not here)"
            )
        if not self.optional("RESTIC_PASSWORD"):
            self.problems.append("RESTIC_PASSWORD_FILE: is empty, and backups leave encrypted only")
        environment = {k: v for k, v in self._environ.items() if k.startswith(_RESTIC) and v}
        for name in _KEYS:
            environment.pop(f"{name}_FILE", None)
            if value := self.optional(name):
                environment[name] = value
        return environment

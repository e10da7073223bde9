"""This release's version, its known schemas, and its compatibility with a backup."""

import os
import tomllib
from pathlib import Path

from azionelab_backup import BackupError
from azionelab_backup.store import Backup

_ROOT = Path(__file__).resolve().parents[3]


def version() -> str:
    """The image's tag, which a rollback needs; outside of an image the project's version."""
    if tag := os.environ.get("AZIONELAB_TAG"):
        return tag
    with (_ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def is_known_schema(schema: str) -> bool:
    """Whether `schema` is one of this release's migrations."""
    return schema in _schemas()


def check_compatible(backup: Backup) -> None:
    """Raise BackupError when this release cannot run on a backup's schema.

    A newer schema is allowed if this release took the backup itself, which happens after a rollback.
    """
    manifest = backup.manifest()
    if not is_known_schema(manifest.schema) and manifest.version != version():
        raise BackupError(
            f"{backup.name} has schema {manifest.schema}, and this release ({version()}) knows none"
            f" after {max(_schemas())}: restore it with release {manifest.version}, which took it,"
            " or one that knows this schema"
        )


def _schemas() -> set[str]:
    """The numbers of this release's migrations."""
    return {path.name[:4] for path in (_ROOT / "migrations" / "versions").glob("[0-9]*.py")}

"""This release: its name, the schemas it knows, and which backups it can be run on."""

import os
import tomllib
from pathlib import Path

from azionelab_backup import Refused
from azionelab_backup.store import Backup

_ROOT = Path(__file__).resolve().parents[3]


def version() -> str:
    """The image's tag, by which a rollback finds it again; outside of an image the version."""
    if tag := os.environ.get("AZIONELAB_TAG"):
        return tag
    with (_ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def knows(schema: str) -> bool:
    """Whether a schema is one of this release's migrations."""
    return schema in _schemas()


def refuse_unknown(backup: Backup) -> None:
    """Raise Refused when this release cannot be run on what is in a backup.

    A newer schema is one that it runs on after a rollback: then it took the backup itself.
    """
    manifest = backup.manifest()
    if not knows(manifest.schema) and manifest.version != version():
        raise Refused(
            f"{backup.name} has schema {manifest.schema}, and this release ({version()}) knows none"
            f" after {max(_schemas())}: restore it with release {manifest.version}, which took it,"
            " or one that knows this schema"
        )


def _schemas() -> set[str]:
    """The migrations of this release, by their numbers."""
    return {path.name[:4] for path in (_ROOT / "migrations" / "versions").glob("[0-9]*.py")}

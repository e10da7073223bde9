"""The pictures' files: made in a process of their own, kept in MEDIA_DIR under a digest of the upload.

A file never changes: another content has another name. They are readable by everybody, since nginx runs as another
user. The upload itself is not kept.
"""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import current_app

from azionelab.media.encoding import Refusal, Refused
from azionelab.media.models import SUFFIXES

_ROOT = Path(__file__).resolve().parents[2]
_ENCODING = b"1"  # changes when the same upload is to give other files
_TIME = 25  # seconds, below gunicorn's and nginx's limits
_PROGRAM = "azionelab.media.encoding"
_INCOMING = "incoming-"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class StorageFull(Exception):
    """The disk of MEDIA_DIR is full; nothing was kept."""


class StorageUnavailable(Exception):
    """MEDIA_DIR cannot be written; nothing was kept. The message says why."""


@dataclass(frozen=True)
class Encoded:
    """The files of an upload, in a folder that is not public yet."""

    folder: Path
    digest: str
    width: int
    height: int
    widths: list[int] = field(default_factory=list)


def media_dir() -> Path:
    """MEDIA_DIR."""
    folder: Path = current_app.config["AZIONELAB"].media_dir
    return folder


@contextmanager
def encode(upload: bytes, *kind: str) -> Iterator[Encoded]:
    """Check an upload and make its files (of a logo with `LOGO`), which go when the block ends unless `publish` kept them.

    Raises Refused, StorageFull, StorageUnavailable.
    """
    with storing():
        media_dir().mkdir(mode=0o755, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=_INCOMING, dir=media_dir()))
    try:
        made = _run(upload, folder, kind)
        digest = hashlib.sha256(_ENCODING + upload).hexdigest()[:32]
        yield Encoded(folder, digest, made["width"], made["height"], made["widths"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(encoded: Encoded) -> None:
    """Move an upload's files to their public names; those of the same upload are there already, and get younger."""
    with storing():
        for file in encoded.folder.iterdir():
            file.chmod(0o644)
            os.utime(file)
            file.replace(media_dir() / f"{encoded.digest}-{file.name}")


def missing_files(digest: str, widths: Sequence[int]) -> list[str]:
    """The names of a picture's files that are not there."""
    names = [f"{digest}-{width}.{suffix}" for width in widths for suffix in SUFFIXES]
    return [name for name in names if not (media_dir() / name).is_file()]


def sweep_files(used: set[str], age: float) -> int:
    """Delete what is older than `age` seconds and belongs to none of the digests; how many files."""
    before, swept = time.time() - age, 0
    with storing():
        for path in list(media_dir().iterdir()) if media_dir().is_dir() else ():
            if path.name.partition("-")[0] in used or not _is_ours(path):
                continue
            if path.stat().st_mtime >= before:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            swept += 1
    return swept


def _is_ours(path: Path) -> bool:
    """Whether a name is one that is written here: other files in the folder are left alone."""
    digest, _, rest = path.name.partition("-")
    is_file = len(digest) == 32 and set(digest) <= set("0123456789abcdef") and bool(rest)
    return is_file or path.name.startswith((_INCOMING, "share-"))


def _run(upload: bytes, folder: Path, kind: Sequence[str]) -> Any:
    limit = current_app.config["AZIONELAB"].upload_max_megapixels
    command = [sys.executable, "-m", _PROGRAM, str(folder), str(limit), *kind]
    try:
        done = subprocess.run(  # noqa: S603  # our own program, its arguments a path and a number
            command,
            input=upload,
            capture_output=True,
            timeout=_TIME,
            check=False,
            cwd=_ROOT,
            env={"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )
    except subprocess.TimeoutExpired:
        raise Refused(Refusal.SLOW) from None
    if done.returncode:
        # The decoder crashed, or ran out of its limits.
        raise Refused(Refusal.DAMAGED)
    made = json.loads(done.stdout)
    if "refused" in made:
        raise Refused(Refusal(made["refused"]))
    if "errno" in made:
        _raise_storage_error(
            OSError(made["errno"] or errno.EIO, os.strerror(made["errno"] or errno.EIO))
        )
    return made


@contextmanager
def storing() -> Iterator[None]:
    """Raise StorageFull or StorageUnavailable for an error of the disk in the block."""
    try:
        yield
    except OSError as error:
        _raise_storage_error(error)


def _raise_storage_error(error: OSError) -> None:
    if error.errno in _NO_ROOM:
        raise StorageFull from error
    raise StorageUnavailable(error.strerror or type(error).__name__) from error

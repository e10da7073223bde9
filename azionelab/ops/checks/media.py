"""Checks of the pictures' folder: it can be written, and holds the files of the pictures in use."""

import os
from collections.abc import Iterator
from pathlib import Path

from azionelab.media.pictures import find_missing_files


def folder_problem(folder: Path) -> str | None:
    """Why pictures cannot be stored, or None."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return (
            f"MEDIA_DIR: {folder} cannot be written, so nobody can upload a picture; give it to user"
            f" {os.getuid()}, or set MEDIA_DIR"
        )
    return None


def missing_pictures() -> Iterator[str]:
    """Shows whose pictures lack files, each as a line. Pages show them without the picture."""
    for show_id, names in find_missing_files().items():
        yield (
            f"MEDIA_DIR: {len(names)} files of the pictures of show {show_id} are missing, such as {names[0]};"
            " restore the media from a backup (docs/backups.md), or upload the pictures again"
        )

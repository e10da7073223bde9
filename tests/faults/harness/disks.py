"""Disks that fill: PostgreSQL's, the pictures', and that of the backups."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from azionelab.app import create_app
from azionelab.database import db
from azionelab.media import files, pictures
from azionelab.settings.loading import load_config
from bare_machine.postgres_programs import programs
from tests.faults.harness.storm import Fault, Storm
from tests.support.pictures import a_picture
from tests.support.processes import PYTHON, ROOT, clean_environment

CAN_MOUNT = os.geteuid() == 0


@contextmanager
def small_disk(size: str = "300m") -> Iterator[Path]:
    """A file system of its own, which every account may enter, and which can be filled."""
    folder = Path(tempfile.mkdtemp(prefix="azionelab-faults-disk-"))
    options = f"size={size},mode=755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "azionelab-faults", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


@contextmanager
def _filled(disk: Path) -> Iterator[None]:
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))
    yield
    filler.unlink()


def _fill_database_disk(storm: Storm) -> None:
    stack = storm.stack
    with _filled(stack.data_disk):
        storm.wait_for_trouble(6)
    if not stack.postmaster_runs():
        stack.start_postgres()


def _fill_media_disk(storm: Storm) -> None:
    """A poster cannot be added, and nothing is left of it; with room it can."""
    stack = storm.stack
    with small_disk("2m") as disk:
        app = create_app(load_config(stack.settings | {"MEDIA_DIR": str(disk)}))
        with app.app_context(), stack.database() as database:
            row = database.execute(_SHOW, storm.performances[:1]).fetchone()
            assert row is not None

            def add() -> None:
                pictures.add_picture(
                    row.show_id, a_picture(), pictures.Caption({"it": "Palco"}), None
                )

            with _filled(disk):
                with pytest.raises(files.StorageFull):
                    add()
                assert database.execute(_PICTURES, [row.show_id]).fetchone() == (0,)
                assert [path.name for path in disk.iterdir()] == ["filler"]
            add()
            db.session.remove()
            db.engine.dispose()


def _fill_backup_disk(storm: Storm) -> None:
    """A backup says in one line why it failed, and leaves nothing; with room it is taken."""
    stack = storm.stack
    with small_disk("20m") as disk:
        settings = {
            "DATABASE_URL": stack.postgres.url,
            "BACKUP_DIR": str(disk),
            "MEDIA_DIR": stack.settings["MEDIA_DIR"],
            "PATH": f"{programs()}:{os.environ['PATH']}",
        }

        def take() -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                [PYTHON, "-m", "azionelab_backup", "now"], cwd=ROOT / "docker" / "backup",
                env=clean_environment(settings), capture_output=True, text=True, check=False,
            )  # fmt: skip

        with _filled(disk):
            refused = take()
            assert refused.returncode == 1, refused.stderr
            assert len(refused.stderr.splitlines()) == 1
            assert not list(disk.glob("*/SHA256SUMS"))
        taken = take()
        assert taken.returncode == 0, taken.stderr
        assert len(list(disk.glob("*/SHA256SUMS"))) == 1


_SHOW = "SELECT show_id FROM performance WHERE id = %s"
_PICTURES = "SELECT count(*) FROM picture WHERE show_id = %s"

DATABASE = Fault(
    "disk-database",
    "PostgreSQL's disk is full, then has room again",
    _fill_database_disk,
    times=3,
    lasts=True,
)
FAULTS = (
    Fault(
        "disk-media",
        "the disk of the pictures is full while a poster is added, then has room",
        _fill_media_disk,
    ),
    Fault(
        "disk-backup",
        "the disk of the backups is full while one is taken, then has room",
        _fill_backup_disk,
    ),
)

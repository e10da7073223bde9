"""The life of a long list's file: asked for, made, kept for an hour or cancelled."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import IO, Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from azionelab.database import db, now, transaction
from azionelab.exports.models import UNFINISHED, ExportChunk, ExportFile, FileStatus
from azionelab.extensions import job_within

QUEUE = "exports"
MAKE_JOB = "exports.make"
KEPT_FOR = timedelta(hours=1)
MOST_UNFINISHED = 3  # files of one account
_ABANDONED_AFTER = timedelta(days=1)  # a file that no worker made
_CHUNK = 1_000_000  # bytes


class TooManyFiles(Exception):
    """The account waits for MOST_UNFINISHED files already."""


@dataclass(frozen=True)
class Wanted:
    """What a file is to have: see ExportFile."""

    endpoint: str
    asked: dict[str, Any]
    search: str
    name: str
    total: int


def request_file(file_id: UUID, account_id: int, wanted: Wanted) -> None:
    """Let the worker make a file. The same form sent again changes nothing. Raises TooManyFiles."""
    with transaction() as session:
        unfinished = session.scalar(
            select(func.count()).where(
                ExportFile.account_id == account_id,
                ExportFile.status.in_(UNFINISHED),
                ExportFile.id != file_id,
            )
        )
        if (unfinished or 0) >= MOST_UNFINISHED:
            raise TooManyFiles
        written = session.execute(
            insert(ExportFile)
            .values(
                id=file_id,
                account_id=account_id,
                status=FileStatus.WAITING,
                created_at=now(),
                **asdict(wanted),
            )
            .on_conflict_do_nothing()
            .returning(ExportFile.id)
        )
        if written.scalar() is not None:
            # One at a time: mails must not wait for long lists, and memory is bounded.
            job_within(session, MAKE_JOB, queue=QUEUE, lock=MAKE_JOB).defer(file_id=str(file_id))


def begin_file(file_id: UUID) -> ExportFile | None:
    """Begin to make a file, or begin again after the worker died; None when it is not wanted any more."""
    with transaction() as session:
        return session.scalar(
            update(ExportFile)
            .where(ExportFile.id == file_id, ExportFile.status.in_(UNFINISHED))
            .values(status=FileStatus.MAKING, done=0)
            .returning(ExportFile)
        )


def note_rows(file_id: UUID, rows: int) -> bool:
    """Record how many rows are written; False when the file was cancelled."""
    with transaction() as session:
        making = session.scalar(
            update(ExportFile)
            .where(ExportFile.id == file_id, ExportFile.status == FileStatus.MAKING)
            .values(done=rows)
            .returning(ExportFile.id)
        )
        return making is not None


def keep_file(file_id: UUID, rows: int, content: IO[bytes]) -> None:
    """Keep the content of a file that is made, unless it was cancelled."""
    with transaction() as session:
        ready = session.scalar(
            update(ExportFile)
            .where(ExportFile.id == file_id, ExportFile.status == FileStatus.MAKING)
            .values(status=FileStatus.READY, done=rows, finished_at=now())
            .returning(ExportFile.id)
        )
        if ready is None:
            return
        number = 0
        while piece := content.read(_CHUNK):
            session.execute(
                insert(ExportChunk).values(file_id=file_id, number=number, content=piece)
            )
            number += 1


def fail_file(file_id: UUID) -> None:
    """Record that a file could not be made."""
    _finish(file_id, FileStatus.FAILED)


def cancel_file(file_id: UUID) -> None:
    """Stop making a file; one that is finished stays as it is."""
    _finish(file_id, FileStatus.CANCELLED)


def find_file(file_id: UUID, account_id: int) -> ExportFile | None:
    """A file that this account asked for."""
    found = db.session.get(ExportFile, file_id)
    return found if found is not None and found.account_id == account_id else None


def files_of(account_id: int) -> Sequence[ExportFile]:
    """The files that an account asked for, the newest first."""
    return db.session.scalars(
        select(ExportFile)
        .where(ExportFile.account_id == account_id)
        .order_by(ExportFile.created_at.desc())
    ).all()


def read_chunks(file_id: UUID) -> Iterator[bytes]:
    """The content of a file, piece by piece."""
    number = 0
    while True:
        piece = db.session.scalar(
            select(ExportChunk.content).where(
                ExportChunk.file_id == file_id, ExportChunk.number == number
            )
        )
        if piece is None:
            return
        yield piece
        number += 1


def forget_files() -> int:
    """Delete the files that were kept for KEPT_FOR, and those that nobody made for a day; returns their number."""
    at = now()
    with transaction() as session:
        gone = session.scalars(
            delete(ExportFile)
            .where(
                or_(
                    ExportFile.finished_at < at - KEPT_FOR,
                    ExportFile.created_at < at - _ABANDONED_AFTER,
                )
            )
            .returning(ExportFile.id)
        )
        return len(gone.all())


def _finish(file_id: UUID, status: FileStatus) -> None:
    with transaction() as session:
        session.execute(
            update(ExportFile)
            .where(ExportFile.id == file_id, ExportFile.status.in_(UNFINISHED))
            .values(status=status, finished_at=now())
        )

"""A show's pictures: added from an upload, replaced, put in order, removed and put back.

An upload is encoded before the transaction, which moves its files to their names and writes the row under one
advisory lock. The sweep takes the same lock, so it never deletes a file that a row is about to name.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import BoundedSemaphore

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from azionelab.database import db, now, transaction
from azionelab.database.row_versions import RowGone, lock_row, record_author
from azionelab.database.transactions import commit_read_transaction
from azionelab.media import files
from azionelab.media.encoding import Refusal, Refused
from azionelab.media.models import Picture

MAX_PICTURES = 12  # of a show
KEPT_FOR = timedelta(days=7)  # a removed picture
_UNUSED_FILES = timedelta(
    days=1
)  # kept: longer than an upload takes, or a page that shows them is cached
_LOCK = 7_202_611_300  # the advisory lock of the files
_ENCODERS = BoundedSemaphore(
    1
)  # at a time in a process: an encoder takes a processor and much memory
_WAIT = 20  # seconds

_COPIED = ("position", "digest", "width", "height", "widths", "alt", "credit", "focal_x", "focal_y")


class TooManyPictures(Exception):
    """The show has MAX_PICTURES pictures."""


@dataclass(frozen=True)
class Caption:
    """What is written about a picture: a text in each language, who made it, and its focal point in percent."""

    alt: Mapping[str, str]
    credit: str = ""
    focal: tuple[int, int] = field(default=(50, 50))


def add_picture(show_id: int, upload: bytes, caption: Caption, by: int | None) -> Picture:
    """Add an uploaded picture as the show's last one.

    Raises Refused, StorageFull, StorageUnavailable, TooManyPictures; IntegrityError when the show is gone.
    """

    def add(session: Session, encoded: files.Encoded) -> Picture:
        last = session.execute(
            select(func.count(), func.max(Picture.position)).where(*_shown(show_id))
        ).one()
        if last[0] >= MAX_PICTURES:
            raise TooManyPictures
        picture = Picture(
            show_id=show_id,
            position=(last[1] or 0) + 1,
            alt=dict(caption.alt),
            credit=caption.credit,
            focal_x=caption.focal[0],
            focal_y=caption.focal[1],
            **_file_facts(encoded),
        )
        session.add(picture)
        return picture

    return _store(upload, by, add)


def replace_picture(picture_id: int, upload: bytes, by: int | None) -> Picture:
    """Put an upload in a picture's place, with its texts; the old one is removed. Raises as `add_picture`, and RowGone."""

    def replace(session: Session, encoded: files.Encoded) -> Picture:
        old = lock_row(session, Picture, picture_id)
        if old.removed_at is not None:  # replaced or removed meanwhile
            raise RowGone
        old.removed_at = now()
        new = Picture(
            show_id=old.show_id,
            position=old.position,
            alt=dict(old.alt),
            credit=old.credit,
            **_file_facts(encoded),
        )
        session.add(new)
        return new

    return _store(upload, by, replace)


def remove_picture(picture_id: int, by: int | None) -> Picture:
    """Remove a picture. It can be put back for KEPT_FOR. Raises RowGone."""
    with transaction() as session:
        record_author(session, by)
        picture = lock_row(session, Picture, picture_id)
        picture.removed_at = picture.removed_at or now()
        return picture


def put_back_picture(picture_id: int, by: int | None) -> Picture:
    """Put a removed picture back, as the last one. Raises RowGone, TooManyPictures."""
    with transaction() as session:
        record_author(session, by)
        _lock_files(session)
        picture = lock_row(session, Picture, picture_id)
        if picture.removed_at is None:
            return picture
        count, last = session.execute(
            select(func.count(), func.max(Picture.position)).where(*_shown(picture.show_id))
        ).one()
        if count >= MAX_PICTURES:
            raise TooManyPictures
        picture.removed_at = None
        picture.position = (last or 0) + 1
        return picture


def move_picture(picture_id: int, steps: int, by: int | None) -> Picture:
    """Move a picture by so many places, towards the poster when negative. Raises RowGone."""
    with transaction() as session:
        record_author(session, by)
        _lock_files(session)
        picture = lock_row(session, Picture, picture_id)
        others = [one for one in session.scalars(_in_order(picture.show_id)) if one is not picture]
        before = sum((one.position, one.id) < (picture.position, picture.id) for one in others)
        others.insert(max(0, min(before + steps, len(others))), picture)
        for position, one in enumerate(others, 1):
            if one.position != position:
                one.position = position
        return picture


def copy_pictures(session: Session, source_id: int, show_id: int) -> None:
    """Give another show the same pictures, in the caller's transaction: they share the files."""
    for one in session.scalars(_in_order(source_id)).all():
        copy = {name: getattr(one, name) for name in _COPIED}
        session.add(Picture(show_id=show_id, added_at=now(), **copy))


def pictures_of(show_id: int) -> Sequence[Picture]:
    """A show's pictures in order, the poster first."""
    return db.session.scalars(_in_order(show_id)).all()


def removed_pictures(show_id: int) -> Sequence[Picture]:
    """A show's removed pictures that can still be put back, the latest first."""
    return db.session.scalars(
        select(Picture)
        .where(Picture.show_id == show_id, Picture.removed_at > now() - KEPT_FOR)
        .order_by(Picture.removed_at.desc(), Picture.id.desc())
    ).all()


def posters_of(show_ids: Iterable[int]) -> dict[int, Picture]:
    """The posters of these shows by the show's id, in one statement."""
    first = (
        select(Picture)
        .ext(distinct_on(Picture.show_id))
        .where(Picture.show_id.in_(set(show_ids)), Picture.removed_at.is_(None))
        .order_by(Picture.show_id, Picture.position, Picture.id)
    )
    return {picture.show_id: picture for picture in db.session.scalars(first)}


def find_missing_files() -> dict[int, list[str]]:
    """The files that pictures in use name and MEDIA_DIR has not, by the show's id."""
    rows = db.session.execute(
        select(Picture.show_id, Picture.digest, Picture.widths)
        .where(Picture.removed_at.is_(None))
        .order_by(Picture.show_id, Picture.position)
    )
    found: dict[int, list[str]] = {}
    for show_id, digest, widths in rows:
        if missing := files.missing_files(digest, widths):
            found.setdefault(show_id, []).extend(missing)
    return found


def sweep() -> int:
    """Forget pictures that were removed KEPT_FOR ago, and delete files that no picture names; how many files."""
    with transaction() as session:
        _lock_files(session)
        session.execute(delete(Picture).where(Picture.removed_at < now() - KEPT_FOR))
        used = set(session.scalars(select(Picture.digest)))
        return files.sweep_files(used, _UNUSED_FILES.total_seconds())


def _store(
    upload: bytes, by: int | None, write: Callable[[Session, files.Encoded], Picture]
) -> Picture:
    # Encoding takes seconds: without a connection meanwhile.
    commit_read_transaction(db.session())
    if not _ENCODERS.acquire(timeout=_WAIT):
        raise Refused(Refusal.SLOW)
    try:
        with files.encode(upload) as encoded, transaction() as session:
            record_author(session, by)
            _lock_files(session)
            picture = write(session, encoded)
            session.flush()
            files.publish(encoded)
            return picture
    finally:
        _ENCODERS.release()


def _file_facts(encoded: files.Encoded) -> dict[str, object]:
    return {
        "digest": encoded.digest,
        "width": encoded.width,
        "height": encoded.height,
        "widths": encoded.widths,
        "added_at": now(),
    }


def _shown(show_id: int) -> tuple[ColumnElement[bool], ...]:
    return Picture.show_id == show_id, Picture.removed_at.is_(None)


def _in_order(show_id: int) -> Select[Picture]:
    return select(Picture).where(*_shown(show_id)).order_by(Picture.position, Picture.id)


def _lock_files(session: Session) -> None:
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))

"""Archives shows, and takes them back. An archived show is not published, and lists leave it out."""

from sqlalchemy import func, select

from azionelab.database import now, transaction
from azionelab.database.row_versions import lock_row, record_author
from azionelab.shows.models import Performance, Show


class StillPlayed(Exception):
    """The show has `coming` performances to come, so it cannot be archived."""

    def __init__(self, coming: int) -> None:
        super().__init__(f"{coming} to come")
        self.coming = coming


def archive_show(show_id: int, by: int | None) -> None:
    """Archive a show that is over; raises StillPlayed, RowGone."""
    with transaction() as session:
        show = lock_row(session, Show, show_id)
        record_author(session, by)
        if show.is_archived:
            return
        at = now()
        coming = session.scalar(
            select(func.count(Performance.id)).where(
                Performance.show_id == show_id,
                Performance.starts_at > at,
                Performance.cancelled_at.is_(None),
            )
        )
        if coming:
            raise StillPlayed(coming)
        show.published = False
        show.archived_at = at


def restore_show(show_id: int, by: int | None) -> None:
    """Take a show out of the archive; it is a draft then. Raises RowGone."""
    with transaction() as session:
        show = lock_row(session, Show, show_id)
        record_author(session, by)
        show.archived_at = None

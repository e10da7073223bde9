"""When what the programme tells of a performance changed last, read from the log of changes."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import array

from azionelab.database import db
from azionelab.database.audit import AuditEntry
from azionelab.shows.programme import Listing

# Of a performance that has not changed since the log began (release 0.4): no release is older.
BEFORE_THE_LOG = datetime(2026, 1, 1, tzinfo=UTC)
# The columns of performance, show and venue that the programme tells.
_TOLD = (
    *("show_id", "venue_id", "starts_at", "cancelled_at"),
    *("slug", "title", "titles", "summary", "summaries", "published", "listed"),
    *("name", "address"),
)


def change_times(performances: Sequence[Listing]) -> dict[int, datetime]:
    """The last change of each performance, its show or its venue, by the performance's id.

    Seats that are booked or come free are no change, nor is a new booking window.
    """
    objects = {each.id: _objects(each) for each in performances}
    entry = AuditEntry.object_type, AuditEntry.object_id
    told = AuditEntry.changes.has_any(array(_TOLD))
    rows = db.session.execute(
        select(*entry, func.max(AuditEntry.at))
        .where(
            tuple_(*entry).in_({each for known in objects.values() for each in known}),
            or_(AuditEntry.action == "created", told),
        )
        .group_by(*entry)
    )
    changed = {(kind, key): at for kind, key, at in rows}
    return {
        performance_id: max(changed.get(each, BEFORE_THE_LOG) for each in known)
        for performance_id, known in objects.items()
    }


def _objects(performance: Listing) -> tuple[tuple[str, str], ...]:
    return (
        ("performance", str(performance.id)),
        ("show", str(performance.show_id)),
        ("venue", str(performance.venue_id)),
    )

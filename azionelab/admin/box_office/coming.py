"""The performances that the box office can book."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from azionelab.database import db, now
from azionelab.shows.models import Performance

_STILL_ON = timedelta(hours=3)  # after the curtain people still come to the desk
_SHOWN = 100


def next_performances() -> Sequence[Performance]:
    """Those that play or come, the next one first, without the cancelled ones."""
    return db.session.scalars(
        select(Performance)
        .options(joinedload(Performance.show))
        .where(Performance.starts_at > now() - _STILL_ON, Performance.cancelled_at.is_(None))
        .order_by(Performance.starts_at, Performance.id)
        .limit(_SHOWN)
    ).all()

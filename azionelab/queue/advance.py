"""Moves a line forward: draws the lot when it opens, then lets in the next. No worker does it, but whoever asks."""

from datetime import datetime, timedelta

from sqlalchemy import Select, and_, bindparam, func, or_, select, text, update
from sqlalchemy.orm import Session

from azionelab.database import transaction
from azionelab.queue.models import Line, Place
from azionelab.queue.seats import read_seats

_LONGEST_BOOKING = timedelta(seconds=10)  # from the check that there is time to the commit
_BURST = timedelta(seconds=10)  # how much of the rate is kept while nobody asks
# Joining locks the row too, by its UPDATE: no place is given between the lot and its commit.
LINE: Select[Line] = (
    select(Line)
    .where(Line.id == bindparam("line"))
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)
# gen_random_uuid() is random enough for a lot; random() could be predicted.
_DRAW = text("""
    UPDATE public.queue_place AS place SET number = lot.number
    FROM (
        SELECT id, row_number() OVER (ORDER BY gen_random_uuid()) AS number
        FROM public.queue_place WHERE line_id = :line
    ) AS lot
    WHERE place.id = lot.id
""")


def is_due(line: Line, at: datetime) -> bool:
    """Whether `advance` may have something to do."""
    is_open = line.ended_at is None and at >= line.opens_at
    return is_open and (line.drawn_at is None or line.let_in < line.joined)


def advance(line_id: int, at: datetime) -> None:
    """Draw the lot if it is time, and let in as many as rate, people inside and seats allow. Owns its transaction."""
    with transaction() as session:
        line = session.scalars(LINE, {"line": line_id}).one_or_none()
        if line is None or not is_due(line, at):
            return
        if line.drawn_at is None:
            draw(session, line, at)
        _let_in(session, line, at)


def draw(session: Session, line: Line, at: datetime) -> None:
    """Number the places of a locked line by lot."""
    session.execute(_DRAW, {"line": line.id})
    line.drawn_at = at
    line.moved_at = at - _BURST


def _let_in(session: Session, line: Line, at: datetime) -> None:
    # At a slow pace, what is kept has to be enough for one.
    unused = min(at - line.moved_at, max(_BURST, timedelta(seconds=60 / line.per_minute)))
    allowed = int(unused.total_seconds() * line.per_minute / 60)
    inside = count_inside(session, line, at)
    by_pace = min(allowed, line.inside_limit - inside, line.joined - line.let_in)
    if by_pace < 1:
        return
    may_still_book = count_inside(session, line, at - _LONGEST_BOOKING)
    # Read after those inside: who books in between counts twice, and not as neither inside nor seats.
    seats = read_seats(line, at)
    count = min(by_pace, seats.room_beside(may_still_book))
    line.scarce = line.scarce or (seats.on_sale and count < by_pace)
    if count < 1:
        return
    let_in = line.let_in + count
    session.execute(
        update(Place)
        .where(Place.line_id == line.id, Place.number > line.let_in, Place.number <= let_in)
        .values(let_in_at=at)
        .execution_options(synchronize_session=False)
    )
    line.let_in = let_in
    line.moved_at = at - unused + timedelta(seconds=60 * count / line.per_minute)


def count_inside(session: Session, line: Line, at: datetime) -> int:
    """How many are let in, have time left, and have not booked; who left can come back in that time."""
    has_time = or_(
        Place.let_in_at > at - line.come_in,
        and_(Place.let_in_at > at - line.stay, Place.entered_at.is_not(None)),
    )
    inside = Place.line_id == line.id, has_time, Place.booked_at.is_(None)
    return session.scalar(select(func.count()).where(*inside)) or 0

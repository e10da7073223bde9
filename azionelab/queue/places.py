"""Places in a line: joining it, leaving and coming back, and who may book.

One mailbox has one place in a line, whatever it is asked by: tabs, networks, browsers. The mailbox is known by a keyed
digest alone.
"""

import hmac
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from azionelab.database import db, execute_autocommit, now, transaction, violated_constraint
from azionelab.queue.advance import advance
from azionelab.queue.models import JOINED_BEFORE, Line, Place
from azionelab.tokens import Purpose, make_token, read_token, secret_keys

# The number and the row in one statement, a transaction of its own: of two that join with one mailbox the key refuses
# one, with its number. The line's row is locked for as long as the server needs.
_JOIN = text("""
    WITH line AS (
        UPDATE public.queue_line SET joined = joined + 1
        WHERE id = :line AND ended_at IS NULL AND opens_at <= :latest
        RETURNING id, joined, drawn_at
    )
    INSERT INTO public.queue_place (id, line_id, mailbox, number, joined_at)
    SELECT :place, id, :mailbox, CASE WHEN drawn_at IS NOT NULL THEN joined END, :at FROM line
    RETURNING id
""")
# The place is locked first, so that a second press finds it at the end already and takes no number. `advance` holds the
# line and changes places that were not let in: none waits for this one.
_REJOIN = text("""
    WITH place AS (
        SELECT id FROM public.queue_place
        WHERE id = :place AND (
            booked_at IS NOT NULL OR let_in_at <= :missed OR entered_at IS NULL AND let_in_at <= :not_come_in
        ) FOR NO KEY UPDATE
    ), line AS (
        UPDATE public.queue_line SET joined = joined + 1
        FROM place WHERE queue_line.id = :line AND ended_at IS NULL
        RETURNING joined
    )
    UPDATE public.queue_place SET number = line.joined, let_in_at = NULL, entered_at = NULL, booked_at = NULL,
        left_at = NULL
    FROM line WHERE queue_place.id = :place
    RETURNING queue_place.id
""")


class LineClosed(Exception):
    """The line has ended, or cannot be joined yet."""


def join(line: Line, email_key: str) -> UUID:
    """The place of a mailbox (`mailbox_key`), a new one at the end of the line if it has none. Raises LineClosed."""
    if known := find_of_mailbox(line.id, email_key):
        return known.id
    at = now()
    if at >= line.opens_at and line.drawn_at is None:
        advance(line.id, at)  # who comes after the opening takes no part in the lot
    values = {
        "line": line.id,
        "place": uuid4(),
        "mailbox": _digests(email_key)[0],
        "at": at,
        "latest": at + JOINED_BEFORE,
    }
    try:
        joined = execute_autocommit(_JOIN, values)
    except IntegrityError as error:
        if violated_constraint(error) != "uq_queue_place_mailbox":
            raise
        if known := find_of_mailbox(line.id, email_key):
            return known.id
        raise
    if joined is None:
        raise LineClosed
    place_id: UUID = joined.id
    return place_id


def rejoin(place: Place, line: Line) -> bool:
    """Go to the end of the line after one's turn, used or missed; whether it is over."""
    at = now()
    missed = {"missed": at - line.stay, "not_come_in": at - line.come_in}
    values = {"line": line.id, "place": place.id, **missed}
    return execute_autocommit(_REJOIN, values) is not None


def come_in(place: Place, line: Line) -> None:
    """Use the turn: from now on there is time to book, when it is not over already."""
    at = now()
    with transaction() as session:
        session.execute(
            update(Place)
            .where(
                Place.id == place.id,
                Place.entered_at.is_(None),
                Place.let_in_at > at - line.come_in,
            )
            .values(entered_at=at)
        )


def give_up(place: Place) -> None:
    """Give one's turn to the next in line: the seats that are kept for it are free at once."""
    with transaction() as session:
        session.execute(
            update(Place)
            .where(Place.id == place.id, Place.let_in_at.is_not(None), Place.booked_at.is_(None))
            .values(booked_at=now())
        )


def leave(place_id: UUID) -> None:
    """Leave the line. The number stays, for who comes back."""
    with transaction() as session:
        session.execute(
            update(Place).where(Place.id == place_id, Place.left_at.is_(None)).values(left_at=now())
        )


def come_back(place_id: UUID) -> None:
    """Take back that one left."""
    with transaction() as session:
        session.execute(update(Place).where(Place.id == place_id).values(left_at=None))


def use_turn(session: Session, line_id: int, email_key: str) -> bool:
    """Count a mailbox as inside no longer, in the transaction of its booking; whether it had a turn that was not used.

    That its time is not over was asked before (`may_mailbox_book`).
    """
    turn = (
        _of_mailbox(line_id, email_key),
        Place.let_in_at.is_not(None),
        Place.booked_at.is_(None),
    )
    used = update(Place).where(*turn).values(booked_at=now()).returning(Place.id)
    return session.scalar(used.execution_options(synchronize_session=False)) is not None


def pass_to_mailbox(line_id: int, email_key: str, corrected: str) -> None:
    """Give a mailbox's place to the one that its booking was corrected to, so that the first cannot book again.

    When that one has a place of its own, the first place ends.
    """
    place = _of_mailbox(line_id, email_key)
    try:
        with transaction() as session:
            session.execute(update(Place).where(place).values(mailbox=_digests(corrected)[0]))
    except IntegrityError as error:
        if violated_constraint(error) != "uq_queue_place_mailbox":
            raise
        with transaction() as session:
            session.execute(delete(Place).where(place))


def find_of_mailbox(line_id: int, email_key: str) -> Place | None:
    """The place of a mailbox in a line."""
    return db.session.scalar(select(Place).where(_of_mailbox(line_id, email_key)))


def find_place(place_id: UUID) -> Place | None:
    """A place by its id."""
    return db.session.get(Place, place_id, populate_existing=True)


def find_in_line(place_id: UUID) -> tuple[Place, Line] | None:
    """A place and its line, both as they are now."""
    both = select(Place, Line).join(Line, Line.id == Place.line_id).where(Place.id == place_id)
    row = db.session.execute(both, execution_options={"populate_existing": True}).one_or_none()
    return (row[0], row[1]) if row else None


def place_token(place_id: UUID) -> str:
    """What leads back to a place, in its page's address and the browser's cookie."""
    return make_token(Purpose.QUEUE, place_id)


def place_id_of(token: str) -> UUID | None:
    """The place that a token leads to; None for a forged one."""
    return read_token(Purpose.QUEUE, token)


def may_mailbox_book(line: Line, email_key: str, at: datetime) -> bool:
    """Whether a mailbox is let in, has not booked yet, and its time is not over."""
    place = find_of_mailbox(line.id, email_key)
    return place is not None and place.may_book(line, at)


def _of_mailbox(line_id: int, email_key: str) -> ColumnElement[bool]:
    return (Place.line_id == line_id) & Place.mailbox.in_(_digests(email_key))


def _digests(email_key: str) -> list[bytes]:
    """The digest of a mailbox by SECRET_KEY, then by the older keys."""
    message = f"azionelab/queue/{email_key}".encode()
    return [hmac.digest(key.encode(), message, "sha256")[:16] for key in secret_keys()]

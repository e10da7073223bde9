"""Sessions of staff: their list, and logout of one, of the others, or of all of a person.

A session is a signed cookie, so deleting it in the browser does not end a copy of it. Each has a random id;
the ids of ended sessions are stored until their cookies have expired. For the list each login stores a row,
which is updated while the session is used.
"""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from flask import Flask, Response, after_this_request, request, session
from flask_login import user_logged_in, user_logged_out
from sqlalchemy import ColumnElement, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from azionelab.database import NestedTransaction, db, execute_autocommit, now, transaction
from azionelab.database.errors import CommitUnknown
from azionelab.staff.browsers import describe_browser, shorten_address
from azionelab.staff.models import EndedSession, StaffSession, User
from azionelab.staff.tokens import digest

SESSION_LIFE = timedelta(hours=12)  # a shift: from before the doors open until after they close
SEEN_EVERY = timedelta(minutes=10)  # how often a session's `seen_at` is written at most
_ID = "session_id"
_SEEN = text("""
    INSERT INTO staff_session AS known
        (digest, user_id, account_key, started_at, seen_at, browser, network)
    VALUES (:digest, :user_id, :account_key, :at, :at, :browser, :network)
    ON CONFLICT (digest) DO UPDATE SET seen_at = :at, browser = :browser, network = :network
""")


class AccountUnknown(Exception):
    """No account has this id."""


def init_sessions(app: Flask) -> None:
    """Give each login a session id, end it at logout, and reject ended sessions."""
    user_logged_in.connect(_begin, app)
    user_logged_out.connect(_end, app)
    manager = app.login_manager  # type: ignore[attr-defined]
    manager.user_loader(_reject_ended(manager._user_callback))


def end_sessions(user_id: int) -> None:
    """Log a person out on every device; copied cookies become invalid (ASVS 5.0, 7.4.1)."""
    with transaction() as database:
        user = database.get(User, user_id, with_for_update=True, populate_existing=True)
        if user is None:
            raise AccountUnknown
        user.fs_uniquifier = uuid4().hex
        database.execute(delete(StaffSession).where(StaffSession.user_id == user_id))


def end_session(user_id: int, session_digest: bytes) -> bool:
    """Log a person out of one session; False when they have no such session."""
    mine = (StaffSession.user_id == user_id, StaffSession.digest == session_digest)
    with transaction() as database:
        return bool(_end_all(database, *mine))


def end_other_sessions(user: User) -> int:
    """Log a person out everywhere but in this request's session; returns of how many sessions."""
    with transaction() as database:
        others = (*_of(user), StaffSession.digest != current_digest())
        return _end_all(database, *others)


def list_sessions(user: User) -> Sequence[StaffSession]:
    """A person's sessions, the one used last first."""
    newest_first = select(StaffSession).where(*_of(user)).order_by(StaffSession.seen_at.desc())
    return db.session.scalars(newest_first).all()


def delete_expired_sessions() -> None:
    """Delete the rows of sessions whose cookies have expired; the worker runs this hourly."""
    with transaction() as database:
        database.execute(delete(EndedSession).where(EndedSession.ended_at < _oldest()))
        database.execute(delete(StaffSession).where(StaffSession.seen_at < _oldest()))


def current_digest() -> bytes | None:
    """Which of the sessions is this request's."""
    identity = session.get(_ID)
    return digest(identity) if identity else None


def _of(user: User) -> tuple[ColumnElement[bool], ...]:
    return (
        StaffSession.user_id == user.id,
        StaffSession.account_key == digest(user.fs_uniquifier),
        StaffSession.seen_at > _oldest(),
    )


def _oldest() -> datetime:
    return now() - SESSION_LIFE


def _end_all(database: Session, *which: ColumnElement[bool]) -> int:
    digests = database.scalars(delete(StaffSession).where(*which).returning(StaffSession.digest))
    ended = [{"digest": one, "ended_at": now()} for one in digests]
    if ended:
        database.execute(insert(EndedSession).values(ended).on_conflict_do_nothing())
    return len(ended)


def _begin(_app: Flask, user: User, **_facts: Any) -> None:
    session[_ID] = secrets.token_urlsafe(16)

    # After the request, when the library's transaction has ended.
    @after_this_request
    def store(response: Response) -> Response:
        _note_seen(user.id, user.fs_uniquifier)
        return response


def _end(_app: Flask, user: User, **_facts: Any) -> None:
    identity = session.pop(_ID, None)
    if identity is None:  # a session of the previous release has no id: end all
        end_sessions(user.id)
        return
    with transaction() as database:
        database.execute(delete(StaffSession).where(StaffSession.digest == digest(identity)))
        database.execute(
            insert(EndedSession)
            .values(digest=digest(identity), ended_at=now())
            .on_conflict_do_nothing()
        )


def _reject_ended(load: Callable[[str], User | None]) -> Callable[[str], User | None]:
    def loaded(user_id: str) -> User | None:
        identity = session.get(_ID)
        if identity is None:
            return load(user_id)
        ended, seen_at = _read(digest(identity))
        user = None if ended else load(user_id)
        if user is not None and (seen_at is None or seen_at < now() - SEEN_EVERY):
            key = user.id, user.fs_uniquifier

            @after_this_request
            def store(response: Response) -> Response:
                _note_seen(*key)
                return response

        return user

    return loaded


def _read(session_digest: bytes) -> tuple[bool, datetime | None]:
    """Whether a session has ended, and when it was seen last; one statement for each request of staff."""
    ended = select(EndedSession.digest).where(EndedSession.digest == session_digest).exists()
    seen = select(StaffSession.seen_at).where(StaffSession.digest == session_digest)
    row = db.session.execute(select(ended, seen.scalar_subquery())).one()
    return row[0], row[1]


def _note_seen(user_id: int, uniquifier: str) -> None:
    """Store that this request's session is in use. The list is not worth a failed request."""
    session_digest = current_digest()
    if session_digest is None:  # the request logged out
        return
    values = {
        "digest": session_digest,
        "user_id": user_id,
        "account_key": digest(uniquifier),
        "at": now(),
        "browser": describe_browser(request.user_agent.string),
        "network": shorten_address(request.remote_addr or ""),
    }
    with suppress(SQLAlchemyError, CommitUnknown, NestedTransaction):
        execute_autocommit(_SEEN, values)

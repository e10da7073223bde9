"""The session of the current request, job or command, and whether it has written."""

from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, scoped_session

from azionelab.database.actors import announce_current
from azionelab.database.base import Base

IN_USE_CASE = "azionelab.in_use_case"
_WRITTEN = "azionelab.written"

db = SQLAlchemy(
    model_class=Base,
    # Objects stay readable after the commit: views show objects that rules returned.
    session_options={"expire_on_commit": False},
)


def _notice_writing(sessions: scoped_session[Any]) -> None:
    """Record in each session, until its transaction ends, that it sent a change to the database."""

    @event.listens_for(sessions, "before_flush")
    def flushing(session: Session, _context: object, _instances: object) -> None:
        # A library writes outside of `transaction()`, which announces by itself.
        if IN_USE_CASE not in session.info and _WRITTEN not in session.info:
            announce_current(session)

    @event.listens_for(sessions, "after_flush")
    def flushed(session: Session, _context: object) -> None:
        session.info[_WRITTEN] = True

    @event.listens_for(sessions, "do_orm_execute")
    def executed(asked: ORMExecuteState) -> None:
        if asked.is_insert or asked.is_update or asked.is_delete:
            asked.session.info[_WRITTEN] = True

    @event.listens_for(sessions, "after_transaction_end")
    def ended(session: Session, ended: SessionTransaction) -> None:
        if ended.parent is None:
            session.info.pop(_WRITTEN, None)


_notice_writing(db.session)


def has_changes(session: Session) -> bool:
    """Whether the session has uncommitted changes, flushed or not."""
    waiting = session.new or session.dirty or session.deleted
    return bool(waiting or session.info.get(_WRITTEN))

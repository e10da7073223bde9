"""Logout: of one session, or of all sessions of a person.

A session is a signed cookie, so deleting it in the browser does not end a copy of it. Each has a random id;
the ids of ended sessions are stored until their cookies have expired.
"""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from flask import Flask, flash, redirect, session, url_for
from flask_babel import gettext
from flask_login import current_user, user_logged_in, user_logged_out
from flask_security.decorators import auth_required
from flask_security.utils import logout_user
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from werkzeug.wrappers import Response

from azionelab.database import db, now, transaction
from azionelab.staff.models import EndedSession, User
from azionelab.staff.tokens import digest

SESSION_LIFE = timedelta(hours=12)  # a shift: from before the doors open until after they close
_ID = "session_id"


class AccountUnknown(Exception):
    """No account has this id."""


def init_sessions(app: Flask) -> None:
    """Give each login a session id, end it at logout, and reject ended sessions."""
    user_logged_in.connect(_begin, app)
    user_logged_out.connect(_end, app)
    manager = app.login_manager  # type: ignore[attr-defined]
    manager.user_loader(_reject_ended(manager._user_callback))
    app.add_url_rule(
        "/staff/logout-everywhere",
        "staff_logout_everywhere",
        auth_required("session")(_log_out_everywhere),
        methods=["POST"],
    )


def end_sessions(user_id: int) -> None:
    """Log a person out on every device; copied cookies become invalid (ASVS 5.0, 7.4.1)."""
    with transaction() as database:
        user = database.get(User, user_id, with_for_update=True, populate_existing=True)
        if user is None:
            raise AccountUnknown
        user.fs_uniquifier = uuid4().hex


def _begin(_app: Flask, **_facts: Any) -> None:
    session[_ID] = secrets.token_urlsafe(16)


def _end(_app: Flask, user: User, **_facts: Any) -> None:
    identity = session.pop(_ID, None)
    if identity is None:  # a session of the previous release has no id: end all
        end_sessions(user.id)
        return
    with transaction() as database:
        ended_at = now()
        database.execute(
            delete(EndedSession).where(EndedSession.ended_at < ended_at - SESSION_LIFE)
        )
        database.execute(
            insert(EndedSession)
            .values(digest=digest(identity), ended_at=ended_at)
            .on_conflict_do_nothing()
        )


def _reject_ended(load: Callable[[str], User | None]) -> Callable[[str], User | None]:
    def loaded(user_id: str) -> User | None:
        return None if _is_ended(session.get(_ID)) else load(user_id)

    return loaded


def _is_ended(identity: str | None) -> bool:
    if identity is None:
        return False
    ended = select(EndedSession.digest).where(EndedSession.digest == digest(identity))
    return db.session.scalar(ended) is not None


def _log_out_everywhere() -> Response:
    end_sessions(current_user.id)
    logout_user()
    flash(gettext("You have been logged out on all devices."))
    return redirect(url_for("security.login"))

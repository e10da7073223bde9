"""Logging in again before dangerous actions: one page asks for the password and sends the form on.

Nothing is stored: the page holds the submitted fields, and sends them to the same address with the password.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from time import time
from typing import Any, ParamSpec, TypeVar

from flask import Flask, current_app, make_response, render_template, request, session
from flask_login import current_user, user_logged_in
from flask_security.utils import verify_password
from werkzeug.wrappers import Response

from azionelab.extensions import security
from azionelab.staff.login_limits import count_password
from azionelab.web.busy_pages import read_form_fields

P = ParamSpec("P")
R = TypeVar("R")

FRESH = timedelta(minutes=15)
PROOF = "login_again_password"  # pages that repeat a form leave fields of this name empty
_AT = "logged_in_at"
_SECRET = "password"  # noqa: S105 (part of such a field's name)


def init_confirming(app: Flask) -> None:
    """Note the moment of each login in its session."""
    user_logged_in.connect(_note, app)


def ask_to_log_in_again() -> Response | None:
    """None when this request's login is at most FRESH old, or the request has the right password; else a page.

    For a POST of somebody who is logged in. The page's status is 401.
    """
    if session.get(_AT, 0) > time() - FRESH.total_seconds():
        return None
    typed = request.form.get(PROOF)
    if typed is not None:
        count_password(current_user)
        if _is_password(typed):
            session[_AT] = int(time())
            return None
    return _page(wrong=typed is not None)


def log_in_again_first(view: Callable[P, R]) -> Callable[P, Any]:
    """Let a view's POST through only after a login at most FRESH old."""

    @wraps(view)
    def confirmed(*args: P.args, **kwargs: P.kwargs) -> Any:
        page = ask_to_log_in_again() if request.method == "POST" else None
        return view(*args, **kwargs) if page is None else page

    return confirmed


def _note(_app: Flask, **_facts: object) -> None:
    session[_AT] = int(time())


def _is_password(typed: str) -> bool:
    stored = current_user.password
    normal = security.password_util.normalize(typed)
    return stored is not None and bool(verify_password(normal, stored))


def _page(*, wrong: bool) -> Response:
    ours = (current_app.config["WTF_CSRF_FIELD_NAME"], PROOF)
    sent = [
        (name, "" if _SECRET in name else value)
        for name, value in read_form_fields()
        if name not in ours
    ]
    page = make_response(
        render_template(
            "staff/confirm.html",
            sent=sent,
            action=request.full_path.rstrip("?"),
            proof=PROOF,
            wrong=wrong,
            minutes=int(FRESH.total_seconds()) // 60,
        ),
        401,
    )
    page.cache_control.no_store = True
    return page

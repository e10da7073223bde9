"""The second step of a login, and the way to set one up for whoever must have one.

After the right password the session holds the account's key until the second step; nobody is logged in before.
"""

from time import time
from typing import Any

from flask import Flask, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import user_logged_in
from flask_security.tf_plugin import TfPlugin
from flask_security.utils import _get_post_login_redirect, login_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from azionelab.extensions import security
from azionelab.staff.login_limits import count_code, limit_tries
from azionelab.staff.models import User
from azionelab.staff.second_factor.factors import (
    check_code,
    factors_of,
    needs_second_factor,
    use_recovery_code,
)

_PENDING = "second_step"
_DUE = "second_factor_due"
_WITHIN = 10 * 60  # seconds from the password to the second step
# Where somebody who must set up a second factor may go before. The door's phones need no login.
_CLOSED = ("/admin/", "/checkin/")
_OPEN = ("/checkin/app",)


class CodeForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """A code of the app, or a recovery code."""

    code = StringField(_("Code"), [InputRequired(_("Please enter a code.")), Length(max=40)])


class SecondStep(TfPlugin):
    """Flask-Security's hook between password and login."""

    def tf_enter(
        self,
        user: Any,
        remember_me: bool | None,  # noqa: ARG002 (the library's signature)
        primary_authn_via: str,  # noqa: ARG002
        next_loc: str | None,
    ) -> Response | None:
        """Redirect to the second step; None for an account without one."""
        if not factors_of(user.id).any:
            return None
        session[_PENDING] = {"key": user.fs_uniquifier, "at": int(time())}
        return redirect(url_for("staff_second_step", next=next_loc or None))


def init_second_step(app: Flask) -> None:
    """Put the second step between password and login, and lead those who need one to its set-up."""
    security.two_factor_plugins = SecondStep()
    user_logged_in.connect(_note_due, app)
    app.before_request(_lead_to_set_up)
    app.add_url_rule(
        "/staff/second", "staff_second_step", limit_tries(_second_step), methods=["GET", "POST"]
    )


def is_due() -> bool:
    """Whether this session may do nothing before a second factor is set up."""
    return bool(session.get(_DUE))


def set_up_done() -> None:
    """Open the back office for this session: a second factor has been set up."""
    session.pop(_DUE, None)


def _second_step() -> Any:
    user = _user_of_first_step()
    if user is None:
        session.pop(_PENDING, None)
        flash(gettext("Please log in again: the second step took too long."))
        return redirect(url_for("security.login"))
    form = CodeForm()
    if form.validate_on_submit():
        count_code(user)
        is_recovery, code = _read(form.code.data)
        if use_recovery_code(user.id, code) if is_recovery else check_code(user.id, code):
            return _complete(user, used_recovery_code=is_recovery)
        form.code.errors = [gettext("This code is wrong, or it was used already.")]
    return render_template(
        "staff/second_step.html",
        form=form,
        factors=factors_of(user.id),
        user_id=user.id,
        next=_next(),
    )


def _complete(user: User, *, used_recovery_code: bool) -> Response:
    session.pop(_PENDING, None)
    login_user(user)
    if used_recovery_code:
        flash(
            gettext(
                "You have used a recovery code; %(left)s are left. If your phone is lost, set up another one.",
                left=factors_of(user.id).recovery_codes,
            )
        )
        return redirect(url_for("staff_account"))
    return redirect(_get_post_login_redirect())


def _user_of_first_step() -> User | None:
    pending = session.get(_PENDING)
    if not pending or pending["at"] < time() - _WITHIN:
        return None
    user: Any = security.datastore.find_user(fs_uniquifier=pending["key"])
    return user if user is not None and user.active else None


def _read(typed: str) -> tuple[bool, str]:
    """Whether it is a recovery code, and the code without spaces: six digits are an app's."""
    code = "".join(typed.split()).replace("-", "")
    return not (code.isascii() and code.isdigit()), code


def _next() -> str:
    return request.values.get("next", "")


def _note_due(_app: Flask, user: User, **_facts: object) -> None:
    if needs_second_factor(user) and not factors_of(user.id).any:
        session[_DUE] = True
    else:
        session.pop(_DUE, None)


def _lead_to_set_up() -> Response | None:
    if not request.path.startswith(_CLOSED) or request.path.startswith(_OPEN):
        return None
    return redirect(url_for("staff_account")) if is_due() else None

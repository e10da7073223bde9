"""The page of one's own account: where one is logged in, and the log-outs."""

from flask import Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from flask_security.decorators import auth_required
from flask_security.utils import logout_user
from werkzeug.wrappers import Response

from azionelab.staff.pages.second_step import is_due
from azionelab.staff.second_factor.factors import factors_of
from azionelab.staff.second_factor.passkeys import are_possible, list_passkeys
from azionelab.staff.sessions import (
    current_digest,
    end_other_sessions,
    end_session,
    end_sessions,
    list_sessions,
)


def add_account_pages(app: Flask) -> None:
    """Register the page and what its buttons send."""
    for address, endpoint, view in (
        ("/staff/sessions/end", "staff_end_session", _end_session),
        ("/staff/sessions/others", "staff_end_other_sessions", _end_other_sessions),
        ("/staff/logout-everywhere", "staff_logout_everywhere", _log_out_everywhere),
    ):
        app.add_url_rule(address, endpoint, auth_required("session")(view), methods=["POST"])
    app.add_url_rule("/staff/account", "staff_account", auth_required("session")(_account))


def _account() -> str:
    return render_template(
        "staff/account.html",
        account=current_user,
        sessions=list_sessions(current_user),
        here=current_digest(),
        factors=factors_of(current_user.id),
        passkeys=list_passkeys(current_user.id),
        passkeys_possible=are_possible(),
        due=is_due(),
    )


def _end_session() -> Response:
    try:
        session_digest = bytes.fromhex(request.form.get("session", ""))
    except ValueError:
        session_digest = b""
    if session_digest and session_digest == current_digest():
        logout_user()
        return redirect(url_for("security.login"))
    if end_session(current_user.id, session_digest):
        flash(gettext("That device has been logged out."))
    else:
        flash(gettext("That device was logged out already."))
    return redirect(url_for("staff_account"))


def _end_other_sessions() -> Response:
    end_other_sessions(current_user)
    flash(gettext("All other devices have been logged out."))
    return redirect(url_for("staff_account"))


def _log_out_everywhere() -> Response:
    end_sessions(current_user.id)
    logout_user()
    flash(gettext("You have been logged out on all devices."))
    return redirect(url_for("security.login"))

"""Binds Flask-Security: its settings, its pages under /staff/, and ours beside them."""

from datetime import timedelta
from typing import Any

from flask import Flask, abort, redirect, url_for
from flask_babel import force_locale, get_locale
from flask_login import current_user
from flask_login.utils import _user_context_processor
from flask_security.babel import FsDomain
from flask_security.datastore import SQLAlchemyUserDatastore
from flask_security.decorators import auth_required
from flask_security.forms import LoginForm
from flask_security.views import login
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response

from azionelab.database import db
from azionelab.extensions import csrf, security
from azionelab.staff.accounts import PASSWORD_LENGTH
from azionelab.staff.commands import reset_second_factor_command
from azionelab.staff.login_limits import (
    init_login_limits,
    limit_logins,
    limit_password_changes,
    limit_tries,
)
from azionelab.staff.models import Role, User
from azionelab.staff.pages.confirm import init_confirming
from azionelab.staff.pages.invitation import accept_invitation
from azionelab.staff.pages.own_account import add_account_pages
from azionelab.staff.pages.passkeys import add_passkey_pages
from azionelab.staff.pages.second_factors import add_second_factor_pages
from azionelab.staff.pages.second_step import init_second_step
from azionelab.staff.reset import ask_for_reset
from azionelab.staff.rights import Right, has_right
from azionelab.staff.sessions import SESSION_LIFE, init_sessions

_SETTINGS: dict[str, Any] = {
    "PERMANENT_SESSION_LIFETIME": SESSION_LIFE,
    "SECURITY_URL_PREFIX": "/staff",
    "SECURITY_POST_LOGIN_VIEW": "staff_home",
    "SECURITY_POST_LOGOUT_VIEW": "security.login",
    "SECURITY_LOGOUT_METHODS": ["POST"],
    "SECURITY_CHANGEABLE": True,
    "SECURITY_POST_CHANGE_VIEW": "staff_home",
    "SECURITY_SEND_PASSWORD_CHANGE_EMAIL": False,
    "SECURITY_SEND_PASSWORD_RESET_EMAIL": False,  # the worker sends it (azionelab.staff.reset)
    "SECURITY_SEND_PASSWORD_RESET_NOTICE_EMAIL": False,
    "SECURITY_RESET_PASSWORD_WITHIN": timedelta(hours=2),
    # The library's default writes `private=True`, which is not a valid directive.
    "SECURITY_CACHE_CONTROL": {"private": None, "no-store": None},
    "SECURITY_RETURN_GENERIC_RESPONSES": True,
    "SECURITY_API_ENABLED_METHODS": ["session"],
    "SECURITY_FRESHNESS": timedelta(seconds=-1),  # no second password prompt within a session
    "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
    "SECURITY_PASSWORD_LENGTH_MIN": PASSWORD_LENGTH,
    "SECURITY_PASSWORD_HASH": "argon2",
    # Argon2 salts each password itself. A second salt, made from SECRET_KEY, would lock
    # everybody out when that key is changed.
    "SECURITY_PASSWORD_SINGLE_HASH": True,
    # OWASP's minimum: 19 MiB each, so that a few logins at a time fit into a worker's memory.
    "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
        "argon2__memory_cost": 19 * 1024,
        "argon2__time_cost": 2,
        "argon2__parallelism": 1,
    },
}


def init_security(app: Flask) -> None:
    """Bind Flask-Security to the application: the login pages under /staff/."""
    app.config.from_mapping(_SETTINGS)
    security.recoverable = app.config["AZIONELAB"].mail_server is not None
    security.init_app(app, SQLAlchemyUserDatastore(db, User, Role), login_form=_LoginForm)
    # Forms only: no JSON, so no bearer token that would outlive a logout. The loader that looks for a token
    # would also read the whole request body, however large.
    security.want_json(lambda _request: False)
    app.login_manager.request_loader(lambda _request: None)  # type: ignore[attr-defined]
    # Rights are checked where they matter (has_right), not loaded for every request.
    security.principal.identity_loaders.clear()
    security.i18n_domain = _Translations(app)  # type: ignore[no-untyped-call]
    app.jinja_env.globals["_fsdomain"] = security.i18n_domain.gettext
    init_sessions(app)
    init_login_limits(app)
    # The view checks the CSRF token itself, so that an expired one shows the form again.
    app.view_functions["security.login"] = csrf.exempt(limit_logins(_log_in))
    change: Any = app.view_functions["security.change_password"]
    app.view_functions["security.change_password"] = limit_password_changes(change)
    if security.recoverable:
        app.view_functions["security.forgot_password"] = limit_tries(ask_for_reset)
    _look_up_users_when_needed(app)
    app.add_url_rule("/staff/", "staff_home", auth_required("session")(_home))
    init_confirming(app)
    init_second_step(app)
    add_account_pages(app)
    add_second_factor_pages(app)
    add_passkey_pages(app)
    app.cli.add_command(reset_second_factor_command)
    app.add_url_rule(
        "/staff/accept/<token>",
        "staff_accept",
        limit_tries(accept_invitation),
        methods=["GET", "POST"],
    )


def _look_up_users_when_needed(app: Flask) -> None:
    """Load the user when a template uses `current_user`, not for each page.

    Flask-Login's context processor loads it for every page, error pages included, which then fail while the
    database is down.
    """
    processors = app.template_context_processors[None]
    processors[processors.index(_user_context_processor)] = lambda: {"current_user": current_user}


class _LoginForm(LoginForm):
    """The login form, without "remember me": phones at the door change hands."""

    remember = None

    def validate(self, **kwargs: Any) -> bool:
        """Normalize the password first; for unknown accounts the library would hash it as typed."""
        self.password.data = security.password_util.normalize(self.password.data or "")
        return bool(super().validate(**kwargs))


def _log_in() -> Any:
    """The login view; with an expired CSRF token the form comes back (400) with the address typed."""
    try:
        return login()
    except CSRFError:
        template = "security/login_user.html"
        return security.render_template(template, login_user_form=_LoginForm(), stale=True), 400


class _Translations(FsDomain):
    """Flask-Security's own texts; its Italian catalogue is named it_IT."""

    def get_translations(self) -> Any:
        if str(get_locale()) != "it":
            return super().get_translations()
        with force_locale("it_IT"):
            return super().get_translations()


def _home() -> Response:
    """After login: redirect to the back office, or to the door."""
    if not has_right(current_user, Right.VIEW) and not has_right(current_user, Right.ADMIT):
        abort(403)
    return redirect(
        url_for("admin.index" if has_right(current_user, Right.VIEW) else "checkin.evenings")
    )

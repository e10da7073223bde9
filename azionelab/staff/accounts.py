"""Staff accounts: creating and changing them, and binding Flask-Security for login."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from flask import Flask, abort, redirect, url_for
from flask_babel import force_locale, get_locale, gettext
from flask_login import current_user
from flask_login.utils import _user_context_processor
from flask_security.babel import FsDomain
from flask_security.datastore import SQLAlchemyUserDatastore
from flask_security.decorators import auth_required
from flask_security.forms import LoginForm
from flask_security.utils import hash_password
from flask_security.views import login
from flask_wtf.csrf import CSRFError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from azionelab.database import db, transaction, violated_constraint
from azionelab.database.row_versions import Edit, Merged, RowGone, lock_row, merge
from azionelab.extensions import csrf, security
from azionelab.staff.login_limits import (
    init_login_limits,
    limit_logins,
    limit_password_changes,
    limit_tries,
)
from azionelab.staff.models import Role, RoleName, User
from azionelab.staff.reset import ask_for_reset
from azionelab.staff.rights import Right, has_right, role_of
from azionelab.staff.sessions import SESSION_LIFE, init_sessions
from azionelab.validation.email_addresses import normalize_account_address
from azionelab.validation.text import is_one_line

PASSWORD_LENGTH = 12  # characters at least; NIST SP 800-63B asks for length, not for composition

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


class AccountError(ValueError):
    """An account cannot be created or changed as asked; the message is for people, about `field`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def create_account(email: str, role: str, password: str, name: str = "") -> User:
    """Create an account that can log in at once.

    Raises AccountError for an invalid or taken address, a name with control characters, an unknown role
    or a weak password.
    """
    address = account_address(email)
    name = _shown_name(name)
    hashed = _hash(password, address)
    try:
        with transaction() as session:
            user = User(
                email=address,
                name=name,
                password=hashed,
                roles=[_get_role(session, role)],
                fs_uniquifier=uuid4().hex,
            )
            session.add(user)
            return user
    except IntegrityError as error:
        if violated_constraint(error) != "uq_user_account_email":
            raise
        raise AccountError("email", gettext("This address already has an account.")) from error


def change_account(user_id: int, edit: Edit) -> Merged:
    """Change an account's role, `active`, name and, if one is given, password.

    Deactivating an account or changing its password ends all its sessions. Raises RowGone, EditConflict,
    and AccountError for an unknown role, a weak password, an edit that would leave no administrator, and
    one by which the editor (`edit.by`) would deactivate or demote their own account.
    """
    email = db.session.scalar(select(User.email).where(User.id == user_id))
    if email is None:
        raise RowGone
    hashed = _hash(edit.wanted["password"], email) if edit.wanted.get("password") else None
    with transaction() as session:
        # Serializes two administrators who demote each other at the same time.
        session.execute(select(Role.id).where(Role.name == RoleName.ADMIN).with_for_update())
        user = lock_row(session, User, user_id)
        had_admin = _has_admin(session)
        merged = merge(session, user, edit, _as_in_its_form(user))
        if edit.by == user_id:
            _keep_ones_own(user, merged.write)
        _write_account(session, user, merged.write, hashed)
        session.flush()
        if had_admin and not _has_admin(session):
            raise AccountError("role", gettext("At least one administrator must remain."))
        return merged


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


def account_address(email: str) -> str:
    """The address as an account has it; raises AccountError when it is none."""
    try:
        return normalize_account_address(email)
    except ValueError as error:
        raise AccountError("email", gettext("This is not a valid e-mail address.")) from error


def _hash(password: str, email: str) -> str:
    problems, normal = security.password_util.validate(password, is_register=True, email=email)
    if problems:
        raise AccountError("password", " ".join(problems))
    return str(hash_password(normal))


def _shown_name(name: str) -> str:
    if not is_one_line(name):
        raise AccountError("name", gettext("This contains characters that cannot be displayed."))
    return name.strip()


def _get_role(session: Session, name: str) -> Role:
    role = session.scalar(select(Role).where(Role.name == name))
    if role is None:
        known = ", ".join(RoleName)
        raise AccountError(
            "role",
            gettext("Unknown role %(role)s. Choose one of: %(known)s.", role=name, known=known),
        )
    return role


def _as_in_its_form(user: User) -> dict[str, Any]:
    return {"name": user.name, "active": user.active, "role": role_of(user), "password": ""}


def _write_account(
    session: Session, user: User, changes: Mapping[str, Any], hashed: str | None
) -> None:
    if "name" in changes:
        user.name = _shown_name(changes["name"])
    user.active = changes.get("active", user.active)
    if "role" in changes:
        user.roles = [_get_role(session, changes["role"])]
    if hashed:
        user.password = hashed
    if hashed or not user.active:
        user.fs_uniquifier = uuid4().hex


def _keep_ones_own(user: User, changes: Mapping[str, Any]) -> None:
    if not changes.get("active", user.active):
        raise AccountError(
            "active",
            gettext("This is your own account: only another administrator can deactivate it."),
        )
    if "role" in changes:
        raise AccountError(
            "role",
            gettext("This is your own account: only another administrator can change its role."),
        )


def _has_admin(session: Session) -> bool:
    admins = select(User.id).join(User.roles).where(Role.name == RoleName.ADMIN, User.active)
    return bool(session.scalar(select(admins.exists())))

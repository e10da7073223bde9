"""Rights and the roles that have them. A new role has none until it is added here."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import abort
from flask_login import current_user
from flask_security.decorators import auth_required

from azionelab.staff.models import RoleName, User

P = ParamSpec("P")
R = TypeVar("R")

MANAGES_ACCOUNTS = (RoleName.ADMIN,)
RUNS_SEASON = (RoleName.ADMIN, RoleName.STAFF)
MANAGES_MAILS = (
    RoleName.ADMIN,
    RoleName.STAFF,
)  # the mails' pages; a booking's page resends under RUNS_SEASON
ADMITS_PEOPLE = (RoleName.ADMIN, RoleName.STAFF, RoleName.DOOR)

_HIGHEST_FIRST = (RoleName.ADMIN, RoleName.STAFF, RoleName.DOOR)


def role_of(user: User) -> str | None:
    """The highest of an account's roles."""
    held = {role.name for role in user.roles}
    return next((name.value for name in _HIGHEST_FIRST if name in held), None)


def has_role(user: Any, *roles: RoleName) -> bool:
    """Whether `user` (Flask-Login's, perhaps anonymous) has one of `roles`."""
    return bool(user.is_authenticated) and any(role.name in roles for role in user.roles)


def may_admit(user: Any) -> bool:
    """Whether `user` may let people in."""
    return has_role(user, *ADMITS_PEOPLE)


def door_required(view: Callable[P, R]) -> Callable[P, R]:
    """Restrict a view to people who may admit: others are asked to log in, or get 403."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not may_admit(current_user):
            abort(403)
        return view(*args, **kwargs)

    asked_to_log_in: Callable[P, R] = auth_required("session")(guarded)
    return asked_to_log_in

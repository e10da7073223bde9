"""Rights and the roles that have them. A new role has none until it is added here.

docs/permissions.md is written from this module and from the views of the back office.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import abort
from flask_login import current_user
from flask_security.decorators import auth_required

from azionelab.staff.models import RoleName, User

P = ParamSpec("P")
R = TypeVar("R")


class Right(StrEnum):
    """What somebody may do."""

    VIEW = "view"
    BOOK = "book"
    RUN_PERFORMANCE = "run-performance"
    MANAGE_SEASON = "manage-season"
    MANAGE_MAILS = "manage-mails"
    EXPORT = "export"
    ERASE = "erase"
    ADMIT = "admit"
    VIEW_LOG = "view-log"
    MANAGE_ACCOUNTS = "manage-accounts"


# For docs/permissions.md.
MEANINGS: Mapping[Right, str] = {
    Right.VIEW: "see the season, reservations with names, mails' delivery, and figures",
    Right.BOOK: "book for somebody, change and cancel reservations, resend their mails, write notes",
    Right.RUN_PERFORMANCE: "open the door with phones, release the seats of no-shows, switch re-entry",
    Right.MANAGE_SEASON: "create, change and cancel shows, performances and venues",
    Right.MANAGE_MAILS: "resend failed mails, write to an audience, change mail texts",
    Right.EXPORT: "download lists with names",
    Right.ERASE: "erase a visitor's name and address",
    Right.ADMIT: "admit people at the door",
    Right.VIEW_LOG: "read the log of all changes, with who made them and from which network address",
    Right.MANAGE_ACCOUNTS: "create and change accounts and tokens",
}

ROLES: Mapping[RoleName, frozenset[Right]] = {
    RoleName.ADMIN: frozenset(Right),
    RoleName.MANAGER: frozenset(Right) - {Right.MANAGE_ACCOUNTS},
    RoleName.BOX_OFFICE: frozenset(
        {Right.VIEW, Right.BOOK, Right.RUN_PERFORMANCE, Right.EXPORT, Right.ADMIT}
    ),
    RoleName.DOOR: frozenset({Right.ADMIT}),
    RoleName.READ_ONLY: frozenset({Right.VIEW}),
}


def role_of(user: User) -> str | None:
    """The first of an account's roles, in the order of ROLES."""
    held = {role.name for role in user.roles}
    return next((name.value for name in ROLES if name in held), None)


def has_right(user: Any, right: Right) -> bool:
    """Whether `user` (Flask-Login's, perhaps anonymous) has a role with this right."""
    return bool(user.is_authenticated) and any(
        right in rights
        for name, rights in ROLES.items()
        if name in {role.name for role in user.roles}
    )


def door_required(view: Callable[P, R]) -> Callable[P, R]:
    """Restrict a view to people who may admit: others are asked to log in, or get 403."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not has_right(current_user, Right.ADMIT):
            abort(403)
        return view(*args, **kwargs)

    asked_to_log_in: Callable[P, R] = auth_required("session")(guarded)
    return asked_to_log_in

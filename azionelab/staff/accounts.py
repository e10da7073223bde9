"""Staff accounts: creating and changing them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from flask import current_app
from flask_babel import gettext
from flask_security.utils import hash_password
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from azionelab.database import transaction, violated_constraint
from azionelab.database.row_versions import Edit, Merged, lock_row, merge
from azionelab.extensions import security
from azionelab.staff.models import Role, RoleName, User
from azionelab.staff.rights import role_of
from azionelab.validation.email_addresses import normalize_account_address
from azionelab.validation.text import is_one_line

PASSWORD_LENGTH = 12  # characters at least; NIST SP 800-63B asks for length, not for composition


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
    name = shown_name(name)
    hashed = hash_new_password(password, address)
    with refuse_taken_address(), transaction() as session:
        return add_user(session, address, role, hashed, name)


def add_user(session: Session, address: str, role: str, password: str | None, name: str) -> User:
    """Insert an account in the caller's transaction; raises AccountError for an unknown role."""
    user = User(
        email=address,
        name=name,
        password=password,
        roles=[get_role(session, role)],
        fs_uniquifier=uuid4().hex,
    )
    session.add(user)
    session.flush()
    return user


@contextmanager
def refuse_taken_address() -> Iterator[None]:
    """Raise AccountError when the block's transaction inserts an account whose address has one."""
    try:
        yield
    except IntegrityError as error:
        if violated_constraint(error) != "uq_user_account_email":
            raise
        raise AccountError("email", gettext("This address already has an account.")) from error


def change_account(user_id: int, edit: Edit) -> Merged:
    """Change an account's role, `active` and name.

    Deactivating an account ends all its sessions, and so does a role of SECOND_FACTOR_REQUIRED. Raises RowGone, EditConflict, and AccountError for an unknown
    role, an edit that would leave no administrator, and one by which the editor (`edit.by`) would deactivate or
    demote their own account.
    """
    with transaction() as session:
        # Serializes two administrators who demote each other at the same time.
        session.execute(select(Role.id).where(Role.name == RoleName.ADMIN).with_for_update())
        user = lock_row(session, User, user_id)
        had_admin = has_admin(session)
        merged = merge(session, user, edit, _as_in_its_form(user))
        if edit.by == user_id:
            _keep_ones_own(user, merged.write)
        _write_account(session, user, merged.write)
        session.flush()
        if had_admin and not has_admin(session):
            raise AccountError("role", gettext("At least one administrator must remain."))
        return merged


def account_address(email: str) -> str:
    """The address as an account has it; raises AccountError when it is none."""
    try:
        return normalize_account_address(email)
    except ValueError as error:
        raise AccountError("email", gettext("This is not a valid e-mail address.")) from error


def hash_new_password(password: str, email: str) -> str:
    """The digest of a new password; raises AccountError for a weak one."""
    problems, normal = security.password_util.validate(password, is_register=True, email=email)
    if problems:
        raise AccountError("password", " ".join(problems))
    return str(hash_password(normal))


def shown_name(name: str) -> str:
    """The name as an account has it; raises AccountError when it cannot be displayed."""
    if not is_one_line(name):
        raise AccountError("name", gettext("This contains characters that cannot be displayed."))
    return name.strip()


def get_role(session: Session, name: str) -> Role:
    """The role; raises AccountError when it is unknown."""
    role = session.scalar(select(Role).where(Role.name == name))
    if role is None:
        known = ", ".join(RoleName)
        raise AccountError(
            "role",
            gettext("Unknown role %(role)s. Choose one of: %(known)s.", role=name, known=known),
        )
    return role


def _as_in_its_form(user: User) -> dict[str, Any]:
    return {"name": user.name, "active": user.active, "role": role_of(user)}


def _write_account(session: Session, user: User, changes: Mapping[str, Any]) -> None:
    if "name" in changes:
        user.name = shown_name(changes["name"])
    user.active = changes.get("active", user.active)
    if "role" in changes:
        user.roles = [get_role(session, changes["role"])]
    # A session that began with another role has not been asked for a second step.
    required = current_app.config["AZIONELAB"].second_factor_required
    if not user.active or changes.get("role") in required:
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


def has_admin(session: Session) -> bool:
    """Whether an administrator can log in: not one who has yet to accept an invitation."""
    is_admin = (Role.name == RoleName.ADMIN, User.active, User.password.is_not(None))
    admins = select(User.id).join(User.roles).where(*is_admin)
    return bool(session.scalar(select(admins.exists())))

"""What roles and tokens allow, in words."""

from flask_babel import gettext

from azionelab.admin.accounts.forms import ROLES
from azionelab.database import now
from azionelab.staff.models import PasswordLink, Role, User
from azionelab.staff.tokens import Scope


def describe_role(role: Role) -> str:
    """The label that the account form has for a role."""
    return next((str(choice.label) for choice in ROLES if choice.value == role.name), role.name)


def describe_state(user: User, link: PasswordLink | None) -> str:
    """Whether an account can log in, and what is missing."""
    if not user.active:
        return gettext("not active")
    if user.password is not None:
        return gettext("active")
    if link is None or link.expires_at <= now():
        return gettext("invited, the link has expired")
    if link.refusal:
        return gettext("invited, but the mail was refused")
    return gettext("invited, not yet accepted")


def describe_scope(scope: str) -> str:
    """What a phone or a program may do at the door."""
    return {
        Scope.DOOR: gettext("Full access to the door"),
        Scope.SCAN: gettext("Scanning only"),
    }[Scope(scope)]

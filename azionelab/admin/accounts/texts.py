"""What roles and tokens allow, in words."""

from flask_babel import gettext

from azionelab.admin.accounts.forms import ROLES
from azionelab.staff.models import Role
from azionelab.staff.tokens import Scope


def describe_role(role: Role) -> str:
    """The label that the account form has for a role."""
    return next((str(choice.label) for choice in ROLES if choice.value == role.name), role.name)


def describe_scope(scope: str) -> str:
    """What a phone or a program may do at the door."""
    return {
        Scope.DOOR: gettext("Full access to the door"),
        Scope.SCAN: gettext("Scanning only"),
    }[Scope(scope)]

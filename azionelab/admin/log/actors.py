"""Who made a change, in words."""

from flask_babel import gettext

from azionelab.admin.log.names import Names
from azionelab.database.audit import ActorKind, AuditEntry

_SYSTEM = ("worker", "program")


def describe_actor(entry: AuditEntry, names: Names) -> str:  # noqa: PLR0911 (one text for each)
    """Who made a change."""
    match entry.actor:
        case ActorKind.STAFF:
            return names.get("user_account", entry.account_id) or gettext("A former account")
        case ActorKind.DOOR:
            label = names.get("api_token", entry.token_id) or gettext("removed")
            return gettext("The device “%(label)s”", label=label)
        case ActorKind.API:
            label = names.get("program_token", entry.token_id) or gettext("removed")
            return gettext("The program “%(label)s”", label=label)
        case ActorKind.SYSTEM if entry.source in _SYSTEM:
            return gettext("The system")
        case ActorKind.SYSTEM:
            return gettext("The command “%(name)s”", name=entry.source)
    if entry.object_type == "reservation":
        return gettext("The visitor")
    return gettext("Somebody without an account")

"""Recorded values as people read them: dates, yes and no, names in place of ids."""

from datetime import datetime
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from azionelab.admin.accounts.forms import ROLES
from azionelab.admin.accounts.texts import describe_scope
from azionelab.admin.log.names import Names
from azionelab.admin.messages.texts import name_language
from azionelab.admin.rows.edit_conflicts import format_moment
from azionelab.bookings.models import State
from azionelab.languages import LOCALES
from azionelab.staff.tokens import Scope

_SHOWN = 80  # characters of a value
_STATES: dict[str, str] = {
    State.PENDING: _("not confirmed yet"),
    State.CONFIRMED: _("confirmed"),
    State.CANCELLED: _("cancelled"),
    State.EXPIRED: _("expired"),
    State.WAITING: _("on the waitlist"),
}


def is_empty(value: Any) -> bool:
    """Whether a value says nothing."""
    return value is None or value == ""


def format_value(name: str, value: Any, names: Names) -> str:  # noqa: PLR0911 (one for each kind)
    """A field's value; texts in quotation marks."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, int) and not name.endswith("_id"):
        return str(value)
    if name.endswith("_id"):
        return _name(name, value, names)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        # A text in several languages.
        value = ", ".join(f"{code}: {text}" for code, text in value.items() if text)
    if name == "state":
        return str(_STATES.get(value, value))
    if name == "locale":
        return name_language(value) if value in LOCALES else str(value)
    if name == "scope" and value in tuple(Scope):
        return describe_scope(value)
    if moment := _moment(name, value):
        return format_moment(moment)
    text = str(value)
    return gettext("“%(text)s”", text=text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def _name(name: str, value: Any, names: Names) -> str:
    known = names.get(name.removesuffix("_id"), value)
    if name == "role_id" and known is not None:
        labels = {choice.value: str(choice.label) for choice in ROLES}
        return labels.get(known, known).partition(":")[0]
    return gettext("“%(text)s”", text=known) if known else gettext("one that was deleted")


def _moment(name: str, value: Any) -> datetime | None:
    if not name.endswith(("_at", "_until")) or not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None

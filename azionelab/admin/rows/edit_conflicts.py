"""Messages about concurrent edits: somebody else changed a row while its form was open."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flask import flash
from flask_babel import gettext
from flask_login import current_user
from wtforms import TextAreaField

from azionelab.admin.rows.fields import EditedForm
from azionelab.database import db
from azionelab.database.row_versions import EditConflict, FieldChange
from azionelab.staff.models import User
from azionelab.web.dates import format_date, format_time

_SHOWN = 80  # characters of a value within a message

Labels = Mapping[str, str]


def flash_changes(form: EditedForm | None, labels: Labels, changes: Iterable[FieldChange]) -> None:
    """Flash what others changed since the form was loaded."""
    for change in changes:
        flash(_describe_change(form, labels, change), "info")


def mark_clashes(form: EditedForm, labels: Labels, conflict: EditConflict) -> None:
    """Put the conflict into the form: the input stays, each conflicting field gets an error."""
    form.rebase(conflict)
    for name, change in conflict.clashes.items():
        field = form[name]
        field.errors = [*field.errors, _describe_clash(form, name, change, conflict.stored[name])]
        if isinstance(field, TextAreaField):
            stored = conflict.stored[name] or ""  # the template shows the whole text, to copy from
            field.stored = "\n\n".join(stored.values()) if isinstance(stored, dict) else stored
    flash(
        gettext(
            "Nothing was saved: somebody changed the same fields while you had this page open. Your entries"
            " are still here."
        ),
        "error",
    )
    flash_changes(form, labels, conflict.meanwhile.values())


def flash_row_changed(labels: Labels, conflict: EditConflict) -> None:
    """Flash that nothing was done because the row has changed since the page was loaded."""
    flash(
        gettext(
            "Nothing was done: this was changed while you had the page open. Please check it and press again."
        ),
        "error",
    )
    flash_changes(None, labels, conflict.meanwhile.values())


def name_author(account_id: int | None, source: str = "") -> str:
    """The name of who made a change: an account or a program."""
    if account_id is not None and account_id == current_user.id:
        return gettext("You (on another page)")
    user = None if account_id is None else db.session.get(User, account_id)
    return str(user) if user else source or gettext("Somebody outside the back office")


def format_moment(moment: datetime) -> str:
    """A date and time."""
    return f"{format_date(moment, 'medium')}, {format_time(moment)}"


def _describe_change(form: EditedForm | None, labels: Labels, change: FieldChange) -> str:
    facts = {
        "who": name_author(change.account_id, change.source),
        "field": _label(form, labels, change.field),
        "at": format_moment(change.changed_at),
    }
    if change.old is change.new is None:
        return gettext("%(who)s has changed this: %(field)s (%(at)s).", **facts)
    return gettext(
        "%(who)s has changed this: %(field)s, from “%(old)s” to “%(new)s” (%(at)s).",
        old=_format_value(form, change.field, change.old),
        new=_format_value(form, change.field, change.new),
        **facts,
    )


def _describe_clash(form: EditedForm, name: str, change: FieldChange | None, stored: Any) -> str:
    if change is None:
        return gettext(
            "It is now “%(now)s”. The value that you saw before is not known: please compare.",
            now=_format_value(form, name, stored),
        )
    facts = {
        "who": name_author(change.account_id, change.source),
        "at": format_moment(change.changed_at),
    }
    if change.old is change.new is None:
        return gettext("%(who)s changed this at %(at)s.", **facts)
    return gettext(
        "%(who)s changed this from “%(old)s” to “%(new)s” (%(at)s).",
        old=_format_value(form, name, change.old),
        new=_format_value(form, name, change.new),
        **facts,
    )


def _label(form: EditedForm | None, labels: Labels, name: str) -> str:
    if form is not None and name in form:
        return str(form[name].label.text)
    return str(labels.get(name, name))


def _format_value(form: EditedForm | None, name: str, value: Any) -> str:
    if isinstance(value, dict):
        value = " / ".join(text for text in value.values() if text)
    if value is None or value == "":
        return gettext("nothing")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, datetime):
        return format_moment(value)
    choices = getattr(form[name], "choices", None) if form is not None and name in form else None
    named = {choice.value: choice.label for choice in choices or ()}
    text = str(named.get(str(value), value))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"

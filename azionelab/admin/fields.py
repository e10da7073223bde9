"""What the forms of rows share: the version they were made from, and choices that are made by people."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, HiddenField, SelectField
from wtforms.fields.choices import Choice
from wtforms.validators import InputRequired

from azionelab.database.row_versions import Edit, EditConflict

_NOT_OF_THE_ROW = {"csrf_token", "version"}


class RequiredChoice(SelectField):  # type: ignore[misc]  # WTForms has no types
    """One of several. None is chosen beforehand: the first would be saved by whoever overlooks it."""

    def __init__(self, label: str, coerce: Callable[[Any], Any] = str, **facts: Any) -> None:
        super().__init__(
            label,
            [InputRequired()],
            coerce=lambda typed: None if typed == "" else coerce(typed),
            **facts,
        )

    def iter_choices(self) -> list[Choice]:
        """The choices, and before them the empty one."""
        return [
            Choice("", gettext("Please choose"), self.data is None, {}),
            *super().iter_choices(),
        ]


class VersionField(HiddenField):  # type: ignore[misc]
    """The version that a form was made from. One that is not sent is not taken from the row."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was sent."""
        self.data = "".join(valuelist)


class EditedForm(FlaskForm):  # type: ignore[misc]
    """A form of a row. A new row's has no version."""

    version = VersionField()

    def wanted(self) -> dict[str, Any]:
        """What was typed, by the names of the fields."""
        return {field.name: field.data for field in self if field.name not in _NOT_OF_THE_ROW}

    def edit(self, by: int) -> Edit:
        """What the account `by` wants the row to be."""
        return Edit(read_version(self.version.data), self.wanted(), self.left_as, by)

    def left_as(self, name: str, stored: Any) -> bool:
        """Whether a field holds what comes back when a form shows `stored` and nobody touches it.

        A form shows no seconds, and takes spaces at the end away: that is not the person's change.
        """
        return bool(self[name].data == self._sent_back(name, stored))

    def rebase(self, conflict: EditConflict) -> None:
        """Make it a form of the newer version: what the person changed stays as typed."""
        for name in conflict.meanwhile.keys() & self.wanted().keys():
            self[name].raw_data = None
            self[name].process_data(conflict.stored[name])
        self.version.data = str(conflict.version)

    def _sent_back(self, name: str, stored: Any) -> Any:
        shown, sent = self._another(name), self._another(name)
        shown.process(None, stored)
        # A box has a value whether it is ticked or not; only a ticked one is sent.
        box = isinstance(shown, BooleanField)
        text = shown._value() if hasattr(shown, "_value") else shown.data
        off = not shown.data if box else text is None
        sent.process(MultiDict() if off else MultiDict({name: str(text)}))
        return sent.data

    def _another(self, name: str) -> Field:
        unbound = dict(self._unbound_fields)[name]
        translations = self.meta.get_translations(self)
        return self.meta.bind_field(
            self, unbound, {"name": name, "prefix": "", "translations": translations}
        )


def read_version(sent: str | None) -> int:
    """The version that a form was made from, 0 when it names none."""
    return int(sent) if sent and sent.isascii() and sent.isdigit() and len(sent) < 10 else 0

"""Fields of the back office's forms: a row's version, choices, lines and texts, moments on the theatre's clock."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import gettext
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    Field,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import Choice
from wtforms.validators import InputRequired, ValidationError

from azionelab.database.row_versions import Edit, EditConflict
from azionelab.shows.local_time import AmbiguousTime, NoSuchTime, from_local
from azionelab.validation.text import has_visible_character, is_multiline_text, is_one_line

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


class Line(StringField):  # type: ignore[misc]  # WTForms has no types
    """One line of text, its outer spaces taken away, without control characters.

    One of which nothing is seen is empty. InputRequired would look at what was typed instead.
    """

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed."""
        typed = "".join(valuelist)
        self.data = typed.strip() if has_visible_character(typed) else ""

    def pre_validate(self, form: FlaskForm) -> None:  # noqa: ARG002 (WTForms' signature)
        """Refuse what no page can show and no database keep."""
        if not is_one_line(self.data or ""):
            raise ValidationError(gettext("This holds characters that cannot be shown."))


class Text(TextAreaField):  # type: ignore[misc]
    """Several lines of text."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed, with the line ends of a file."""
        self.data = "".join(valuelist).replace("\r\n", "\n").strip()

    def pre_validate(self, form: FlaskForm) -> None:  # noqa: ARG002
        """Refuse what no page can show and no database keep."""
        if not is_multiline_text(self.data or ""):
            raise ValidationError(gettext("This holds characters that cannot be shown."))


class LocalTime(DateTimeLocalField):  # type: ignore[misc]
    """A moment, written and shown on the theatre's clock; `data` is aware, or None."""

    def __init__(self, label: str, validators: Sequence[Any], **facts: Any) -> None:
        # As browsers send it: without seconds, unless somebody gave them.
        formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        super().__init__(label, validators, format=formats, **facts)

    def process_data(self, value: datetime | None) -> None:
        """Take a moment from the database or a default."""
        self.data = value.astimezone(_zone()) if value else None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed; a time that the clocks skip or show twice is an error."""
        if not any(valuelist):
            self.data = None
            return
        super().process_formdata(valuelist)
        typed: Any = self.data
        try:
            self.data = from_local(typed, _zone())
        except NoSuchTime:
            raise ValueError(
                gettext("The clocks skip this time that night. Please choose another.")
            ) from None
        except AmbiguousTime:
            raise ValueError(
                gettext("The clocks show this time twice that night. Please choose another.")
            ) from None
        except OverflowError:
            raise ValueError(self.gettext("Not a valid datetime value.")) from None


def _zone() -> ZoneInfo:
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    return zone

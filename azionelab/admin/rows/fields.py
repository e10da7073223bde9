"""Form fields of the back office: row version, choices, lines, texts, local times."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    Field,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import Choice
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from azionelab.database.row_versions import Edit, EditConflict
from azionelab.shows.local_time import AmbiguousTime, NoSuchTime, from_local
from azionelab.validation.text import has_visible_character, is_multiline_text, is_one_line

_NOT_OF_THE_ROW = {"csrf_token", "version"}


class RequiredChoice(SelectField):  # type: ignore[misc]  # WTForms has no types
    """A choice without a default: a preselected first option would be saved by accident."""

    def __init__(self, label: str, coerce: Callable[[Any], Any] = str, **facts: Any) -> None:
        super().__init__(
            label,
            [InputRequired()],
            coerce=lambda typed: None if typed == "" else coerce(typed),
            **facts,
        )

    def iter_choices(self) -> list[Choice]:
        """The empty choice, then the others."""
        return [
            Choice("", gettext("Please choose"), self.data is None, {}),
            *super().iter_choices(),
        ]


class VersionField(HiddenField):  # type: ignore[misc]
    """The row version that the form was loaded with; empty, not the row's own, when it is not sent."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the submitted value."""
        self.data = "".join(valuelist)


class EditedForm(FlaskForm):  # type: ignore[misc]
    """A form of a row; that of a new row has no version."""

    version = VersionField()

    def wanted(self) -> dict[str, Any]:
        """The submitted values by field name."""
        return {field.name: field.data for field in self if field.name not in _NOT_OF_THE_ROW}

    def edit(self, by: int) -> Edit:
        """The edit that the account `by` submitted."""
        return Edit(read_version(self.version.data), self.wanted(), self.left_as, by)

    def left_as(self, name: str, stored: Any) -> bool:
        """Whether the submitted value is what the form sends back when `stored` is shown and not changed.

        Forms drop seconds and trailing spaces; that does not count as a change.
        """
        return bool(self[name].data == self._sent_back(name, stored))

    def rebase(self, conflict: EditConflict) -> None:
        """Load the newer version into the fields that the person did not change."""
        for name in conflict.meanwhile.keys() & self.wanted().keys():
            self[name].raw_data = None
            self[name].process_data(conflict.stored[name])
        self.version.data = str(conflict.version)

    def _sent_back(self, name: str, stored: Any) -> Any:
        shown, sent = self._another(name), self._another(name)
        shown.process(None, stored)
        # Browsers send only ticked checkboxes, though each has a value.
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
    """Parse a submitted row version; 0 when there is none."""
    return int(sent) if sent and sent.isascii() and sent.isdigit() and len(sent) < 10 else 0


class Line(StringField):  # type: ignore[misc]  # WTForms has no types
    """One line of text, stripped, without control characters.

    Input without a visible character becomes empty. (InputRequired would look at the raw input.)
    """

    def process_formdata(self, valuelist: list[str]) -> None:
        """Strip the input; without a visible character it is empty."""
        typed = "".join(valuelist)
        self.data = typed.strip() if has_visible_character(typed) else ""

    def pre_validate(self, form: FlaskForm) -> None:  # noqa: ARG002 (WTForms' signature)
        """Refuse characters that cannot be shown or stored."""
        if not is_one_line(self.data or ""):
            raise ValidationError(gettext("This contains characters that cannot be displayed."))


class Text(TextAreaField):  # type: ignore[misc]
    """Several lines of text."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Strip the input and normalize its line ends to \\n."""
        self.data = "".join(valuelist).replace("\r\n", "\n").strip()

    def pre_validate(self, form: FlaskForm) -> None:  # noqa: ARG002
        """Refuse characters that cannot be shown or stored."""
        if not is_multiline_text(self.data or ""):
            raise ValidationError(gettext("This contains characters that cannot be displayed."))


class LocalTime(DateTimeLocalField):  # type: ignore[misc]
    """A time shown and entered in the theatre's time zone; `data` is aware, or None."""

    def __init__(self, label: str, validators: Sequence[Any], **facts: Any) -> None:
        # Browsers omit seconds unless they were entered.
        formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        super().__init__(label, validators, format=formats, **facts)

    def process_data(self, value: datetime | None) -> None:
        """Convert a stored or default time to the theatre's time zone."""
        self.data = value.astimezone(_zone()) if value else None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Parse the input; a local time that does not exist or is ambiguous (clock change) is an error."""
        if not any(valuelist):
            self.data = None
            return
        super().process_formdata(valuelist)
        typed: Any = self.data
        try:
            self.data = from_local(typed, _zone())
        except NoSuchTime:
            raise ValueError(
                gettext(
                    "This time does not exist: the clocks go forward that night. Please choose another."
                )
            ) from None
        except AmbiguousTime:
            raise ValueError(
                gettext(
                    "This time occurs twice: the clocks go back that night. Please choose another."
                )
            ) from None
        except OverflowError:
            raise ValueError(self.gettext("Not a valid date and time.")) from None


def _zone() -> ZoneInfo:
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    return zone


def within_party(form: Any, field: Field) -> None:
    """No more wheelchair places than the party's `seats`."""
    if form.seats.data is not None and field.data > form.seats.data:
        raise ValidationError(gettext("There cannot be more wheelchair places than seats."))


def wheelchair_places_field(
    most: int, description: Any = "", *checks: Callable[[Any, Field], None]
) -> IntegerField:
    """How many of the seats are wheelchair places; left empty it is none."""
    return IntegerField(
        _("Wheelchair places among them"),
        [Optional(), NumberRange(0, most), *checks],
        default=0,
        filters=[lambda number: number or 0],
        description=description,
    )

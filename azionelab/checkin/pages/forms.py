"""Forms of the door's pages."""

from uuid import UUID, uuid4

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    ValidationError,
    validators,
)

from azionelab.checkin.limits import MAX_DOOR, MAX_PEOPLE, MAX_WALK_INS
from azionelab.checkin.verdicts import Way
from azionelab.validation.text import is_one_line


def _one_line(_form: object, field: Field) -> None:
    if not is_one_line(field.data or ""):
        raise ValidationError(
            gettext("The name of the door holds characters that cannot be shown.")
        )


def _way() -> SelectField:
    # Pages from before 0.4 do not send it.
    return SelectField(choices=list(Way), coerce=_read_way, validate_choice=False, default=Way.ANY)


def _read_way(sent: str | None) -> Way:
    return Way(sent) if sent in tuple(Way) else Way.ANY


class ScanForm(FlaskForm):  # type: ignore[misc]
    """A scan. `scan_id` makes it idempotent: a form sent twice counts once."""

    scan_id = HiddenField(validators=[validators.UUID()])
    code = StringField(_("Ticket code or reference"), [validators.InputRequired()])
    people = IntegerField(
        _("People"), [validators.Optional(), validators.NumberRange(1, MAX_PEOPLE)]
    )
    seen = IntegerField(validators=[validators.Optional(), validators.NumberRange(0, MAX_PEOPLE)])
    late = BooleanField()
    way = _way()
    door = HiddenField(validators=[validators.Length(max=MAX_DOOR), _one_line])

    @classmethod
    def blank(cls, code: str = "", door: str = "") -> "ScanForm":
        """A form for the next scan, at the door of that name."""
        return cls(formdata=None, scan_id=str(uuid4()), code=code, door=door)

    @property
    def identity(self) -> UUID:
        """`scan_id` as a UUID."""
        return UUID(self.scan_id.data)


class WalkInForm(FlaskForm):  # type: ignore[misc]
    """Walk-ins. `scan_id` as in `ScanForm`."""

    scan_id = HiddenField(validators=[validators.UUID()])
    people = IntegerField(
        _("People"), [validators.InputRequired(), validators.NumberRange(1, MAX_WALK_INS)]
    )
    way = _way()
    door = HiddenField(validators=[validators.Length(max=MAX_DOOR), _one_line])


class UndoForm(FlaskForm):  # type: ignore[misc]
    """Undo an admission."""

    scan_id = HiddenField(validators=[validators.UUID()])

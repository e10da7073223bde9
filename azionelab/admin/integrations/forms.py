"""The form of a program's token."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from azionelab.admin.rows.fields import Line
from azionelab.integrations.tokens import MAX_DAYS, Scope
from azionelab.shows.limits import MAX_LINE

SCOPES = {
    Scope.SEASON: _("Read the season: shows, performances and their counts"),
    Scope.CHANGE_SEASON: _("Add, change and cancel shows and performances"),
    Scope.RESERVATIONS: _("Read reservations, with names and addresses"),
    Scope.CHANGE_RESERVATIONS: _("Book, change, move and cancel reservations"),
    Scope.EXPORTS: _("Download lists as files, with names and addresses"),
}


class ProgramTokenForm(FlaskForm):  # type: ignore[misc]
    """A new token."""

    label = Line(
        _("Program"),
        [DataRequired(), Length(max=MAX_LINE)],
        description=_("Who will use the token, such as “The theatre's site”."),
    )
    season = BooleanField(SCOPES[Scope.SEASON])
    change_season = BooleanField(SCOPES[Scope.CHANGE_SEASON])
    reservations = BooleanField(SCOPES[Scope.RESERVATIONS])
    change_reservations = BooleanField(SCOPES[Scope.CHANGE_RESERVATIONS])
    exports = BooleanField(
        SCOPES[Scope.EXPORTS], description=_("Give a program no more than it needs.")
    )
    days = IntegerField(
        _("Valid for (days)"), [InputRequired(), NumberRange(1, MAX_DAYS)], default=90
    )

    @property
    def scopes(self) -> list[Scope]:
        """The scopes that were ticked."""
        return [scope for scope, field in self._boxes().items() if field.data]

    def _boxes(self) -> dict[Scope, BooleanField]:
        return {
            Scope.SEASON: self.season,
            Scope.CHANGE_SEASON: self.change_season,
            Scope.RESERVATIONS: self.reservations,
            Scope.CHANGE_RESERVATIONS: self.change_reservations,
            Scope.EXPORTS: self.exports,
        }

    def validate(self, extra_validators: dict[str, Any] | None = None) -> bool:
        """Check the fields; a token without a scope would be good for nothing."""
        if not super().validate(extra_validators):
            return False
        if not self.scopes:
            (*_others, last) = self._boxes().values()
            last.errors = [gettext("Choose at least one.")]
            return False
        return True

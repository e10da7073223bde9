"""The form that changes many evenings of a show at once."""

from datetime import timedelta
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, SelectField
from wtforms.validators import NumberRange, Optional

from azionelab.admin.rows.fields import LocalTime
from azionelab.admin.season.run_form import MAX_DAYS, venue_choices
from azionelab.shows.limits import MAX_PARTY
from azionelab.shows.models import MAX_CAPACITY
from azionelab.shows.runs.changes import RunChange

_SHIFT = MAX_DAYS * 1440  # minutes


class ChangeForm(FlaskForm):  # type: ignore[misc]  # WTForms has no types
    """What to change; an empty field leaves the evenings as they are."""

    days = IntegerField(
        _("Later by days"),
        [Optional(), NumberRange(-MAX_DAYS, MAX_DAYS)],
        description=_("At the same time of day. With a minus: earlier."),
    )
    minutes = IntegerField(
        _("Later by minutes"),
        [Optional(), NumberRange(-_SHIFT, _SHIFT)],
        description=_("With a minus: earlier."),
    )
    venue_id = SelectField(_("Venue"), default="")
    capacity = IntegerField(_("Seats"), [Optional(), NumberRange(0, MAX_CAPACITY)])
    party_limit = IntegerField(
        _("Maximum seats per booking"), [Optional(), NumberRange(1, MAX_PARTY)]
    )
    opens_at = LocalTime(_("Booking opens"), [Optional()])
    opens_days = IntegerField(
        _("or so many days before each evening"), [Optional(), NumberRange(0, MAX_DAYS)]
    )
    closes_minutes = IntegerField(
        _("Booking closes, minutes before the curtain"), [Optional(), NumberRange(0, _SHIFT)]
    )
    seen = HiddenField()  # the digest of the preview

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.venue_id.choices = [("", gettext("as it is")), *venue_choices()]

    def change(self, *, cancel: bool) -> RunChange:
        """The change of a valid form."""
        if cancel:
            return RunChange(cancel=True)
        closes = self.closes_minutes.data
        return RunChange(
            days=self.days.data or 0,
            minutes=self.minutes.data or 0,
            venue_id=int(self.venue_id.data) if self.venue_id.data else None,
            capacity=self.capacity.data,
            party_limit=self.party_limit.data,
            opens_at=self.opens_at.data,
            opens_days=self.opens_days.data,
            closes_before=None if closes is None else timedelta(minutes=closes),
        )

    def validate(self, extra_validators: dict[str, Any] | None = None) -> bool:
        """Check the fields; booking opens in one way."""
        if not super().validate(extra_validators):
            return False
        if self.opens_at.data is not None and self.opens_days.data is not None:
            self.opens_days.errors = [gettext("Please fill in one of the two.")]
            return False
        return True

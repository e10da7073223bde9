"""Forms of venues, holidays and performances."""

import re
import unicodedata
from typing import Any, ClassVar

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import Select, not_, select
from wtforms import DateField, FloatField, IntegerField, SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from azionelab.admin.rows.fields import (
    EditedForm,
    Line,
    LocalTime,
    RequiredChoice,
    Text,
    wheelchair_places_field,
)
from azionelab.admin.rows.translated import TranslatedForm, add_language_fields
from azionelab.checkin.house.name_matching import plain_letters
from azionelab.database import db, now
from azionelab.shows.limits import (
    CLOSES_BEFORE,
    MAX_LINE,
    MAX_PARTY,
    MAX_SLUG,
    MAX_TEXT,
    PARTY_LIMIT,
)
from azionelab.shows.models import MAX_CAPACITY, Show, Venue


class VenueForm(TranslatedForm):
    """A venue."""

    in_languages: ClassVar = {"directions": "directions"}

    name = Line(_("Name"), [DataRequired(), Length(max=MAX_LINE)])
    address = Line(_("Address"), [Length(max=MAX_LINE)])
    default_capacity = IntegerField(
        _("Usual seats"),
        [Optional(), NumberRange(0, MAX_CAPACITY)],
        description=_("The seats of a new performance here, unless it is given another number."),
    )
    latitude = FloatField(
        _("Latitude"),
        [Optional(), NumberRange(-90, 90)],
        description=_(
            "With the longitude, for the map that pages link to, as 44.494887. Without both the map searches the"
            " address."
        ),
    )
    longitude = FloatField(_("Longitude"), [Optional(), NumberRange(-180, 180)])

    def validate(self, extra_validators: dict[str, Any] | None = None) -> bool:
        """Check the fields; coordinates are two or none."""
        if not super().validate(extra_validators):
            return False
        for one, other in ((self.latitude, self.longitude), (self.longitude, self.latitude)):
            if one.data is None and other.data is not None:
                one.errors = [gettext("Please enter both coordinates, or none.")]
                return False
        return True


add_language_fields(
    VenueForm,
    "directions",
    lambda: Text(_("How to get there"), [Length(max=MAX_TEXT)], render_kw={"rows": 4}),
    "latitude",
)


class HolidayForm(EditedForm):
    """Days on which the theatre is closed."""

    name = Line(_("Name"), [DataRequired(), Length(max=MAX_LINE)])
    first_day = DateField(_("First day"), [InputRequired()])
    last_day = DateField(
        _("Last day"), [Optional()], description=_("Leave empty for a single day.")
    )

    def validate(self, extra_validators: dict[str, Any] | None = None) -> bool:
        """Check the fields; a single day is its own last day."""
        if not any(self.last_day.raw_data or ()):
            self.last_day.data = self.first_day.data
        if not super().validate(extra_validators):
            return False
        if self.last_day.data < self.first_day.data:
            self.last_day.errors = [gettext("The last day is before the first.")]
            return False
        return True


class PerformanceForm(EditedForm):
    """A performance. Booking closes an hour before the curtain by default."""

    show_id = RequiredChoice(_("Show"), coerce=int)
    venue_id = RequiredChoice(_("Venue"), coerce=int)
    starts_at = LocalTime(
        _("Curtain"),
        [InputRequired()],
        description=_(
            "If the curtain time or the venue changes, visitors who have booked are notified by e-mail."
        ),
    )
    capacity = IntegerField(
        _("Seats"),
        [Optional(), NumberRange(0, MAX_CAPACITY)],
        description=_("Leave empty for the venue's own number."),
    )
    wheelchair_places = wheelchair_places_field(
        MAX_CAPACITY,
        _("Only parties with a wheelchair can book these. A companion has an ordinary seat."),
    )
    party_limit = IntegerField(
        _("Maximum seats per booking"),
        [InputRequired(), NumberRange(1, MAX_PARTY)],
        default=PARTY_LIMIT,
    )
    booking_opens_at = LocalTime(
        _("Booking opens"), [InputRequired()], default=lambda: now().replace(second=0)
    )
    booking_closes_at = LocalTime(
        _("Booking closes"),
        [Optional()],
        description=_(
            "Leave empty for one hour before the curtain. If the curtain time changes, both booking times"
            " move with it, unless you change them too."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.show_id.choices = _choices(
            select(Show.id, Show.title)
            .where(not_(Show.is_archived) | (Show.id == _shown_id(self)))
            .order_by(Show.title)
        )
        self.venue_id.choices = _choices(select(Venue.id, Venue.name).order_by(Venue.name))
        for field in (self.show_id, self.venue_id):
            if not field.choices:
                field.description = gettext("There are none yet: add one first.")

    def validate(self, extra_validators: dict[str, Any] | None = None) -> bool:
        """Check each field; the rules and the database check that they fit together."""
        self._take_usual_seats()
        if not super().validate(extra_validators):
            return False
        if self.capacity.data is None:
            self.capacity.errors = [gettext("How many seats? The venue has no usual number.")]
            return False
        if self.wheelchair_places.data > self.capacity.data:
            self.wheelchair_places.errors = [
                gettext("There cannot be more wheelchair places than seats.")
            ]
            return False
        curtain, closes_at = self.starts_at.data, self.booking_closes_at.data
        if curtain is not None and closes_at is None:
            self.booking_closes_at.data = curtain - CLOSES_BEFORE
        return True

    def _take_usual_seats(self) -> None:
        left_empty = not any(self.capacity.raw_data or ())
        if self.capacity.data is None and left_empty and self.venue_id.data:
            venue = db.session.get(Venue, self.venue_id.data)
            self.capacity.data = venue.default_capacity if venue else None


def _shown_id(form: Any) -> int:
    """The show that the form holds, which may be archived by now."""
    return form.show_id.data or 0


def slug_of(title: str) -> str:
    """Make a show's slug from its title: `Così è (se vi pare)` gives `cosi-e-se-vi-pare`."""
    plain = plain_letters(unicodedata.normalize("NFKD", title))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_SLUG].strip("-")


def _choices(rows: Select[int, str]) -> list[SelectChoice]:
    return [SelectChoice(str(row[0]), row[1]) for row in db.session.execute(rows)]

"""The form by which staff enter what a visitor tells the door: how late they come."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import SelectChoice

from azionelab.admin.rows.fields import RequiredChoice
from azionelab.bookings.door_notes import MINUTES


class LateForm(FlaskForm):  # type: ignore[misc]
    """How late a party comes."""

    minutes = RequiredChoice(_("Expected late"), coerce=int)

    def offer(self) -> "LateForm":
        """Offer the delays that visitors can report, and "in time"."""
        self.minutes.choices = [
            SelectChoice("0", gettext("on time")),
            *(
                SelectChoice(str(n), gettext("about %(minutes)s minutes late", minutes=n))
                for n in MINUTES
            ),
        ]
        return self

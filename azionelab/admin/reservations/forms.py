"""Forms of a reservation's page: fewer seats, a note for the door, how late a party comes."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import IntegerField, SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from azionelab.admin.rows.fields import Line, RequiredChoice
from azionelab.bookings.door_notes import MINUTES
from azionelab.bookings.models import MAX_NOTE
from azionelab.shows.limits import MAX_PARTY


class FewerSeatsForm(FlaskForm):  # type: ignore[misc]
    """A smaller party."""

    seats = IntegerField(_("Seats"), [InputRequired(), NumberRange(1, MAX_PARTY)])


class NoteForm(FlaskForm):  # type: ignore[misc]
    """A note about a party for the door."""

    note = Line(
        _("Note for the door"),
        [Length(max=MAX_NOTE)],
        description=_(
            "Door staff see it when they admit the party, such as “wheelchair, row 1” or “guest of the"
            " company”. Write only what they need to know. It is erased together with the name."
        ),
        render_kw={"maxlength": MAX_NOTE, "autocomplete": "off"},
    )
    # The note as the page showed it, to detect that somebody else changed it.
    note_seen = Line()


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

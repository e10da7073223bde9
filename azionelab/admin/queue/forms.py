"""Forms of the queue: opening a line, and how fast it lets in."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, SelectField
from wtforms.validators import InputRequired, NumberRange, Optional

from azionelab.admin.rows.fields import LocalTime
from azionelab.queue.lines import INSIDE, MOST_SEATS, PER_MINUTE, STAY_MINUTES, Pace
from azionelab.queue.models import MAX_INSIDE, MAX_PER_MINUTE, MAX_STAY, Line
from azionelab.shows.limits import MAX_PARTY


class PaceForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """How fast a line lets in. `seen` is the pace that the form was made from."""

    per_minute = IntegerField(
        _("Let in a minute"),
        [InputRequired(), NumberRange(1, MAX_PER_MINUTE)],
        default=PER_MINUTE,
    )
    inside_limit = IntegerField(
        _("Most people inside at once"),
        [InputRequired(), NumberRange(1, MAX_INSIDE)],
        default=INSIDE,
        description=_("Let in, with time left, and not done yet."),
    )
    stay_minutes = IntegerField(
        _("Minutes to book"), [InputRequired(), NumberRange(1, MAX_STAY)], default=STAY_MINUTES
    )
    most_seats = IntegerField(
        _("Most seats in a booking"),
        [Optional(), NumberRange(1, MAX_PARTY)],
        default=MOST_SEATS,
        description=_(
            "While the line is open. Fewer let more people have seats. Empty: as many as the performance allows."
        ),
    )
    id = HiddenField()
    seen = HiddenField()

    @classmethod
    def of(cls, line: Line) -> "PaceForm":
        """The form of a line."""
        form = cls(formdata=None, obj=line, prefix=f"line-{line.id}-")
        form.seen.data = str(Pace.of(line))
        return form

    @property
    def pace(self) -> Pace:
        """What was typed."""
        return Pace(
            self.per_minute.data,
            self.inside_limit.data,
            self.stay_minutes.data,
            self.most_seats.data,
        )


class OpenForm(PaceForm):
    """A new line."""

    show_id = SelectField(_("Before the booking of"), default="")
    opens_at = LocalTime(
        _("Opens at"),
        [Optional()],
        description=_(
            "Empty: when booking of the show opens next, or at once. Visitors can join half an hour before."
        ),
    )

    def offer(self, shows: list[tuple[str, str]]) -> "OpenForm":
        """Offer the whole site, and these shows."""
        self.show_id.choices = [("", gettext("the whole site")), *shows]
        return self

"""The visitor's forms of the waitlist."""

from collections.abc import Iterable

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, SelectField
from wtforms.validators import DataRequired, InputRequired

from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.consent import TEXTS, Consent
from azionelab.bookings.pages.forms import PartyForm, VisitorForm


class JoinForm(PartyForm):
    """An entry on the waitlist."""

    consent = BooleanField(
        TEXTS[Consent.WAITLIST],
        [DataRequired(_("We need your consent to write to you when seats come free."))],
    )


class PlaceForm(VisitorForm):
    """Taking a place in line, by a person. Mail scanners submit a form as it is, with the box not ticked."""

    wanted = BooleanField(
        _("Yes, we want to wait"),
        [DataRequired(_("Please tick the box to show that a person is confirming."))],
    )


class TakeForm(VisitorForm):
    """Taking the seats that are offered, by a person."""

    coming = BooleanField(
        _("Yes, we are coming"),
        [DataRequired(_("Please tick the box to show that a person is confirming."))],
    )


class NearForm(VisitorForm):
    """How soon a party can be at the door, by the button that is pressed; 0 takes it back."""

    minutes = SelectField(None, [InputRequired()], coerce=int)

    def offer(self, reservation: Reservation, minutes: Iterable[int]) -> "NearForm":
        """Offer these times, and to be away when the party said that it is near."""
        near = [(n, gettext("in %(minutes)s minutes", minutes=n)) for n in minutes]
        away = [(0, gettext("We are not near any more"))] if reservation.near_minutes else []
        self.minutes.choices = [*near, *away]
        return self


class LeaveForm(VisitorForm):
    """The second step of leaving the waitlist, or of giving the offered seats back."""

    sure = BooleanField(
        _("Yes, we are sure"),
        [DataRequired(_("Please tick the box if you want to leave the waitlist."))],
    )

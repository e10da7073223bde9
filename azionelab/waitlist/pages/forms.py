"""The visitor's forms of the waitlist."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, EmailField, StringField
from wtforms.validators import DataRequired

from azionelab.bookings.pages.consent import TEXTS, Consent
from azionelab.bookings.pages.forms import Cleaned, SeatsField, VisitorForm, size_choices
from azionelab.bookings.pages.visitor_input import clean_email, clean_name


class JoinForm(VisitorForm):
    """An entry on the waitlist: name, address, seats, consent."""

    name = StringField(_("Name"), [Cleaned(clean_name)])
    email = EmailField(_("E-mail"), [Cleaned(clean_email)])
    seats = SeatsField(_("Seats"), coerce=int)
    consent = BooleanField(
        TEXTS[Consent.WAITLIST],
        [DataRequired(_("We need your consent to write to you when seats come free."))],
    )

    def offer(self, limit: int) -> "JoinForm":
        """Offer parties of 1 to `limit` people."""
        self.seats.choices = size_choices(1, limit)
        if self.seats.data is None and not self.is_submitted():
            self.seats.data = min(2, limit)
        return self


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


class LeaveForm(VisitorForm):
    """The second step of leaving the waitlist, or of giving the offered seats back."""

    sure = BooleanField(
        _("Yes, we are sure"),
        [DataRequired(_("Please tick the box if you want to leave the waitlist."))],
    )

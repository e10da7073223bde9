"""The visitor's forms of the waitlist."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField
from wtforms.validators import DataRequired

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


class LeaveForm(VisitorForm):
    """The second step of leaving the waitlist, or of giving the offered seats back."""

    sure = BooleanField(
        _("Yes, we are sure"),
        [DataRequired(_("Please tick the box if you want to leave the waitlist."))],
    )

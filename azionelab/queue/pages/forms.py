"""Forms of the queue."""

from flask_babel import lazy_gettext as _
from wtforms import EmailField

from azionelab.bookings.pages.forms import Cleaned, CrowdForm, VisitorForm
from azionelab.bookings.pages.visitor_input import clean_visitor_email


class JoinForm(CrowdForm):
    """A place in line."""

    email = EmailField(_("E-mail"), [Cleaned(clean_visitor_email)])


class PressForm(VisitorForm):
    """A button: leaving the line, coming back, or going to its end."""

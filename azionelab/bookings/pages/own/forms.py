"""The forms of a visitor's own booking. Nothing is preselected: mail scanners submit a form as it is."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, EmailField, HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired

from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.consent import TEXTS, Consent
from azionelab.bookings.pages.forms import Cleaned, VisitorForm
from azionelab.bookings.pages.visitor_input import clean_email, clean_name, clean_visitor_email
from azionelab.shows.facts.seating import describe_wheelchair_places
from azionelab.shows.programme import Listing
from azionelab.web.dates import format_datetime

_MOST_DIGITS = 9  # of what the database has as an integer


def _number(typed: str | int | None) -> int | None:
    """The number chosen; ValueError for what is none, or none that the database knows."""
    if typed in (None, ""):
        return None
    number = int(str(typed))
    if len(str(number)) > _MOST_DIGITS:
        raise ValueError(typed)
    return number


class ChangeForm(VisitorForm):
    """A change of the booking as the page showed it: `version` is its `changed_in`."""

    version = HiddenField()

    @property
    def seen(self) -> int:
        """The version that the page showed, 0 when it is missing."""
        sent = self.version.data or ""
        return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 20 else 0


class AddressForm(VisitorForm):
    """The right address of a booking that was asked for with a mistyped one."""

    email = EmailField(_("The right e-mail address"), [Cleaned(clean_visitor_email)])


class LinkForm(VisitorForm):
    """The address that a link is mailed to."""

    email = EmailField(_("E-mail"), [Cleaned(clean_email)])


class EraseForm(VisitorForm):
    """The second step of erasing one's data."""

    coming = SelectField(
        _("Your bookings to come"),
        [InputRequired(_("Please choose what becomes of your bookings to come."))],
    )
    sure = BooleanField(
        _("Yes, erase my name and my address"),
        [DataRequired(_("Please tick the box if you want your data erased."))],
    )

    def ask_about(self, *, coming: bool) -> "EraseForm":
        """Ask about bookings to come, if there are any."""
        if not coming:
            del self.coming
            return self
        self.coming.choices = [
            ("", gettext("Please choose")),
            ("cancel", gettext("Cancel them: others get the seats")),
            ("keep", gettext("Keep them: we come with the ticket")),
        ]
        return self

    @property
    def cancels(self) -> bool:
        """Whether bookings to come are to be cancelled."""
        return "coming" in self and self.coming.data == "cancel"


class SeatsForm(ChangeForm):
    """Another number of seats."""

    seats = SelectField(_("We need"), [InputRequired()], coerce=_number)
    shown = HiddenField()  # the number of seats that the page showed

    @property
    def seats_seen(self) -> int:
        """The number of seats that the page showed, 0 when it is missing."""
        sent = self.shown.data or ""
        return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 4 else 0

    def offer(self, sizes: Iterable[int]) -> "SeatsForm":
        """Offer these sizes."""
        choices: list[tuple[Any, str]] = [
            (n, ngettext("%(num)s seat", "%(num)s seats", n)) for n in sizes
        ]
        self.seats.choices = [("", gettext("Please choose")), *choices] if choices else []
        return self

    @classmethod
    def of(cls, reservation: Reservation, chosen: int | None) -> "SeatsForm":
        """An empty form about a reservation as it is."""
        return cls(
            formdata=None,
            version=str(reservation.changed_in),
            shown=str(reservation.seats),
            seats=chosen,
        )


class WheelchairForm(ChangeForm):
    """Wheelchair places to give back, by the button that is pressed: how many are kept."""

    kept = SelectField(None, [InputRequired()], coerce=_number)

    def offer(self, kept: Iterable[int], now_held: int) -> "WheelchairForm":
        """Offer to keep so many of the `now_held` wheelchair places."""
        self.kept.choices = [
            (
                n,
                ngettext(
                    "Give back %(num)s wheelchair place",
                    "Give back %(num)s wheelchair places",
                    now_held - n,
                ),
            )
            for n in kept
        ]
        return self


class FriendForm(ChangeForm):
    """The friend who gets the booking."""

    friend = StringField(_("Your friend's name"), [Cleaned(clean_name)])
    friend_email = EmailField(_("Your friend's e-mail"), [Cleaned(clean_visitor_email)])


class TakeOverForm(ChangeForm):
    """A friend accepts a booking."""

    name = StringField(_("Name"), [Cleaned(clean_name)])
    consent = BooleanField(
        TEXTS[Consent.BOOKING],
        [DataRequired(_("We need your consent to write to you about the booking."))],
    )


class DeclineForm(VisitorForm):
    """A friend does not want the booking."""

    sure = BooleanField(
        _("No, thank you: my friend keeps the seats"),
        [DataRequired(_("Please tick the box if you do not want the seats."))],
    )


class SwapForm(ChangeForm):
    """Another evening of the same show."""

    performance = SelectField(_("Another evening"), [InputRequired()], coerce=_number)

    def offer(self, evenings: Iterable[Listing]) -> "SwapForm":
        """Offer these evenings, with what is left of them."""
        choices: list[tuple[Any, str]] = [(one.id, _evening(one)) for one in evenings]
        self.performance.choices = [("", gettext("Please choose")), *choices] if choices else []
        return self

    @classmethod
    def of(cls, reservation: Reservation, chosen: int | None = None) -> "SwapForm":
        """An empty form about a reservation as it is."""
        return cls(formdata=None, version=str(reservation.changed_in), performance=chosen)


def _evening(evening: Listing) -> str:
    left = ngettext("%(num)s seat left", "%(num)s seats left", evening.seats_left)
    if evening.has_only_wheelchair_places:
        left = describe_wheelchair_places(evening.wheelchair_left)
    return f"{format_datetime(evening.starts_at)} · {evening.venue_name} · {left}"

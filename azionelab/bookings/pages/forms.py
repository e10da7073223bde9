"""The visitor's forms. The checks of names and addresses are in visitor_input.py, shared with the API.

A new field of a booking also goes through views.py (`ASKED`), rules.py (`Visitor` and `request_key_of`:
a value that is missing there is lost when somebody corrects it and sends the form again), models.py and, if it is
personal, erasure.py.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, Field, HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, ValidationError

from azionelab.bookings.crowd.form_time import is_too_quick, keep_or_stamp
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.consent import TEXTS, Consent
from azionelab.bookings.pages.visitor_input import clean_name, clean_visitor_email
from azionelab.shows.facts.seating import Places
from azionelab.shows.limits import MAX_PARTY, PARTY_LIMIT
from azionelab.web.dates import format_time
from azionelab.web.resubmit_pages import stale_form_text


class Cleaned:
    """A WTForms validator that normalizes a field's text, or reports what is wrong with it."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean

    def __call__(self, _form: object, field: Field) -> None:
        try:
            field.data = self._clean(field.data or "")
        except ValueError as error:
            raise ValidationError(str(error)) from error


class SeatsField(SelectField):  # type: ignore[misc]  # WTForms has no types
    """A number of seats to choose."""

    data: Any

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the value that was sent; one that is not a number is none of the choices."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            self.data = None

    def pre_validate(self, form: FlaskForm) -> None:
        """Replace the library's message about choices and coercion by one for visitors."""
        try:
            super().pre_validate(form)
        except ValidationError as error:
            sizes = [size for size, _label in self.choices if size]
            raise ValidationError(
                gettext("Please choose a number from 1 to %(limit)s.", limit=max(sizes, default=1))
            ) from error


class WheelchairField(SeatsField):
    """How many of a party need a wheelchair place; none when the form did not ask."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the number that was sent; a form without the field asks for none."""
        if valuelist:
            super().process_formdata(valuelist)
        else:
            self.data = 0

    def pre_validate(self, form: FlaskForm) -> None:
        """No more than the party, and no other number than those to choose."""
        if self.data not in [number for number, _label in self.choices]:
            raise ValidationError(gettext("Please choose one of the numbers."))
        seats = form.seats.data
        if seats is not None and self.data > seats:
            raise ValidationError(
                gettext("Choose as many seats as people come, those in a wheelchair among them.")
            )


class VisitorForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """A form that a visitor may have left open for hours."""

    @property
    def notice(self) -> str | None:
        """The notice when only the CSRF token was refused: submitting again is enough."""
        return stale_form_text() if list(self.errors) == ["csrf_token"] else None


class CrowdForm(VisitorForm):
    """A form that scripts like to send: with a proof of work, the time when it was shown, and a field for scripts."""

    proof = HiddenField()
    shown_at = HiddenField()
    # People do not see it, so whoever fills it is a script, or a browser that fills in everything.
    website = StringField(_("Leave this empty"))

    def stamp(self) -> None:
        """Write down when it was shown first."""
        self.shown_at.data = keep_or_stamp(self.shown_at.data)

    @property
    def looks_scripted(self) -> bool:
        """Whether the field that people do not see is filled, or the form came back sooner than people type."""
        return bool(self.website.data) or is_too_quick(self.shown_at.data)


class PartyForm(CrowdForm):
    """Who comes, how many, and what they need: the same for a booking and a place on the waitlist."""

    name = StringField(_("Name"), [Cleaned(clean_name)])
    email = EmailField(_("E-mail"), [Cleaned(clean_visitor_email)])
    seats = SeatsField(_("Seats"), coerce=int)
    wheelchair_places = WheelchairField(_("Wheelchair places among them"), coerce=int)

    def offer(self, limit: int, wheelchair_places: int = 0) -> Self:
        """Offer parties of 1 to `limit` people, and so many wheelchair places; without any the field is left out."""
        self.stamp()
        self.seats.choices = size_choices(1, limit)
        if self.seats.data is None and not self.is_submitted():
            self.seats.data = min(2, limit)
        most = min(limit, wheelchair_places)
        if most and self.wheelchair_places:
            none = (0, gettext("none"))
            self.wheelchair_places.choices = [none, *((n, str(n)) for n in range(1, most + 1))]
        else:
            del self.wheelchair_places
        return self

    def offer_as_asked(self) -> None:
        """Offer the usual sizes and the one that was chosen, when the limit is not known."""
        asked = self.seats.data or 0
        wheelchair = self.asked_wheelchair_places
        self.offer(asked if PARTY_LIMIT < asked <= MAX_PARTY else PARTY_LIMIT, wheelchair)

    @property
    def asked_wheelchair_places(self) -> int:
        """How many wheelchair places are asked for."""
        return self.wheelchair_places.data or 0 if self.wheelchair_places else 0

    @property
    def asked(self) -> Places:
        """The places that are asked for."""
        return Places.of_party(self.seats.data, self.asked_wheelchair_places)


class BookingForm(PartyForm):
    """A booking."""

    consent = BooleanField(
        TEXTS[Consent.BOOKING],
        [DataRequired(_("We need your consent to write to you about the booking."))],
    )
    request_key = HiddenField()

    def offer(self, limit: int, wheelchair_places: int = 0) -> Self:
        """Offer parties as every such form does, and name the press."""
        if not self.request_key.data:
            self.request_key.data = str(uuid4())
        return super().offer(limit, wheelchair_places)

    def offer_only(self, left: Places) -> None:
        """Offer no party larger than the places `left`, and no other wheelchair places, and reduce what was chosen to them."""
        self._offer_only_wheelchair_places(left.wheelchair)
        largest = max(1, min(len(self.seats.choices), left.total))
        self.seats.choices = self.seats.choices[:largest]
        if self.seats.data is not None:
            self.seats.data = min(self.seats.data, largest)

    def _offer_only_wheelchair_places(self, left: int) -> None:
        chosen = self.wheelchair_places
        if not chosen:
            return
        if not left and not chosen.errors:
            del self.wheelchair_places
            return
        chosen.choices = [choice for choice in chosen.choices if choice[0] <= left]
        if chosen.data is not None:
            chosen.data = min(chosen.data, left)

    @property
    def key(self) -> UUID:
        """The form's key: two presses of one form send the same."""
        try:
            return UUID(self.request_key.data)
        except ValueError:
            return uuid4()


class ConfirmForm(VisitorForm):
    """Confirmation by a person. Mail scanners submit a form as it is, with the box not ticked."""

    coming = BooleanField(
        _("Yes, we are coming"),
        [DataRequired(_("Please tick the box to show that a person is confirming."))],
    )


class CancelForm(VisitorForm):
    """The second step of cancelling."""

    sure = BooleanField(
        _("Yes, release our seats"),
        [DataRequired(_("Please tick the box if you want to cancel."))],
    )


class LateForm(VisitorForm):
    """The delay of a party, by the button that is pressed. Mail scanners that submit the form as it is press none."""

    minutes = SelectField(None, [InputRequired()], coerce=int)

    def offer(self, reservation: Reservation, minutes: Iterable[int]) -> "LateForm":
        """Offer these delays, and to be on time when a delay was announced."""
        curtain = reservation.performance.starts_at
        late = [(n, _about(curtain + timedelta(minutes=n), n)) for n in minutes]
        told = [(0, gettext("On time after all"))] if reservation.late_at else []
        self.minutes.choices = [*late, *told]
        return self


def _about(at: datetime, minutes: int) -> str:
    return gettext("%(minutes)s minutes late, at %(at)s", minutes=minutes, at=format_time(at))


def size_choices(least: int, most: int) -> list[tuple[Any, str]]:
    """Numbers of seats to choose from."""
    return [(n, ngettext("%(num)s seat", "%(num)s seats", n)) for n in range(least, most + 1)]

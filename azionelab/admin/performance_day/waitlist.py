"""The waitlist of a performance: who is in line, what is offered, adding a caller, taking somebody off."""

from functools import partial
from typing import Any
from uuid import UUID

from flask import current_app, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import EmailField, IntegerField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired, NumberRange

from azionelab.admin.box_office.texts import describe_refusal
from azionelab.admin.guard import needs
from azionelab.admin.performance_day.base import PerformancePages, get_performance
from azionelab.admin.rows.base import read_identity
from azionelab.admin.rows.fields import wheelchair_places_field, within_party
from azionelab.bookings.errors import BookingError, ReservationUnknown
from azionelab.bookings.history import By
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.forms import Cleaned
from azionelab.bookings.pages.visitor_input import clean_email, clean_name
from azionelab.bookings.rules import Visitor
from azionelab.checkin.house.counts import house_counts
from azionelab.database import db, now
from azionelab.languages import language_names
from azionelab.shows.limits import MAX_PARTY
from azionelab.staff.rights import Right
from azionelab.waitlist import line
from azionelab.waitlist import rules as waitlist
from azionelab.waitlist.near import near_until


class CallerForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """Somebody whom the box office puts on the waitlist."""

    name = StringField(_("Name"), [Cleaned(clean_name)])
    email = EmailField(_("E-mail"), [Cleaned(clean_email)])
    seats = IntegerField(
        _("Seats"),
        [
            InputRequired(_("Please enter how many seats.")),
            NumberRange(1, MAX_PARTY, _("Please enter a number from 1 to %(max)s.")),
        ],
        default=2,
    )
    wheelchair_places = wheelchair_places_field(MAX_PARTY, "", within_party)
    locale = SelectField(
        _("Language of the mails"),
        choices=[SelectChoice(*each) for each in language_names().items()],
    )


class WaitlistPages(PerformancePages):
    """Who waits for seats of a performance."""

    @expose("/<int:performance_id>/waitlist", methods=("GET", "POST"))
    @needs(Right.BOOK)
    def waitlist(self, performance_id: int) -> Any:
        """Show the waitlist; add somebody who calls."""
        performance = get_performance(performance_id)
        form = CallerForm(locale=current_app.config["AZIONELAB"].default_locale)
        if not performance.wheelchair_places:
            del form.wheelchair_places
        if form.validate_on_submit():
            caller = Visitor(form.name.data, form.email.data, form.locale.data)
            try:
                entry = waitlist.add_by_staff(
                    performance_id,
                    caller,
                    form.seats.data,
                    wheelchair_places=form.wheelchair_places.data if form.wheelchair_places else 0,
                )
            except waitlist.SeatsAreFree as refusal:
                told = ngettext(
                    "%(num)s seat is free: book instead.",
                    "%(num)s seats are free: book instead.",
                    refusal.free,
                )
                form.seats.errors = [*form.seats.errors, told]
            except BookingError as refusal:
                name, told = describe_refusal(refusal)
                field = (name == "wheelchair_places" and form.wheelchair_places) or form.seats
                field.errors = [*field.errors, told]
            else:
                flash(_describe(entry), "info" if entry.is_unchanged else "success")
                return redirect(self.get_url(".waitlist", performance_id=performance_id))
        page = self.page(
            "waitlist",
            performance,
            form=form,
            parties=line.parties_in_line(performance_id),
            out_of_line=line.parties_out_of_line(performance_id),
            near_until=partial(near_until, at=now()),
            offers=line.open_offers(performance_id),
            unproven=line.count_unproven(performance_id),
            counts=house_counts([performance_id])[performance_id],
        )
        return page, 422 if form.is_submitted() else 200

    @expose("/<int:performance_id>/waitlist/remove", methods=("POST",))
    @needs(Right.BOOK)
    def remove_from_waitlist(self, performance_id: int) -> Response:
        """Take a party off the waitlist, or its offer back: the next in line gets it."""
        get_performance(performance_id)
        identity = read_identity(Reservation, request.form.get("id"))
        try:
            if not isinstance(identity, UUID):
                raise ReservationUnknown
            # Only what the button shows: an offer that was taken meanwhile is a booking.
            entry = db.session.get(Reservation, identity)
            offered = entry is not None and entry.is_pending and entry.offered_at is not None
            if entry is None or not (entry.is_waiting or offered):
                raise ReservationUnknown
            name = entry.name
            waitlist.leave(identity, by=By.STAFF)
        except BookingError:
            flash(gettext("Nothing was changed: this party does not wait any more."), "error")
        else:
            flash(gettext("%(name)s is off the waitlist.", name=name), "success")
        return redirect(self.get_url(".waitlist", performance_id=performance_id))


def _describe(entry: Reservation) -> str:
    if entry.is_unchanged and not entry.is_waiting:
        return gettext(
            "This address has a booking of the evening already: %(reference)s.",
            reference=entry.reference,
        )
    if entry.is_unchanged:
        return gettext("%(name)s is on the waitlist already.", name=entry.name)
    return gettext("%(name)s is on the waitlist, and gets a mail about it.", name=entry.name)

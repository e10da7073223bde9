"""House seats of a performance: kept back, released."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from azionelab.admin.box_office.forms import HouseForm
from azionelab.admin.box_office.texts import describe_refusal
from azionelab.admin.guard import needs
from azionelab.admin.performance_day.base import PerformancePages, get_performance
from azionelab.admin.rows.base import read_identity
from azionelab.bookings.box_office.errors import HouseSeatsGone
from azionelab.bookings.box_office.house_seats import (
    house_seats,
    keep_back,
    release_house_seats,
)
from azionelab.bookings.errors import BookingError, ReservationUnknown
from azionelab.bookings.models import Reservation
from azionelab.checkin.house.counts import house_counts
from azionelab.staff.rights import Right


class HousePages(PerformancePages):
    """Seats that a performance keeps back for the theatre."""

    @expose("/<int:performance_id>/house-seats", methods=("GET", "POST"))
    @needs(Right.BOOK)
    def house_seats(self, performance_id: int) -> Any:
        """Show the house seats; keep some back."""
        performance = get_performance(performance_id)
        form = HouseForm().with_key()
        if form.validate_on_submit():
            try:
                keep_back(
                    performance_id, form.note.data, form.seats.data, form.until.data, form.key
                )
            except BookingError as refusal:
                name, text = describe_refusal(refusal)
                field = form[{"held_until": "until"}.get(name, "seats")]
                field.errors = [*field.errors, text]
            else:
                kept = ngettext(
                    "%(num)s seat is kept back.", "%(num)s seats are kept back.", form.seats.data
                )
                flash(kept, "success")
                return redirect(self.get_url(".house_seats", performance_id=performance_id))
        page = self.page(
            "box_office/house_seats",
            performance,
            form=form,
            kept=house_seats(performance_id),
            counts=house_counts([performance_id])[performance_id],
        )
        return page, 422 if form.is_submitted() else 200

    @expose("/<int:performance_id>/house-seats/release", methods=("POST",))
    @needs(Right.BOOK)
    def release_house_seats(self, performance_id: int) -> Response:
        """Release some house seats, or all of one lot."""
        get_performance(performance_id)
        identity = read_identity(Reservation, request.form.get("id"))
        seen = request.form.get("seen", 0, type=int)
        seats = request.form.get("seats", 0, type=int)
        try:
            if not isinstance(identity, UUID):
                raise ReservationUnknown
            release_house_seats(identity, seats, seen)
        except HouseSeatsGone as refusal:
            flash(
                ngettext(
                    "Nothing was released: %(num)s seat is kept back here.",
                    "Nothing was released: %(num)s seats are kept back here.",
                    refusal.left,
                ),
                "error",
            )
        except BookingError:
            flash(gettext("These seats are not kept back any more."), "error")
        else:
            freed = ngettext(
                "%(num)s seat is on sale again.", "%(num)s seats are on sale again.", seats
            )
            flash(freed, "success")
        return redirect(self.get_url(".house_seats", performance_id=performance_id))

"""Another number of seats, and another evening."""

from flask import flash, redirect, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings import rules
from azionelab.bookings.errors import BookingError, NotFewerSeats, SeatsChanged
from azionelab.bookings.pages.error_texts import explain
from azionelab.bookings.pages.own.forms import SeatsForm, SwapForm, WheelchairForm
from azionelab.bookings.pages.own_booking import booking_page, reservation_of
from azionelab.bookings.pages.views import blueprint
from azionelab.bookings.visitor_changes.evenings import swap_evening
from azionelab.bookings.visitor_changes.seats import add_seats, give_back_wheelchair_places
from azionelab.database import db
from azionelab.shows.limits import MAX_PARTY
from azionelab.shows.models import Performance
from azionelab.web.dates import format_datetime


@blueprint.post("/bookings/<token>/seats")
def seats(token: str) -> AnyResponse:
    """Make the party smaller, or larger."""
    reservation = reservation_of(token)
    # The rules refuse what cannot be had. The present size is accepted: the press may be a repeated one.
    form = SeatsForm().offer(range(1, MAX_PARTY + 1))
    if not form.validate():
        changed = form.seats_seen not in (0, reservation.seats)
        refusal = SeatsChanged(reservation.seats) if changed else NotFewerSeats()
        return booking_page(reservation, token, 422, form.notice or explain(refusal))
    wanted = form.seats.data
    try:
        if wanted > reservation.seats:
            add_seats(reservation.id, wanted, form.seen)
        else:
            rules.reduce_seats(reservation.id, wanted, form.seats_seen)
    except BookingError as error:
        return booking_page(reservation, token, 409, explain(error), seats=wanted)
    return _done(token, wanted)


@blueprint.post("/bookings/<token>/wheelchair")
def wheelchair(token: str) -> AnyResponse:
    """Give wheelchair places back, and keep the other seats."""
    reservation = reservation_of(token)
    # The rule refuses what cannot be had; the press may be a repeated one.
    form = WheelchairForm().offer(range(MAX_PARTY), MAX_PARTY)
    if not form.validate():
        return booking_page(reservation, token, 422, form.notice or explain(NotFewerSeats()))
    try:
        changed = give_back_wheelchair_places(reservation.id, form.kept.data, form.seen)
    except BookingError as error:
        return booking_page(reservation, token, 409, explain(error))
    return _done(token, changed.seats)


def _done(token: str, seats: int) -> AnyResponse:
    flash(
        ngettext(
            "Done: your booking is now for %(num)s seat.",
            "Done: your booking is now for %(num)s seats.",
            seats,
        ),
        "done",
    )
    return redirect(url_for(".booking", token=token), 303)


@blueprint.post("/bookings/<token>/evening")
def swap(token: str) -> AnyResponse:
    """Move the party to another evening of its show."""
    reservation = reservation_of(token)
    form = SwapForm()
    form.performance.validate_choice = False  # the rule refuses what cannot be had, with its reason
    if not form.validate() or not form.performance.data:
        refused = form.notice or gettext("Please choose another evening.")
        return booking_page(reservation, token, 422, refused)
    target = form.performance.data
    try:
        swap_evening(reservation.id, target, form.seen)
    except BookingError as error:
        return booking_page(reservation, token, 409, explain(error), evening=target)
    evening = db.session.get_one(Performance, target)
    flash(
        gettext(
            "Done: your booking is now for %(when)s. Your ticket stays the same.",
            when=format_datetime(evening.starts_at),
        ),
        "done",
    )
    return redirect(url_for(".booking", token=token), 303)

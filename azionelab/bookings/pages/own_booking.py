"""Pages of a visitor's own booking: confirm, cancel, announce a late arrival. What they change: own/."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, session, url_for
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings import rules
from azionelab.bookings.door_notes import MINUTES, minutes_offered, set_lateness
from azionelab.bookings.errors import BookingError
from azionelab.bookings.hand_over.rules import find_open, may_hand_over, was_handed_over
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.error_texts import explain
from azionelab.bookings.pages.forms import CancelForm, ConfirmForm, LateForm
from azionelab.bookings.pages.own.forms import FriendForm, SeatsForm, SwapForm, WheelchairForm
from azionelab.bookings.pages.views import ASKED, blueprint
from azionelab.bookings.seats.no_show_seats import kept_until, late_hold_ends
from azionelab.bookings.visitor_changes.evenings import evenings_offered, may_swap
from azionelab.bookings.visitor_links import is_linked, read_link_token
from azionelab.bookings.wallet.offers import find_apple_keys, find_google_keys
from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.shows.programme import Listing, Status, find_listing

_FILES = ("qr", "pdf", "phone_pdf", "ics", "apple_pass", "google_pass")


def reservation_of(token: str) -> Reservation:
    """The booking of a visitor's token; 404 when there is none, or none that it opens any more."""
    identity = read_link_token(token)
    reservation = identity and db.session.scalar(
        select(Reservation)
        .where(is_linked(identity))
        .options(
            joinedload(Reservation.performance).joinedload(Performance.show),
            joinedload(Reservation.performance).joinedload(Performance.venue),
        )
    )
    if not reservation and identity and db.session.get(Reservation, identity):
        abort(
            404,
            gettext(
                "This link is no longer valid: the e-mail address of this booking has been corrected, and a newer"
                " link belongs to it. If it is your booking, please ask the box office."
            ),
        )
    if not reservation:
        abort(404, gettext("This link is incomplete. Please open it from the e-mail again."))
    return reservation


@blueprint.route("/bookings/confirm/<token>", methods=["GET", "POST"])
def confirm(token: str) -> AnyResponse:
    """The page that the mail's link opens, and its button."""
    reservation = reservation_of(token)
    form = ConfirmForm()
    if not form.is_submitted():
        return _confirm_page(reservation, token, form)
    if not form.validate():
        return _confirm_page(reservation, token, form, 422, form.notice)
    try:
        rules.confirm(reservation.id)
    except BookingError as error:
        return _confirm_page(reservation, token, form, 409, explain(error))
    session.pop(ASKED, None)
    return redirect(url_for(".booking", token=token), 303)


@blueprint.get("/bookings/<token>")
def booking(token: str) -> AnyResponse:
    """The visitor's own page. Whoever is on the waitlist has another one."""
    reservation = reservation_of(token)
    if reservation.only_waited:
        return redirect(url_for("waitlist.place", token=token), 303)
    return booking_page(reservation, token)


@blueprint.route("/bookings/<token>/cancel", methods=["GET", "POST"])
def cancel(token: str) -> AnyResponse:
    """The second step of cancelling: asks once more, then cancels."""
    reservation = reservation_of(token)
    form = CancelForm()
    status, notice = 200, None
    if form.is_submitted():
        if not form.validate():
            return _cancel_page(reservation, token, form, 422, form.notice)
        try:
            rules.cancel(reservation.id)
            return redirect(url_for(".booking", token=token), 303)
        except BookingError as error:
            status, notice = 409, explain(error)
    return _cancel_page(reservation, token, form, status, notice)


@blueprint.post("/bookings/<token>/late")
def late(token: str) -> AnyResponse:
    """Announce a late arrival, or withdraw it."""
    reservation = reservation_of(token)
    # All delays: the rule refuses those that cannot be chosen now, with an explanation.
    form = LateForm().offer(reservation, MINUTES)
    if not form.validate():
        refused = form.notice or gettext("Please choose how late you will be.")
        return booking_page(reservation, token, 422, refused)
    try:
        reservation = set_lateness(reservation.id, form.minutes.data)
    except BookingError as error:
        return booking_page(reservation, token, 409, explain(error))
    flash(
        gettext("Done: the door staff know that you will be late.")
        if reservation.late_at
        else gettext("Done: the door staff know that you will be on time."),
        "done",
    )
    return redirect(url_for(".booking", token=token), 303)


def _page(template: str, reservation: Reservation, status: int, **context: Any) -> AnyResponse:
    performance = find_listing(reservation.performance_id, now())
    page = render_template(template, reservation=reservation, performance=performance, **context)
    return make_response(page, status)


def _confirm_page(
    reservation: Reservation,
    token: str,
    form: ConfirmForm,
    status: int = 200,
    notice: str | None = None,
) -> AnyResponse:
    return _page(
        "confirm.html",
        reservation,
        status,
        form=form,
        token=token,
        notice=notice,
        lapsed=_is_lapsed(reservation),
    )


def _cancel_page(
    reservation: Reservation, token: str, form: CancelForm, status: int, notice: str | None
) -> AnyResponse:
    lapsed = _is_lapsed(reservation)
    return _page(
        "cancel.html", reservation, status, form=form, token=token, notice=notice, lapsed=lapsed
    )


def booking_page(
    reservation: Reservation,
    token: str,
    status: int = 200,
    notice: str | None = None,
    *,
    seats: int | None = None,
    evening: int | None = None,
    friend: FriendForm | None = None,
) -> AnyResponse:
    """The visitor's own page; `seats`, `evening` and `friend` are what was entered in a form that was refused."""
    at = now()
    performance = find_listing(reservation.performance_id, at)
    offered = minutes_offered(reservation, at)
    coming = reservation.performance.cancelled_at is None
    changeable = reservation.is_live and coming and reservation.performance.starts_at > at
    swapping = may_swap(reservation, at)
    curtain = reservation.performance.starts_at
    evenings = evenings_offered(reservation, at) if swapping else []
    page = render_template(
        "booking.html",
        reservation=reservation,
        performance=performance,
        token=token,
        notice=notice,
        can_change=changeable,
        may_come_late=_may_come_late(reservation),
        seats_form=SeatsForm.of(reservation, seats).offer(_sizes(reservation, performance)),
        wheelchair_form=WheelchairForm(formdata=None, version=str(reservation.changed_in)).offer(
            _kept(reservation), reservation.wheelchair_places
        ),
        may_swap=swapping,
        may_hand_over=may_hand_over(reservation, at),
        offered=find_open(reservation, at),
        handed_over=was_handed_over(reservation),
        friend_form=friend or FriendForm(formdata=None, version=str(reservation.changed_in)),
        swap_form=SwapForm.of(reservation, evening).offer(evenings),
        late_hold_ends=late_hold_ends(curtain),
        kept_until=kept_until(curtain, reservation.late_at, at),
        late_form=LateForm(formdata=None).offer(reservation, offered) if offered else None,
        lapsed=_is_lapsed(reservation),
        ticket_urls={kind: url_for(f".{kind}", token=token) for kind in _FILES},
        has_apple=find_apple_keys(at) is not None,
        has_google=find_google_keys() is not None,
    )
    return make_response(page, status)


def _sizes(reservation: Reservation, performance: Listing | None) -> list[int]:
    """The sizes that the party can have now, but for its own: more of a confirmed one only, while seats are free."""
    party = reservation.seats
    smaller = range(max(1, reservation.admitted), party)
    if not reservation.has_ticket or performance is None or performance.status is not Status.OPEN:
        return [*smaller]
    most = min(performance.party_limit, party + performance.seats_left)
    return [*smaller, *range(party + 1, most + 1)]


def _kept(reservation: Reservation) -> range:
    """How many wheelchair places the party can keep when it gives some back and keeps its ordinary seats."""
    party = reservation.places
    if not party.seats:
        return range(0)  # fewer seats are fewer wheelchair places, too
    return range(max(0, reservation.admitted - party.seats), party.wheelchair)


def _is_lapsed(reservation: Reservation) -> bool:
    return reservation.is_lapsed(now())


def _may_come_late(reservation: Reservation) -> bool:
    """Whether the party's seats were released, and the performance is not over."""
    performance = reservation.performance
    released = reservation.released > 0 and performance.released_at is not None
    return released and reservation.has_ticket and now() < performance.ends_at

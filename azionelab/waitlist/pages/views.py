"""Pages of the waitlist: joining it, and the page of one's own place, which shows the offer as well.

GETs change nothing. Pages with a token in their address are never cached and send no referrer.
"""

from dataclasses import replace
from typing import Any

from flask import (
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as browser
from flask_babel import gettext
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings import rules as bookings
from azionelab.bookings.crowd.gate import gate
from azionelab.bookings.crowd.proof_of_work import write_challenge
from azionelab.bookings.erasure import retention, unconfirmed_retention
from azionelab.bookings.errors import (
    BookingClosed,
    BookingError,
    PartyTooLarge,
    PerformanceUnknown,
    ReservationEnded,
    SoldOut,
    TryLater,
    TurnOver,
)
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.consent import Consent
from azionelab.bookings.pages.error_texts import explain
from azionelab.bookings.pages.form_again import BusyTexts, ask_later, keep_input
from azionelab.bookings.pages.own_booking import reservation_of
from azionelab.bookings.pages.rate_limits import count_booking
from azionelab.bookings.pages.waiting import lead_to_line_of_waitlist, waitlist_has_line
from azionelab.database import now
from azionelab.extensions import csrf
from azionelab.languages import current_language
from azionelab.shows.programme import Listing, Status, find_listing
from azionelab.waitlist import near, rules
from azionelab.waitlist.line import position, waits
from azionelab.waitlist.pages.forms import JoinForm, LeaveForm, NearForm, PlaceForm, TakeForm
from azionelab.web.languages.pages import PagesInLanguages
from azionelab.web.rate_limits import visitor_network
from azionelab.web.security_headers import keep_private

blueprint = PagesInLanguages("waitlist", __name__)
# These forms check their CSRF token themselves, to keep the input when it is stale.
csrf.exempt(blueprint)
blueprint.after_request(keep_private)

# The session's key of the address that asked last, for the page after the form.
_ASKED = "wants_to_wait"


@blueprint.route("/performances/<int:performance_id>/waitlist", methods=["GET", "POST"])
def join(performance_id: int) -> AnyResponse:
    """The form that asks for a place on the waitlist."""
    form = JoinForm()
    texts = BusyTexts(
        gettext(
            "We could not save your entry just now. Your entries are still here: please submit again."
        ),
        gettext(
            "We do not know whether your entry was saved. Please submit again: you will not be on the waitlist"
            " twice."
        ),
    )
    return keep_input(
        form,
        lambda: _join(performance_id, form),
        lambda notice: _render_form(performance_id, form, None, notice, 0),
        texts,
        "waitlist: ",
    )


def _join(performance_id: int, form: JoinForm) -> AnyResponse:
    performance = find_listing(performance_id, now())
    if performance is None or not performance.published:
        abort(404)
    limit = gate().party_limit(performance_id, performance.party_limit)
    form.offer(limit, performance.wheelchair_places)
    if not form.is_submitted():
        return lead_to_line_of_waitlist(performance) or _join_page(performance, form)
    if not form.validate():
        return _join_page(performance, form, 422, form.notice)
    visitor = bookings.Visitor(
        form.name.data,
        form.email.data,
        current_language(),
        visitor_network(),
        consent=Consent.WAITLIST,
    )
    if waitlist_has_line(performance):
        # Otherwise who is quick at this form would pass those in line.
        if gate().leads_mailbox_to(performance.id, visitor.email_key):
            return _wait_first(performance, form)
        visitor = replace(visitor, turn=gate().turn(performance.id, visitor.email_key))
    return _join_waitlist(performance, form, visitor)


def _wait_first(performance: Listing, form: JoinForm) -> AnyResponse:
    notice = gettext("Please use the address that you gave when you joined the line.")
    return lead_to_line_of_waitlist(performance) or _join_page(performance, form, 409, notice)


def _join_waitlist(performance: Listing, form: JoinForm, visitor: bookings.Visitor) -> AnyResponse:
    try:
        # An entry holds no seats: without a proof it only counts among those that are limited together.
        count_booking(visitor.email_key, form.proof.data, suspect=form.looks_scripted)
        rules.join(
            performance.id, visitor, form.seats.data, wheelchair_places=form.asked.wheelchair
        )
    except PerformanceUnknown:
        abort(404)
    except TurnOver:
        return _wait_first(performance, form)
    except rules.SeatsAreFree as error:
        return _join_page(performance, form, 409, free=error.free)
    except (BookingClosed, PartyTooLarge, SoldOut) as error:
        performance = find_listing(performance.id, now()) or performance
        return _join_page(performance, form, 409, explain(error))
    except (TryLater, TooManyRequests) as limit:
        return ask_later(limit, lambda status, note: _join_page(performance, form, status, note))
    browser[_ASKED] = {"performance": performance.id, "email": visitor.email}
    return redirect(url_for(".received", performance_id=performance.id), 303)


@blueprint.get("/performances/<int:performance_id>/waitlist/received")
def received(performance_id: int) -> str:
    """The page "Check your inbox"."""
    performance = find_listing(performance_id, now())
    if performance is None:
        abort(404)
    asked: dict[str, Any] | None = browser.get(_ASKED)
    if asked and asked["performance"] != performance_id:
        asked = None
    return render_template("waitlist/received.html", performance=performance, asked=asked)


@blueprint.route("/waitlist/<token>", methods=["GET", "POST"])
def place(token: str) -> AnyResponse:
    """One's own place: confirming it, the position, and the seats that are offered."""
    reservation = reservation_of(token)
    if not _is_of_waitlist(reservation):
        return redirect(url_for("bookings.booking", token=token), 303)
    # The form may be sent again that has taken the place already.
    form = PlaceForm() if "wanted" in request.form else _form_of(reservation)
    if not form.is_submitted():
        return _place_page(reservation, token, form)
    if not form.validate():
        return _place_page(reservation, token, form, 422, form.notice)
    try:
        if isinstance(form, PlaceForm):
            rules.take_place(reservation.id)
            browser.pop(_ASKED, None)
            return redirect(url_for(".place", token=token), 303)
        bookings.confirm(reservation.id)
    except BookingError as error:
        return _place_page(reservation_of(token), token, form, 409, _explain(error))
    return redirect(url_for("bookings.booking", token=token), 303)


@blueprint.route("/waitlist/<token>/leave", methods=["GET", "POST"])
def leave(token: str) -> AnyResponse:
    """The second step of leaving, or of giving the offered seats back: asks once more."""
    reservation = reservation_of(token)
    if not _is_of_waitlist(reservation):
        return redirect(url_for("bookings.booking", token=token), 303)
    form = LeaveForm()
    status, notice = 200, None
    if form.is_submitted():
        if not form.validate():
            status, notice = 422, form.notice
        else:
            try:
                rules.leave(reservation.id)
                return redirect(url_for(".place", token=token), 303)
            except BookingError as error:
                status, notice = 409, _explain(error)
    return _page("waitlist/leave.html", reservation, token, status, form=form, notice=notice)


@blueprint.post("/waitlist/<token>/near")
def say_near(token: str) -> AnyResponse:
    """Say that one is near the theatre, or not any more."""
    reservation = reservation_of(token)
    # All times: the rule refuses those that cannot be chosen now, with an explanation.
    form = NearForm().offer(reservation, near.MINUTES)
    if not form.validate():
        refused = form.notice or gettext("Please choose how soon you can be at the door.")
        return _place_page(reservation, token, _form_of(reservation), 422, refused)
    try:
        near.say_near(reservation.id, form.minutes.data)
    except BookingError as error:
        form = _form_of(reservation)
        return _place_page(reservation_of(token), token, form, 409, _explain(error))
    return redirect(url_for(".place", token=token), 303)


def _form_of(reservation: Reservation) -> PlaceForm | TakeForm:
    return PlaceForm() if reservation.waiting_since is None else TakeForm()


def _is_of_waitlist(reservation: Reservation) -> bool:
    """Whether its page is the one of the waitlist: it waits, waited in vain, or has not taken its offer."""
    is_offer = reservation.offered_at is not None and reservation.confirmed_at is None
    # An entry that ended before it was in line never held seats.
    ended_unconfirmed = not reservation.is_live and not reservation.holds_seats
    return reservation.only_waited or is_offer or ended_unconfirmed


def _place_page(
    reservation: Reservation,
    token: str,
    form: PlaceForm | TakeForm,
    status: int = 200,
    notice: str | None = None,
) -> AnyResponse:
    at = now()
    in_line = waits(reservation) and near.is_to_come(reservation.performance, at)
    minutes = near.minutes_offered(reservation, at) if in_line else []
    return _page(
        "waitlist/place.html",
        reservation,
        token,
        status,
        form=form,
        notice=notice,
        place=position(reservation),
        in_line=in_line,
        only_near=in_line and reservation.has_let_offer_lapse,
        near_from=near.opens_later(reservation.performance, at),
        near_until=near.near_until(reservation, at),
        near_form=NearForm(formdata=None).offer(reservation, minutes) if minutes else None,
    )


def _page(
    template: str, reservation: Reservation, token: str, status: int, **context: Any
) -> AnyResponse:
    at = now()
    performance = find_listing(reservation.performance_id, at)
    is_offer = reservation.is_pending and not reservation.is_lapsed(at)
    is_open = performance is not None and performance.status in (Status.OPEN, Status.SOLD_OUT)
    page = render_template(
        template,
        reservation=reservation,
        token=token,
        performance=performance,
        is_offer=is_offer,
        is_open=is_open,
        can_wait=is_open or (performance is not None and performance.is_last_minute),
        **context,
    )
    return make_response(page, status)


def _join_page(
    performance: Listing,
    form: JoinForm,
    status: int = 200,
    notice: str | None = None,
    free: int = 0,
) -> AnyResponse:
    return make_response(_render_form(performance.id, form, performance, notice, free), status)


def _render_form(
    performance_id: int, form: JoinForm, performance: Listing | None, notice: str | None, free: int
) -> str:
    return render_template(
        "waitlist/join.html",
        performance=performance,
        performance_id=performance_id,
        form=form,
        notice=notice,
        free=free,
        challenge=None if performance is None else write_challenge(),
        retention=retention(),
        unconfirmed_retention=unconfirmed_retention(),
    )


def _explain(error: BookingError) -> str:
    if isinstance(error, near.NearClosed):
        return gettext("You can tell us this in the last three hours before it begins.")
    if isinstance(error, ReservationEnded):
        return gettext("You are not on the waitlist any more.")
    return explain(error)

"""A booking is handed to a friend: offered and taken back on its page, accepted or refused on the friend's."""

from math import ceil
from typing import cast

from flask import abort, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext, ngettext
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.errors import BookingError, TooManyMails
from azionelab.bookings.hand_over import rules
from azionelab.bookings.hand_over.errors import HandOverTaken
from azionelab.bookings.hand_over.mail import find_hand_over
from azionelab.bookings.hand_over.models import HandOver
from azionelab.bookings.pages.consent import Consent
from azionelab.bookings.pages.error_texts import explain
from azionelab.bookings.pages.forms import VisitorForm
from azionelab.bookings.pages.own.forms import DeclineForm, FriendForm, TakeOverForm
from azionelab.bookings.pages.own_booking import booking_page, reservation_of
from azionelab.bookings.pages.rate_limits import booking_limit, count_mailbox, hand_over_limit
from azionelab.bookings.pages.views import blueprint
from azionelab.bookings.rules import Visitor
from azionelab.bookings.visitor_links import make_link_token
from azionelab.database import now
from azionelab.languages import current_language
from azionelab.shows.programme import find_listing


@blueprint.post("/bookings/<token>/hand-over")
def hand_over(token: str) -> AnyResponse:
    """Offer the booking to a friend."""
    reservation = reservation_of(token)
    form = FriendForm()
    if not form.validate():
        return booking_page(reservation, token, 422, form.notice, friend=form)
    friend = Visitor(form.friend.data, form.friend_email.data, current_language())
    try:
        hand_over_limit.count(str(reservation.id))
        booking_limit.count()
        count_mailbox(friend.email_key)
        rules.offer(reservation.id, friend, form.seen)
    except TooManyMails as limit:
        return booking_page(reservation, token, 429, explain(limit), friend=form)
    except BookingError as error:
        return booking_page(reservation, token, 409, explain(error), friend=form)
    except TooManyRequests as limit:
        seconds = cast("int", limit.retry_after)
        told = ngettext(
            "That was too often. Please try again in %(num)s minute.",
            "That was too often. Please try again in %(num)s minutes.",
            ceil(seconds / 60),
        )
        page = booking_page(reservation, token, 429, told, friend=form)
        page.headers["Retry-After"] = str(seconds)
        return page
    flash(gettext("Done: our e-mail is on its way to %(email)s.", email=friend.email), "done")
    return redirect(url_for(".booking", token=token), 303)


@blueprint.post("/bookings/<token>/withdraw")
def withdraw(token: str) -> AnyResponse:
    """Take the offer to the friend back."""
    reservation = reservation_of(token)
    form = VisitorForm()
    if not form.validate():
        return booking_page(reservation, token, 422, form.notice)
    try:
        rules.withdraw(reservation.id)
    except BookingError as error:
        return booking_page(reservation, token, 409, explain(error))
    flash(
        gettext("Done: the booking stays yours, and your friend's link opens nothing any more."),
        "done",
    )
    return redirect(url_for(".booking", token=token), 303)


@blueprint.route("/hand-over/<token>", methods=["GET", "POST"])
def take_over(token: str) -> AnyResponse:
    """The friend's page, and the press that accepts."""
    found = _offer_of(token)
    form = TakeOverForm()
    if not form.is_submitted():
        return _page(found, token, form)
    if not form.validate():
        return _page(found, token, form, 422, form.notice)
    try:
        taken = rules.accept(
            found.id, form.name.data, current_language(), Consent.BOOKING, form.seen
        )
    except HandOverTaken:
        return redirect(
            url_for(".take_over", token=token), 303
        )  # a repeated press: the page says so
    except BookingError as error:
        return _page(_offer_of(token), token, form, 409, explain(error))
    flash(
        gettext("Done: the seats are yours. Your ticket is on its way to you by e-mail too."),
        "done",
    )
    return redirect(url_for(".booking", token=make_link_token(taken)), 303)


@blueprint.post("/hand-over/<token>/decline")
def decline(token: str) -> AnyResponse:
    """The friend does not want the seats."""
    found = _offer_of(token)
    form = DeclineForm()
    if not form.validate():
        return _page(found, token, TakeOverForm(formdata=None), 422, form.notice, no=form)
    try:
        rules.decline(found.id)
    except BookingError as error:
        return _page(_offer_of(token), token, TakeOverForm(formdata=None), 409, explain(error))
    flash(gettext("Done: your friend keeps the seats, and we have erased your address."), "done")
    return redirect(url_for(".take_over", token=token), 303)


def _offer_of(token: str) -> HandOver:
    found = find_hand_over(token)
    if found is None:
        abort(404, gettext("This link is incomplete. Please open it from the e-mail again."))
    return found


def _page(
    found: HandOver,
    token: str,
    form: TakeOverForm,
    status: int = 200,
    notice: str | None = None,
    *,
    no: DeclineForm | None = None,
) -> AnyResponse:
    at = now()
    reservation = found.reservation
    if not form.is_submitted() or form.name.data is None:
        form.name.data = found.name
    form.version.data = str(reservation.changed_in)
    page = render_template(
        "hand_over.html",
        reservation=reservation,
        performance=find_listing(reservation.performance_id, at),
        is_open=found.is_open(at) and rules.may_hand_over(reservation, at),
        accepted=found.accepted_as is not None,
        until=found.lapses_at,
        form=form,
        decline_form=no or DeclineForm(formdata=None),
        token=token,
        notice=notice,
    )
    return make_response(page, status)

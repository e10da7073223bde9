"""The page "Check your inbox": shows what was asked for, corrects the address, sends the mail once more.

It is the same whatever bookings the address has, and so are its answers.
"""

from contextlib import suppress
from math import ceil
from typing import Any, cast
from uuid import UUID

from flask import abort, flash, make_response, redirect, render_template, session, url_for
from flask_babel import gettext, ngettext
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings import rules
from azionelab.bookings.crowd.gate import gate
from azionelab.bookings.errors import BookingError, TooManyMails
from azionelab.bookings.pages.consent import Consent
from azionelab.bookings.pages.error_texts import explain
from azionelab.bookings.pages.forms import VisitorForm
from azionelab.bookings.pages.own.forms import AddressForm
from azionelab.bookings.pages.rate_limits import (
    booking_limit,
    correction_limit,
    count_mailbox,
    resend_limit,
)
from azionelab.bookings.pages.views import ASKED, blueprint
from azionelab.bookings.seats.holds import hold_minutes, hold_until
from azionelab.bookings.visitor_changes.addresses import correct_unconfirmed, send_again
from azionelab.database import now
from azionelab.languages import current_language
from azionelab.shows.facts.seating import Places
from azionelab.shows.programme import find_listing
from azionelab.validation.email_addresses import mailbox_key
from azionelab.web.rate_limits import visitor_network


@blueprint.get("/performances/<int:performance_id>/received")
def received(performance_id: int) -> AnyResponse:
    """Show the request of this browser, if it made one."""
    return _page(performance_id, asked=_asked_for(performance_id))


@blueprint.post("/performances/<int:performance_id>/received/address")
def correct_address(performance_id: int) -> AnyResponse:
    """Send the mail to another address, which is the booking's from now on."""
    asked = _asked_for(performance_id)
    form = AddressForm()
    if asked is None:
        return _too_late(performance_id)
    if not form.validate():
        return _page(performance_id, 422, asked=asked, form=form, notice=form.notice)
    email = form.email.data
    if email != asked["email"]:
        try:
            correction_limit.count(asked["key"])
            booking_limit.count()
            count_mailbox(mailbox_key(email))
        except (TooManyMails, TooManyRequests) as limit:
            return _limited(performance_id, limit, asked, form)
        gate().note_corrected(performance_id, mailbox_key(asked["email"]), mailbox_key(email))
        _correct(performance_id, asked, email)
        session[ASKED] = asked | {"email": email, "until": hold_until(now()).timestamp()}
    flash(gettext("Done: our e-mail is on its way to %(email)s.", email=email), "done")
    return redirect(url_for(".received", performance_id=performance_id), 303)


@blueprint.post("/performances/<int:performance_id>/received/resend")
def resend(performance_id: int) -> AnyResponse:
    """Send the mail once more."""
    asked = _asked_for(performance_id)
    form = VisitorForm()
    if asked is None:
        return _too_late(performance_id)
    if not form.validate():
        return _page(performance_id, 422, asked=asked, notice=form.notice)
    try:
        resend_limit.count(asked["key"])
        count_mailbox(mailbox_key(asked["email"]))
    except (TooManyMails, TooManyRequests) as limit:
        return _limited(performance_id, limit, asked)
    send_again(performance_id, UUID(asked["key"]), asked["email"])
    flash(gettext("Done: our e-mail is on its way to %(email)s.", email=asked["email"]), "done")
    return redirect(url_for(".received", performance_id=performance_id), 303)


def _correct(performance_id: int, asked: dict[str, Any], email: str) -> None:
    """Correct the booking that was made; if there was none, book with the right address.

    There was none when the mistyped address has a booking of its own. A refusal of that second try is kept quiet,
    since it would tell so.
    """
    key = UUID(asked["key"])
    if correct_unconfirmed(performance_id, key, email):
        return
    visitor = rules.Visitor(
        asked["name"],
        email,
        current_language(),
        visitor_network(),
        proven=asked["held"],
        consent=Consent.BOOKING,
    )
    with suppress(BookingError):
        rules.reserve(
            performance_id,
            visitor,
            asked["seats"],
            key,
            wheelchair_places=asked.get("wheelchair_places", 0),
        )


def _asked_for(performance_id: int) -> dict[str, Any] | None:
    """This browser's last request, if it was for this performance and its hold has not lapsed."""
    asked: dict[str, Any] | None = session.get(ASKED)
    if not asked or asked["performance"] != performance_id or "key" not in asked:
        return None
    return asked if asked["until"] > now().timestamp() else None


def _page(
    performance_id: int,
    status: int = 200,
    *,
    asked: dict[str, Any] | None,
    form: AddressForm | None = None,
    notice: str | None = None,
) -> AnyResponse:
    performance = find_listing(performance_id, now())
    if performance is None:
        abort(404)
    page = render_template(
        "booking_received.html",
        performance=performance,
        asked=asked,
        asked_places=asked and Places.of_party(asked["seats"], asked.get("wheelchair_places", 0)),
        form=form or (AddressForm(formdata=None) if asked else None),
        notice=notice,
        hold_minutes=hold_minutes(),
    )
    return make_response(page, status)


def _too_late(performance_id: int) -> AnyResponse:
    told = gettext("It is too late to change this request. If nothing was confirmed, book again.")
    return _page(performance_id, 409, asked=None, notice=told)


def _limited(
    performance_id: int,
    limit: TooManyMails | TooManyRequests,
    asked: dict[str, Any],
    form: AddressForm | None = None,
) -> AnyResponse:
    if isinstance(limit, TooManyMails):
        seconds, told = limit.seconds_left(now()), explain(limit)
    else:
        seconds = cast("int", limit.retry_after)
        told = ngettext(
            "That was too often. Please try again in %(num)s minute.",
            "That was too often. Please try again in %(num)s minutes.",
            ceil(seconds / 60),
        )
    page = _page(performance_id, 429, asked=asked, form=form, notice=told)
    page.headers["Retry-After"] = str(seconds)
    return page
